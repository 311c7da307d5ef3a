"""The doctor on the machine: clock, disk, limit of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from evpower.doctor.machine import MIB, ClockFacts, clock, disk, file_limits
from evpower.doctor.machine_read import clock_is_synchronized, disk_room, file_limit
from tests.doctor.english import english

STATE = Path("/var/lib/evpower")


@pytest.mark.parametrize(
    ("facts", "states"),
    [
        (ClockFacts(0.1, True), ["good"]),
        (ClockFacts(None, True), ["good"]),
        (ClockFacts(0.1, None), ["unknown"]),
        (ClockFacts(0.1, False), ["warning"]),
        (ClockFacts(-2.5, True), ["warning"]),
        (ClockFacts(31, True), ["wrong"]),
        (ClockFacts(-31, True), ["wrong"]),
        (ClockFacts(0.1, True, jumped_s=3600), ["wrong"]),
        (ClockFacts(5, False, jumped_s=-90), ["wrong", "warning", "warning"]),
    ],
)
def test_the_clock(facts: ClockFacts, states: list[str]) -> None:
    assert [(each.state, bool(english(each.found))) for each in clock(facts)] == [(state, True) for state in states]


@pytest.mark.parametrize(
    ("free", "total", "state"),
    [
        (50_000 * MIB, 100_000 * MIB, "good"),
        (9_000 * MIB, 100_000 * MIB, "warning"),
        (511 * MIB, 1_000 * MIB, "wrong"),
        (None, 0, "unknown"),
    ],
)
def test_the_disk(free: int | None, total: int, state: str) -> None:
    found = disk(STATE, free, total)
    assert (found.state, str(STATE) in english(found.found), bool(found.do)) == (state, True, state != "good")


@pytest.mark.parametrize(
    ("hard", "stations", "most", "states"),
    [
        (None, 100, 10_000, ["good"]),
        (20_000, 100, 10_000, ["good"]),
        (20_000, None, 10_000, ["good"]),
        (4_096, 100, 10_000, ["warning"]),
        (4_096, 5_000, 10_000, ["wrong"]),
        (20_000, 10_001, 10_000, ["wrong"]),
    ],
)
def test_the_limit_of_files_and_of_connections(
    hard: int | None, stations: int | None, most: int, states: list[str]
) -> None:
    found = file_limits(hard, 11_036, stations, most, of_server=True)
    assert [each.state for each in found] == states
    assert [each.state for each in file_limits(hard, 11_036, stations, most, of_server=False)] == states
    for each in found:
        assert "the server" in english(each.found) or "are expected" in english(each.found)


def test_the_machine_can_be_read(tmp_path: Path) -> None:
    """Where a directory is not there yet, the disk is its parent's."""
    assert clock_is_synchronized() in (True, False, None)
    assert disk_room(tmp_path / "not/yet") == pytest.approx(disk_room(tmp_path), rel=0.2)
    assert disk_room(tmp_path)[1] > 0
    assert file_limit() is None or file_limit() > 0  # type: ignore[operator]
