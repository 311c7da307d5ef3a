"""The case file of a charge on a terminal: what happened, what it cost and why (contract/operator-pages §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evpower.command_line.columns import Column
from evpower.command_line.screen import Screen
from evpower.command_line.views.frames import readable
from evpower.texts.catalogue import Catalogue

RIGHT, WRONG = "✔", "✘"
REGISTER_COLUMNS = (Column("context", rank=0), Column("register_wh", rank=0), Column("measured_at"))
POSTING_COLUMNS = (
    Column("at", "when", rank=0),
    Column("entry", rank=0),
    Column("account", rank=0),
    Column("amount", rank=0),
    Column("actor", is_text=True),
    Column("key", rank=2, is_text=True),
)
QUESTION_COLUMNS = (
    Column("id", rank=0),
    Column("what", is_text=True),
    Column("since"),
    Column("decided"),
    Column("decided_by", "settled_by"),
)
#: A long step goes on below its sentence, after its time.
STEP_INDENT = 21
#: Facts of a step whose values are words of the catalogue, and their tables.
WORDS = {"cause": "causes", "door": "doors", "by": "actors", "actor": "actors"}


def show_charge(screen: Screen, case: Mapping[str, Any], *, with_frames: bool) -> None:
    """Everything that is known of one charge."""
    if screen.as_json:
        screen.facts(case)
        return
    session = case["session"]
    screen.line(f"{session['session_id']}  {session['station_id']}/{session['connector_id']}", bold=True)
    screen.line(_banner(screen, session))
    screen.line()
    screen.facts(_figures(session))
    _heading(screen, "timeline")
    for step in case["timeline"]:
        screen.line(f"{step['at']}  {step_sentence(screen, step)}", colour=_colour_of(step), indent=STEP_INDENT)
    _heading(screen, "bill")
    _show_bill(screen, case)
    _heading(screen, "registers")
    screen.rows(case["registers"], REGISTER_COLUMNS, "nothing.registers")
    _heading(screen, "postings")
    screen.rows(case["postings"], POSTING_COLUMNS, "nothing.postings")
    questions = [*case["doubts"], *case["parked"]]
    if questions:
        _heading(screen, "questions")
        screen.rows(questions, QUESTION_COLUMNS, "nothing.doubts")
    _show_frames(screen, case["frames"], with_frames=with_frames)
    if case["frames_left_out"]:
        screen.note(screen.texts("frames_left_out", frames=len(case["frames"]), station=session["station_id"]))


def step_sentence(screen: Screen, step: Mapping[str, Any]) -> str:
    """What a step says, in the terminal's language."""
    facts = {name: _shown(screen, name, value) for name, value in step["facts"].items()}
    return screen.texts(f"steps.{step['step']}", **facts)


def _shown(screen: Screen, name: str, value: Any) -> str:
    if name in WORDS and isinstance(value, str):
        return screen.texts.word(WORDS[name], value)
    return screen.cell(value)


def _banner(screen: Screen, session: Mapping[str, Any]) -> str:
    """The phase in a sentence, with why the charge ended and what is doubtful of the bill."""
    texts = screen.texts
    sentences = [texts(f"phases.{session['phase']}")]
    if session["end_cause"] is not None:
        sentences.append(texts("ended_by", cause=texts.word("causes", session["end_cause"])))
    if session["corrected_at"] is not None:
        sentences.append(texts("was_corrected", at=session["corrected_at"]))
    elif session["estimated"]:
        sentences.append(texts("is_estimated"))
    return " ".join(sentences)


def _figures(session: Mapping[str, Any]) -> dict[str, Any]:
    """Who, and the six figures."""
    names = ("client_id", "energy_kwh", "amount", "reserved_amount", "refunded_amount", "debt_amount", "unbilled_som")
    return {name: session[name] for name in names}


def _show_bill(screen: Screen, case: Mapping[str, Any]) -> None:
    bill, tariff, texts = case["bill"], case["tariff"], screen.texts
    if bill is None:
        screen.line(texts("no_bill"))
    else:
        parts = [texts("energy_at_rate", **part) for part in bill["parts"]]
        formula = texts(
            "formula",
            energy=" + ".join(parts) or "0",
            minutes=bill["minutes"],
            rate_per_minute=tariff["rate_per_minute"],
            session_fee=tariff["session_fee"],
            recomputed=bill["recomputed"],
        )
        mark = RIGHT if bill["equal"] else WRONG
        screen.line(f"{formula}  {mark}", colour="green" if bill["equal"] else "red")
        for boundary in bill["rate_boundaries"]:
            screen.line(rate_change(texts, boundary))
        screen.line(texts("stored_and_sold", stored=screen.cell(bill["stored"]), sold=bill["sold"]))
    if (fee := case["idle_fee"]) is not None:
        key = "idle_fee_so_far" if fee["ended_at"] is None else "idle_fee_taken"
        screen.line(texts(key, **{name: screen.cell(value) for name, value in fee.items() if name != "times"}))
    plan = tariff["tariff_plan_id"] or texts("no_plan")
    screen.line(texts("price_rule", rule=screen.cell(tariff["rule"]), plan=plan))
    if tariff["rule_details"]:
        screen.note(screen.cell(tariff["rule_details"]))
    for receipt in case["receipts"]:
        screen.line(texts("receipt", number=receipt["number"], at=receipt["issued_at"], amount=receipt["amount"]))


def rate_change(texts: Catalogue, boundary: Mapping[str, Any]) -> str:
    """When the price moved, and between which readings the energy was divided."""
    before, after = boundary["before"], boundary["after"]
    changed = texts(
        "rate_changed",
        at=boundary["at"],
        energy_kwh=boundary["energy_kwh"],
        before=before["at"],
        before_kwh=before["energy_kwh"],
        after=after["at"],
        after_kwh=after["energy_kwh"],
    )
    return texts("rate_changed_estimated", changed=changed) if boundary["estimated"] else changed


def _show_frames(screen: Screen, frames: Sequence[dict[str, Any]], *, with_frames: bool) -> None:
    _heading(screen, "frames")
    if not frames:
        screen.line(screen.texts("nothing.frames"))
    elif with_frames:
        for frame in frames:
            screen.line(readable(frame, screen.zone))
    else:
        screen.note(screen.texts("frames_kept", frames=len(frames)))


def _heading(screen: Screen, name: str) -> None:
    screen.line()
    screen.line(screen.texts(f"headings.{name}"), bold=True)


def _colour_of(step: Mapping[str, Any]) -> str | None:
    is_refused = step["step"] == "asked" and step["facts"]["answer"] != "accepted"
    return "yellow" if is_refused or step["step"] in ("gap", "silent", "no_stop", "rebooted", "released") else None
