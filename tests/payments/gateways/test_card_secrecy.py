"""Card data leave this process towards the bank and nowhere else (contract/payments §7)."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback
from collections.abc import Callable

import pytest

from evpower.errors import ProviderFailure
from evpower.payments.gateway import Card
from tests.payments.gateways.parties import ORDER, PAYER, obank_at
from tests.payments.gateways.peer import Step, answer, gone, reset, truncated

#: Shows up wherever it leaks; what is short has letters, so that no port or address in a log looks like it.
CANARY = Card(pan="4000123412349876", holder="CANARY HOLDER", cvv="C4N", year="39", month="11")
SECRETS = (CANARY.pan, CANARY.cvv, CANARY.holder)
LOGGERS = ("", "payment", "httpx2", "httpcore2", "httpcore2.connection", "httpcore2.http11")
ECHO = f"{CANARY.pan} {CANARY.cvv} {CANARY.holder}"
HOSTILE: dict[str, Step] = {
    "done": answer(f'<response><result id="{ORDER.number}" state="60" code="0" trans="7" sum="10000"/></response>'),
    "declined with an echo": answer(
        f'<response><result id="{ORDER.number}" state="80" code="{ECHO}">'
        f'<attribute name="provider-error-text" value="{ECHO}"/></result></response>'
    ),
    "an error with an echo": answer(f"<error>{ECHO}</error>"),
    "broken XML with an echo": answer(f"<response>{ECHO}"),
    "a type with an echo": answer(f'<!DOCTYPE x [<!ENTITY a "{ECHO}">]><x/>'),
    "HTML with an echo": answer(f"<html><body>{ECHO}</body></html>", status="500 Internal Server Error"),
    "half an answer": truncated("<response>"),
    "no answer": gone,
    "reset": reset,
}


def looks(error: BaseException) -> str:
    """Everything an error report could show of it, causes and contexts included."""
    seen = [repr(error), *traceback.format_exception(error)]
    seen += [repr(vars(one)) for one in (error, error.__cause__, error.__context__) if one is not None]
    return "\n".join(seen)


@pytest.mark.parametrize("step", HOSTILE.values(), ids=HOSTILE)
async def test_a_card_is_in_no_log_record_answer_or_exception(step: Step, caplog: pytest.LogCaptureFixture) -> None:
    for name in LOGGERS:
        caplog.set_level(logging.DEBUG, logger=name)
    shown = ""
    async with obank_at(step) as (obank, peer):
        try:
            shown = repr(await obank.pay(ORDER, CANARY, PAYER))
        except ProviderFailure as error:
            shown = looks(error)
    logged = "\n".join(repr(vars(record)) + record.getMessage() for record in caplog.records)
    assert CANARY.pan.encode() in peer.received[0].body, "the card never went anywhere"
    assert "httpcore2" in logged, "the library's own log was not looked at"
    for secret in SECRETS:
        assert secret not in shown
        assert secret not in logged


@pytest.mark.parametrize("step", [gone, reset, answer("<response>")])
async def test_a_failure_drags_no_request_along(step: Step) -> None:
    """The HTTP library's exceptions carry it; a crash report that walks them would find the card."""
    async with obank_at(step) as (obank, _):
        with pytest.raises(ProviderFailure) as caught:
            await obank.pay(ORDER, CANARY, PAYER)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize(
    "show", [repr, str, "{}".format, lambda card: repr([card]), lambda card: repr(copy.copy(card))]
)
def test_a_card_shows_nothing_of_itself(show: Callable[[Card], str]) -> None:
    assert show(CANARY) == show(Card("", "", "", "", ""))


def test_the_mask_is_the_first_six_and_the_last_four() -> None:
    assert CANARY.mask == "400012******9876"


def test_the_payers_person_shows_nothing_either() -> None:
    assert repr(PAYER) == "Payer()"


def test_the_canary_would_be_seen() -> None:
    """What this file searches is able to hold a card."""
    assert CANARY.pan.encode() in pickle.dumps(CANARY)
    assert CANARY.pan in looks(ValueError(CANARY.pan))
