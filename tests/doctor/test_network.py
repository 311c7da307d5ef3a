"""The doctor on what the rows leave open."""

from __future__ import annotations

import pytest

from evpower.doctor.network import NetworkFacts, PhoneLost, cards, clients, stations
from tests.doctor.english import english

NONE = NetworkFacts()


def test_rows_without_anything_open_are_good_and_rows_that_were_not_read_unknown() -> None:
    for facts, state in ((NONE, "good"), (None, "unknown")):
        found = [*stations(facts, anonymous=False, from_anywhere=False), *cards(facts), *clients(facts)]
        assert all(english(each.found) for each in found)
        assert [(each.check, each.state) for each in found] == [
            ("stations", state),
            ("cards", state),
            ("clients", state),
        ]


@pytest.mark.parametrize(
    ("anonymous", "from_anywhere", "state", "means"),
    [
        (True, True, "wrong", "anybody can be it"),
        (True, False, "warning", "who is on this machine can be it"),
        (False, False, "warning", "it is refused"),
    ],
)
def test_a_station_without_credentials(anonymous: bool, from_anywhere: bool, state: str, means: str) -> None:
    facts = NetworkFacts(without_credentials=("S1", "S2"))
    found = stations(facts, anonymous=anonymous, from_anywhere=from_anywhere)
    assert [(each.state, english(each.found).partition(": ")[2]) for each in found] == [(state, means), (state, means)]
    assert "evpower station password" in english(found[0].do)


def test_a_card_that_is_a_phone_number() -> None:
    (found,) = cards(NetworkFacts(cards_that_are_phones=("+996555123456",)))
    assert (found.state, "+996555123456" in english(found.found)) == ("warning", True)


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        (PhoneLost("two", "+996555000001", "duplicate", "one"), "+996555000001 is client one's"),
        (PhoneLost("three", "0555", "not_e164", None), "0555 is not in E.164's writing"),
        (PhoneLost("four", "+996555000004", "unverified", None), "+996555000004 was not its own"),
    ],
)
def test_a_client_that_lost_its_phone(lost: PhoneLost, words: str) -> None:
    (found,) = clients(NetworkFacts(phones_lost=(lost,)))
    assert (found.state, words in english(found.found), bool(found.do)) == ("warning", True, True)
