"""Stations' passwords over PostgreSQL (duty 7; TC_073): which one opens after each way a change can end."""

from __future__ import annotations

import logging

import pytest

from evpower.errors import InvalidRequest, StationNotFound
from evpower.identifiers import StationId
from evpower.link.errors import ChargerOffline, CommandRefused, CommandRejected, CommandTimedOut
from evpower.network.station import Admission
from evpower.ocpp.door.admission import Credentials, Verdict, judge
from evpower.ocpp.door.passwords import PasswordChecker, SaltedPasswords
from evpower.security.station_access import StationAccess
from tests.worlds.charging import STATION, World

OLD, NEW = "the-old-password", "the-new-password"


@pytest.fixture
async def access(world: World) -> StationAccess:
    """Of a station that has the old password."""
    access = StationAccess(world.pool, world.clock, world.link, SaltedPasswords())
    await access.set_password(STATION, OLD, push=False)
    return access


async def admission(world: World) -> Admission:
    found = await world.app.reports.admit(STATION)
    assert found is not None
    return found


async def login(world: World, password: str) -> bool:
    """The charger logs in, as the door would let it."""
    station = await admission(world)
    shown = Credentials(STATION, password, None)
    verdict = await judge(station, shown, checker=PasswordChecker(b"key"), anonymous=False)
    if verdict is Verdict.ADMITTED_BY_PENDING and station.pending_hash is not None:
        await world.app.reports.password_shown(STATION, station.pending_hash)
    return verdict is not Verdict.REFUSED


async def opens(world: World) -> tuple[bool, bool]:
    """Whether the old password opens, and whether the new one does (asked last: it may put itself in force)."""
    return await login(world, OLD), await login(world, NEW)


async def test_a_set_password_replaces_the_old_one_at_once(world: World, access: StationAccess) -> None:
    await access.set_password(STATION, NEW, push=False)
    assert await opens(world) == (False, True)
    assert not world.link.commanded


async def test_tc_073_an_accepted_key_ends_the_old_one(world: World, access: StationAccess) -> None:
    change = await access.set_password(STATION, NEW, push=True)
    assert (change.status, change.old_password_ended) == ("Accepted", True)
    assert world.link.commanded == [("ChangeConfiguration", {"key": "AuthorizationKey", "value": NEW})]
    assert await opens(world) == (False, True)


@pytest.mark.parametrize("status", ["Rejected", "NotSupported"])
async def test_tc_073_a_rejected_key_leaves_the_old_one(world: World, access: StationAccess, status: str) -> None:
    world.link.replies["ChangeConfiguration"] = {"status": status}
    with pytest.raises(CommandRejected):
        await access.set_password(STATION, NEW, push=True)
    assert await opens(world) == (True, False)


async def test_duty_07_a_callerror_leaves_the_old_one(world: World, access: StationAccess) -> None:
    world.link.replies["ChangeConfiguration"] = CommandRefused("InternalError", "", {})
    with pytest.raises(CommandRefused):
        await access.set_password(STATION, NEW, push=True)
    assert await opens(world) == (True, False)


async def test_a_key_taken_at_the_next_boot_ends_the_old_one_when_it_is_used(
    world: World, access: StationAccess
) -> None:
    world.link.replies["ChangeConfiguration"] = {"status": "RebootRequired"}
    change = await access.set_password(STATION, NEW, push=True)
    assert not change.old_password_ended
    assert await opens(world) == (True, True)
    assert await opens(world) == (False, True)


async def test_without_an_answer_both_open_until_the_charger_shows_which_it_has(
    world: World, access: StationAccess
) -> None:
    world.link.replies["ChangeConfiguration"] = CommandTimedOut()
    with pytest.raises(CommandTimedOut):
        await access.set_password(STATION, NEW, push=True)
    assert await opens(world) == (True, True)
    assert await opens(world) == (False, True)


async def test_a_charger_that_is_away_is_told_nothing_and_keeps_its_password(
    world: World, access: StationAccess
) -> None:
    world.link.connected.clear()
    with pytest.raises(ChargerOffline):
        await access.set_password(STATION, NEW, push=True)
    assert await opens(world) == (True, False)


async def test_hexadecimal_digits_are_of_the_same_password(world: World, access: StationAccess) -> None:
    await access.set_password(STATION, NEW, push=True, form="hex")
    ((_, payload),) = world.link.commanded
    assert bytes.fromhex(payload["value"]).decode() == NEW
    assert await login(world, NEW)


@pytest.mark.parametrize("password", ["x" * 15, "x" * 41, "пароль-из-кириллицы", "with\tcontrols----"])
async def test_a_password_the_white_paper_forbids_is_refused(
    world: World, access: StationAccess, password: str
) -> None:
    with pytest.raises(InvalidRequest):
        await access.set_password(STATION, password, push=True)
    assert not world.link.commanded


async def test_digits_for_more_than_20_bytes_are_refused(access: StationAccess) -> None:
    with pytest.raises(InvalidRequest):
        await access.set_password(STATION, "x" * 21, push=True, form="hex")


async def test_an_unknown_station_has_no_password(access: StationAccess) -> None:
    with pytest.raises(StationNotFound):
        await access.set_password(StationId("nobody"), NEW, push=False)


async def test_duty_07_no_password_is_logged_or_stored(
    world: World, access: StationAccess, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await access.set_password(STATION, NEW, push=True)
    stored = await world.sql("SELECT * FROM evpower.station_credentials")
    assert NEW not in caplog.text + repr(stored)


@pytest.mark.parametrize("key", ["AuthorizationKey", "authorizationkey"])
async def test_a_password_is_not_set_by_a_raw_command(world: World, key: str) -> None:
    """The station's own record would not know it, and the charger would be locked out."""
    with pytest.raises(InvalidRequest):
        await world.app.operations.commands.send(STATION, "ChangeConfiguration", {"key": key, "value": NEW})
    assert not world.link.commanded
