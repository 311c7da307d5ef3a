"""Which of the four ways a call ended, over real sockets: what may have happened is never told as what did not."""

from __future__ import annotations

import gzip
import logging

import pytest
import trio

from evpower.errors import ConfigError, ProviderTimeout, ProviderUnavailable
from evpower.payments.gateway import OrderState
from evpower.payments.gateways.odengi import Odengi
from evpower.payments.gateways.provider_http import open_http
from tests.payments.gateways.parties import AT, CARD, INVOICED, ODENGI, ORDER, PAYER, PLAIN, obank_at, odengi_at
from tests.payments.gateways.peer import (
    Peer,
    Step,
    answer,
    closed_port,
    endless,
    gone,
    half_head,
    held_open,
    reset,
    serving,
    truncated,
)
from tests.worlds.fakes import SetClock

FINE = '{"data":{"invoice_id":"530912448170","status":"processing"}}'
UNKNOWN: dict[str, Step] = {
    "no answer": gone,
    "half a head": half_head,
    "half a body": truncated(FINE),
    "reset after accepting": reset,
    "500": answer(FINE, status="500 Internal Server Error"),
    "502": answer("<html>Bad gateway</html>", status="502 Bad Gateway"),
    "503": answer("", status="503 Service Unavailable"),
    "404": answer(FINE, status="404 Not Found"),
    "204": answer("", status="204 No Content"),
    "HTML": answer("<html><body>It works!</body></html>", headers="Content-Type: text/html\r\n"),
    "empty": answer(""),
    "no JSON": answer('{"data":{"invoice_id":"5309'),
    "not HTTP": answer("", status="HTTP/9 what"),
    "too long": answer(b" " * 70_000 + FINE.encode()),
    "without end": endless,
    "compressed": answer(gzip.compress(FINE.encode()), headers="Content-Encoding: gzip\r\n"),
    "bad UTF-8": answer(b'{"data":{"invoice_id":"\xff"}}'),
}


@pytest.mark.parametrize("step", UNKNOWN.values(), ids=UNKNOWN)
async def test_an_answer_that_cannot_be_used_leaves_the_outcome_unknown(step: Step) -> None:
    async with odengi_at(step) as (odengi, peer):
        with pytest.raises(ProviderTimeout):
            await odengi.create_invoice(ORDER)
    assert len(peer.received) == 1


@pytest.mark.parametrize("step", UNKNOWN.values(), ids=UNKNOWN)
async def test_a_card_payment_without_a_usable_answer_is_never_a_decline(step: Step) -> None:
    async with obank_at(step) as (obank, peer):
        with pytest.raises(ProviderTimeout):
            await obank.pay(ORDER, CARD, PAYER)
    assert len(peer.received) == 1


@pytest.mark.parametrize("step", [gone, reset, answer(""), answer(FINE, status="500 x")])
async def test_the_next_call_works_after_one_that_failed(step: Step) -> None:
    async with odengi_at(step, answer(FINE)) as (odengi, _):
        with pytest.raises(ProviderTimeout):
            await odengi.status(INVOICED)
        assert (await odengi.status(INVOICED)).state is OrderState.PROCESSING


async def test_a_redirect_is_not_followed() -> None:
    async with serving(Peer()) as elsewhere:
        moved = answer("", status="307 Temporary Redirect", headers=f"Location: {elsewhere.url}\r\n")
        async with odengi_at(moved) as (odengi, _):
            with pytest.raises(ProviderTimeout):
                await odengi.create_invoice(ORDER)
    assert elsewhere.received == []


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(Peer()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        async with odengi_at(answer(FINE)) as (odengi, _):
            await odengi.create_invoice(ORDER)
    assert proxy.received == []


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/octet-stream"])
async def test_the_content_type_decides_nothing(kind: str) -> None:
    async with odengi_at(answer(FINE, headers=f"Content-Type: {kind}\r\n")) as (odengi, _):
        assert (await odengi.create_invoice(ORDER)).invoice_id == "530912448170"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "nowhere.invalid"])
async def test_nobody_there_means_nothing_was_sent(host: str, caplog: pytest.LogCaptureFixture) -> None:
    url = f"http://{host}:{await closed_port()}/"
    async with open_http(
        "ODENGI",
        url,
        "odengi.url",
        content_type="a/b",
        accept="a/b",
        context=PLAIN,
        answer_bytes_max=99,
    ) as http:
        with trio.fail_after(20), pytest.raises(ProviderUnavailable):
            await Odengi(ODENGI, http, SetClock(AT), public_url="").create_invoice(ORDER)
    assert "ODENGI: no usable answer (provider_unavailable): ConnectError" in caplog.messages


async def test_an_address_that_is_none_is_refused_at_start() -> None:
    with pytest.raises(ConfigError, match=r"odengi\.url: is not an address"):
        async with open_http(
            "ODENGI",
            "https://[::1",
            "odengi.url",
            content_type="a/b",
            accept="a/b",
            context=PLAIN,
            answer_bytes_max=99,
        ):
            pass


@pytest.mark.parametrize("kind", ["hang", "drip"])
async def test_a_call_may_be_given_up_and_the_next_one_works(kind: str) -> None:
    async with odengi_at() as (odengi, peer):
        peer.steps += [getattr(peer, kind), answer(FINE)]
        async with trio.open_nursery() as nursery:

            async def ask() -> None:
                await odengi.create_invoice(ORDER)
                raise AssertionError("it was answered")

            nursery.start_soon(ask)
            await peer.held.wait()
            nursery.cancel_scope.cancel()
        assert (await odengi.create_invoice(ORDER)).invoice_id == "530912448170"


async def test_calls_run_beside_each_other() -> None:
    """One that hangs holds up no other."""
    async with odengi_at() as (odengi, peer):
        peer.steps += [peer.hang, answer(FINE)]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(odengi.create_invoice, ORDER)
            await peer.held.wait()
            assert (await odengi.status(INVOICED)).state is OrderState.PROCESSING
            nursery.cancel_scope.cancel()


async def test_each_call_has_a_connection_of_its_own() -> None:
    """A kept one that the provider has closed would make the next outcome unknown."""
    async with odengi_at(held_open(FINE), held_open(FINE)) as (odengi, peer):
        await odengi.status(INVOICED)
        await odengi.status(INVOICED)
    assert len(peer.received) == 2


async def test_the_log_says_why_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="payment")
    async with odengi_at(answer("x", status="502 Bad Gateway")) as (odengi, _):
        with pytest.raises(ProviderTimeout):
            await odengi.create_invoice(ORDER)
    ours = [record.getMessage() for record in caplog.records if record.name == "payment"]
    assert ours == ["ODENGI: no usable answer (provider_timeout): HTTP 502"]
