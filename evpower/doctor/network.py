"""Checks of the rows: what leaves a door open, or waits for a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evpower.doctor.finding import Finding, good, unknown, warning, wrong


@dataclass(frozen=True)
class PhoneLost:
    """A client that lost its phone: to whom, or why."""

    client_id: str
    phone: str
    reason: str
    kept_by: str | None


@dataclass(frozen=True)
class NetworkFacts:
    """What of the rows is worth a person's look."""

    without_credentials: Sequence[str] = ()
    cards_that_are_phones: Sequence[str] = ()
    phones_lost: Sequence[PhoneLost] = ()


def stations(facts: NetworkFacts | None, *, anonymous: bool, from_anywhere: bool) -> list[Finding]:
    """Stations with neither a password nor a certificate: refused, or let in whoever they are, by `anonymous` from this
    machine and by `from_anywhere` also from others."""
    if facts is None:
        return [unknown("stations", "the database was not reached")]
    judged = wrong if from_anywhere else warning
    means = (
        "anybody can be it" if from_anywhere else "who is on this machine can be it" if anonymous else "it is refused"
    )
    do = "evpower station password STATION, and the same at the charger"
    return [
        judged("stations", f"station {each} has neither a password nor a certificate: {means}", do)
        for each in facts.without_credentials
    ] or [good("stations", "every station has a password or a certificate")]


def cards(facts: NetworkFacts | None) -> list[Finding]:
    """Cards that anybody can write down."""
    if facts is None:
        return [unknown("cards", "the database was not reached")]
    return [
        warning(
            "cards",
            f"card {each} is a phone number: who knows it can charge",
            "give the driver another card, and delete it",
        )
        for each in facts.cards_that_are_phones
    ] or [good("cards", "no card is a phone number")]


def clients(facts: NetworkFacts | None) -> list[Finding]:
    """Clients who had a phone and have none any more."""
    if facts is None:
        return [unknown("clients", "the database was not reached")]
    return [
        warning(
            "clients",
            f"client {each.client_id} has no phone any more: {each.phone} {_why(each)}",
            "import the client with its right phone",
        )
        for each in facts.phones_lost
    ] or [good("clients", "no client lost its phone")]


def _why(lost: PhoneLost) -> str:
    if lost.kept_by:
        return f"is client {lost.kept_by}'s"
    return "is not in E.164's writing" if lost.reason == "not_e164" else "was not its own"
