"""What a call sheet has somebody try, and in which order (operator-pages §3.1)."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from evpower.case_files.call_sheet import (
    CallSheet,
    Remedy,
    SheetHold,
    SheetNeighbour,
    SheetOutage,
    SheetPlace,
)
from evpower.case_files.station_case import StationCase, StationState
from tests.worlds.fakes import NOON

HELD = SheetHold("s-1", "c", None, None, 1, "charging", NOON, 1_000, NOON, 200_00)


def sheet(
    *silent: bool, state: StationState = StationState.OFFLINE, outage: SheetOutage | None = None, held: bool = False
) -> CallSheet:
    case = cast("StationCase", SimpleNamespace(state=state))
    neighbours = [SheetNeighbour(f"B{each}", "N", NOON, is_silent) for each, is_silent in enumerate(silent)]
    holds = [HELD] if held else []
    return CallSheet(case, SheetPlace(None, None, {}), None, [], [], outage, holds, neighbours)


@pytest.mark.parametrize(
    ("silent", "first"),
    [((True, True), Remedy.PLACE), ((True, False), Remedy.ALONE), ((), Remedy.LIT)],
)
def test_a_place_that_is_silent_altogether_is_asked_about_electricity_first(
    silent: tuple[bool, ...], first: Remedy
) -> None:
    attempts = sheet(*silent).attempts
    assert attempts[0] is first
    assert len({Remedy.PLACE, Remedy.ALONE} & set(attempts)) == (len(silent) > 0)


@pytest.mark.parametrize(
    ("outage", "first"),
    [
        (None, Remedy.SIM),
        (SheetOutage(NOON, "silence", None), Remedy.SIM),
        (SheetOutage(NOON, "socket", 1006), Remedy.SIM),
        (SheetOutage(NOON, "socket", None), Remedy.SIM),
        (SheetOutage(NOON, "socket", 1000), Remedy.LINE),
    ],
)
def test_a_line_that_was_cut_is_looked_at_from_its_sim_and_one_that_was_closed_from_its_router(
    outage: SheetOutage | None, first: Remedy
) -> None:
    line = [each for each in sheet(outage=outage).attempts if each in (Remedy.SIM, Remedy.LINE, Remedy.CABLE)]
    assert line[0] is first
    assert len(line) == 3


def test_a_driver_is_warned_before_the_electricity_is_cut() -> None:
    attempts = sheet(held=True).attempts
    assert attempts.index(Remedy.CAR) < attempts.index(Remedy.RESTART)
    assert Remedy.CAR not in sheet().attempts
    assert sheet(held=True).held_tyiyn == 200_00


def test_nobody_is_called_about_a_station_that_is_heard_and_a_new_one_is_asked_for_its_address() -> None:
    assert sheet(True, state=StationState.ONLINE).attempts == [Remedy.HEARD]
    assert Remedy.NEVER in sheet(state=StationState.NEVER).attempts
    assert Remedy.NEVER not in sheet(outage=SheetOutage(NOON - timedelta(hours=1), "socket", 1006)).attempts
