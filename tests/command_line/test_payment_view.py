"""A payment's case file on a terminal: every fact of it has a name in each language."""

from __future__ import annotations

import pytest

from evpower.http.operators.shapes.cases.payment import CasePaymentBody
from evpower.texts.catalogue import LANGUAGES, Language, load
from tests.command_line.control_server import FakeControl, run

FACTS = [name for name in CasePaymentBody.__annotations__ if name not in ("invoice_id", "provider")]
PAYMENT = {**dict.fromkeys(FACTS, "x"), "invoice_id": "538478067528", "provider": "ODENGI", "phase": "processing"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_fact_of_a_payment_has_a_name(
    control: FakeControl, monkeypatch: pytest.MonkeyPatch, language: Language
) -> None:
    monkeypatch.setenv("LC_ALL", f"{language}.UTF-8")
    case = {"payment": PAYMENT, "steps": [], "postings": [], "parked": []}
    control.succeed("/control/payments/538478067528/case", case)
    lines = run("payment", "show", "538478067528").stdout.splitlines()
    assert lines[:2] == ["538478067528  ODENGI", load(language, "command_line")("payment_phases.processing")]
    names = [line.split("  ")[0] for line in lines[2 : 2 + len(FACTS)]]
    texts = load(language, "command_line")
    assert names == [texts(f"columns.{each}") for each in FACTS]
