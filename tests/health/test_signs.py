"""What became of a start, and whose fault it was (health/signs.py)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from evpower.health.signs import CHANGED_THEIR_MIND, NOT_THE_CLIENTS, SignKind, TriedStart, is_failed, sign_of
from evpower.identifiers import ClientId
from tests.worlds.fakes import NOON

WORKED = TriedStart(
    NOON,
    ClientId("one"),
    "phone",
    "accepted",
    phase="charging",
    stop_requested_at=None,
    has_transaction=True,
    delivered_wh=None,
    cable_seen=False,
)
RELEASED = replace(WORKED, phase="released", has_transaction=False)


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (WORKED, SignKind.WORKED),
        (replace(WORKED, door="card", answer="Accepted"), SignKind.WORKED),
        (replace(WORKED, delivered_wh=1), SignKind.WORKED),
        (replace(WORKED, delivered_wh=0), SignKind.NO_ENERGY),
        (replace(WORKED, answer="session_failed", has_transaction=False), SignKind.REFUSED),
        (RELEASED, SignKind.NO_CABLE),
        (replace(RELEASED, cable_seen=True), SignKind.NEVER_BEGAN),
        (replace(RELEASED, stop_requested_at=NOON + CHANGED_THEIR_MIND), SignKind.NO_CABLE),
    ],
)
def test_a_start_is_a_sign(start: TriedStart, kind: SignKind) -> None:
    sign = sign_of(start)
    assert sign is not None
    assert sign.kind is kind


@pytest.mark.parametrize(
    "start",
    [
        replace(WORKED, answer="insufficient_balance", has_transaction=False),
        replace(WORKED, door="card", answer="Blocked", has_transaction=False),
        replace(RELEASED, phase="starting"),
        replace(RELEASED, stop_requested_at=NOON + CHANGED_THEIR_MIND - timedelta(seconds=1)),
    ],
)
def test_what_is_the_clients_or_not_decided_is_no_sign_and_no_failure(start: TriedStart) -> None:
    assert sign_of(start) is None
    assert not is_failed(start)


@pytest.mark.parametrize("answer", NOT_THE_CLIENTS)
def test_a_start_that_the_station_lets_nobody_begin_is_failed(answer: str) -> None:
    assert is_failed(replace(WORKED, answer=answer, has_transaction=False))


@pytest.mark.parametrize("answer", [each for each in NOT_THE_CLIENTS if each != "session_failed"])
def test_a_station_that_says_it_is_out_of_service_fails_openly_and_raises_no_doubt(answer: str) -> None:
    assert sign_of(replace(WORKED, answer=answer, has_transaction=False)) is None
