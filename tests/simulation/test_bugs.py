"""Each planted bug is found, in a history narrowed to what it needs: the one that found it first."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.simulation.bugs import BUGS
from tests.simulation.playing import WITHIN_S, Server, begin, output

pytestmark = pytest.mark.timeout(WITHIN_S + 60)

NARROW = ("--no-deaths", "--no-dangers", "--one-process")
CHARGES = (*NARROW, "--no-payments")
#: What finds it, and what is reported.
FOUND_BY: Mapping[str, tuple[tuple[str, ...], str]] = {
    "settle_twice": (("--seeds", "1", "--hours", "0.1"), "a hold that is not what its phase says"),
    "credit_on_status_1": (
        ("--seeds", "4", "--hours", "0.12", "--stations", "1", "--pairs", "plain", *NARROW),
        "0 tyiyn were paid",
    ),
    "round_half_even": (
        ("--seeds", "4", "--hours", "0.3", "--stations", "2", "--pairs", "plain", *CHARGES),
        "6.42 instead of 6.43",
    ),
    "drop_a_doubt": (
        ("--seeds", "4", "--hours", "0.25", "--stations", "2", "--pairs", "wild reading x stop", *CHARGES),
        "a register was dismissed silently",
    ),
    "bill_an_unbelievable_register": (
        ("--seeds", "4", "--hours", "0.25", "--stations", "2", "--pairs", "wild reading x stop", *CHARGES),
        "more than flowed",
    ),
    "never_correct": (
        ("--seeds", "4", "--hours", "0.3", "--stations", "2", "--pairs", "offline x stop by phone", *CHARGES),
        "275 Wh of 2728 are accounted for",
    ),
    "believe_the_chargers_clock": (
        ("--seeds", "3", "--hours", "0.3", "--stations", "4", "--pairs", "clock set x charge", *CHARGES),
        "7260.00 instead of",
    ),
    "refuse_a_queued_start": (
        ("--seeds", "5", "--hours", "0.4", "--stations", "3", "--pairs", "card x offline", *CHARGES),
        "a queued start was refused",
    ),
}


@pytest.mark.parametrize("bug", FOUND_BY)
def test_a_planted_bug_is_found(server: Server, bug: str) -> None:
    options, report = FOUND_BY[bug]
    said = output(begin(server, "--first", "--bug", bug, *options))
    assert said.endswith("exit=1"), said
    assert report in said


def test_every_bug_named_here_is_planted() -> None:
    assert FOUND_BY.keys() <= BUGS.keys()
