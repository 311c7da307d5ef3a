"""What a station's certificates are worth after an operator's word, by the rows (safe by default 2)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import StationNotFound
from evpower.identifiers import StationId
from evpower.network.station_records import admit
from evpower.ocpp.door.passwords import SaltedPasswords
from evpower.security.records import see_profile
from evpower.security.rows.trust import certificate_ended, ended_since
from evpower.security.station_access import StationAccess
from tests.worlds.charging import STATION, World
from tests.worlds.fakes import NOON

SIGNED = """
INSERT INTO evpower.station_certificates
    (station_id, state, csr, common_name, chain, serial_number, not_before, not_after, requested_at, signed_at)
VALUES (%s, 'delivered', 'csr', 'name', 'chain', %s, %s, %s, %s, %s)
"""


def access(world: World) -> StationAccess:
    return StationAccess(world.pool, world.clock, world.link, SaltedPasswords())


async def ended(pool: Pool, serial_number: str, days_old: float) -> bool:
    async with reading(pool) as conn:
        return await certificate_ended(conn, STATION, serial_number, NOON - timedelta(days=days_old))


async def test_revoking_ends_what_was_signed_before_and_not_what_comes_after(world: World) -> None:
    """Ours begin a day before they are signed, so their first moment says nothing."""
    for serial_number, signed_at in (("a", NOON - timedelta(hours=1)), ("b", NOON + timedelta(hours=1))):
        begins, ends = signed_at - timedelta(days=1), signed_at + timedelta(days=365)
        await world.sql(SIGNED, STATION, serial_number, begins, ends, signed_at, signed_at)
    assert not await ended(world.pool, "a", 1)
    await access(world).revoke(STATION)
    assert [await ended(world.pool, serial_number, 1) for serial_number in ("a", "b")] == [True, False]
    assert [await ended(world.pool, "of another authority", days) for days in (1, -1)] == [True, False]


async def test_open_sockets_from_before_are_found_and_later_ones_are_not(world: World) -> None:
    await access(world).revoke(STATION)
    async with reading(world.pool) as conn:
        for hours, found in ((-1, [STATION]), (1, [])):
            assert await ended_since(conn, {STATION: NOON + timedelta(hours=hours)}) == found


@pytest.mark.parametrize("by_password", [True, False])
async def test_a_new_password_ends_certificates_and_lets_a_station_begin_anew(world: World, by_password: bool) -> None:
    async with unit_of_work(world.pool) as uow:
        await see_profile(uow.conn, STATION, 3)
        await see_profile(uow.conn, STATION, 2)
    async with reading(world.pool) as conn:
        before = await admit(conn, STATION)
    if by_password:
        await access(world).set_password(STATION, "a password of its own", push=False)
    else:
        await access(world).revoke(STATION)
    async with reading(world.pool) as conn:
        after = await admit(conn, STATION)
    assert before is not None
    assert after is not None
    assert (before.profile_seen, before.some_ended) == (3, False)
    assert (after.profile_seen, after.some_ended) == (0, True)


async def test_nothing_is_revoked_of_a_station_that_is_none(world: World) -> None:
    with pytest.raises(StationNotFound):
        await access(world).revoke(StationId("nobody"))


async def test_a_charge_in_which_a_live_charger_was_replaced_is_marked(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=5_000)).session.session_id
    await world.begin(await world.tag_of(session_id))
    await world.app.reports.replaced_alive(STATION)
    rows = await world.sql("SELECT session_id, twin_at FROM evpower.session_phases")
    assert rows == [{"session_id": session_id, "twin_at": world.clock.now()}]
    (event,) = await access(world).security_events(STATION)
    assert (event.type, event.detail, event.alarming) == ("TwinReplacedLiveStation", f"charging: {session_id}", True)


async def test_stations_that_nothing_protects_are_named(world: World) -> None:
    """Safe by default 2 and 9: `evpower config check` and `evpower doctor`."""
    before = await access(world).without_credentials()
    assert STATION in before
    await access(world).set_password(STATION, "a password of its own", push=False)
    assert await access(world).without_credentials() == [each for each in before if each != STATION]
