"""Checks of the rows: what leaves a door open, or waits for a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evpower.doctor.finding import Finding, Sentence, good, sentence, unknown, warning, wrong


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
        return [unknown("stations", sentence("not_reached"))]
    judged = wrong if from_anywhere else warning
    means = sentence("stations.refused")
    if from_anywhere:
        means = sentence("stations.anybody")
    elif anonymous:
        means = sentence("stations.from_here")
    return [
        judged("stations", sentence("stations.bare", station=each, means=means), sentence("stations.password"))
        for each in facts.without_credentials
    ] or [good("stations", sentence("stations.good"))]


def cards(facts: NetworkFacts | None) -> list[Finding]:
    """Cards that anybody can write down."""
    if facts is None:
        return [unknown("cards", sentence("not_reached"))]
    return [
        warning("cards", sentence("cards.phone", card=each), sentence("cards.replace"))
        for each in facts.cards_that_are_phones
    ] or [good("cards", sentence("cards.good"))]


def clients(facts: NetworkFacts | None) -> list[Finding]:
    """Clients who had a phone and have none any more."""
    if facts is None:
        return [unknown("clients", sentence("not_reached"))]
    return [
        warning(
            "clients",
            sentence("clients.lost", client=each.client_id, phone=each.phone, why=_why(each)),
            sentence("clients.import"),
        )
        for each in facts.phones_lost
    ] or [good("clients", sentence("clients.good"))]


def _why(lost: PhoneLost) -> Sentence:
    if lost.kept_by:
        return sentence("clients.of_other", client=lost.kept_by)
    return sentence("clients.not_e164") if lost.reason == "not_e164" else sentence("clients.not_its_own")
