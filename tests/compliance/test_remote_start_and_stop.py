"""The compliance cases of remote starts and stops, with the money behind them."""

from __future__ import annotations

import pytest
import trio

from evpower.charging.errors import SessionFailed
from tests.compliance.site import OK, Site
from tests.worlds.charging import STATION

RESERVED, FULL = 270_00, 500_00


async def phase(site: Site) -> tuple[str, int]:
    """The last session's phase, and the driver's free money."""
    rows = await site.world.sql("SELECT id FROM charging_sessions ORDER BY created_at DESC LIMIT 1")
    return (await site.world.session(rows[0]["id"])).phase, await site.world.balance()


async def test_tc_010_a_remote_start_with_the_cable_plugged_in_first_charges(site: Site) -> None:
    await site.status("Preparing")
    session_id = await site.order()
    assert site.heard == [("RemoteStartTransaction", {"connectorId": 1, "idTag": await site.world.tag_of(session_id)})]
    await site.start(await site.world.tag_of(session_id))
    assert await phase(site) == ("charging", FULL - RESERVED)


async def test_tc_011_1_a_remote_start_before_the_cable_charges_once_it_is_plugged_in(site: Site) -> None:
    session_id = await site.order()
    assert (await phase(site))[0] == "starting"
    await site.status("Preparing")
    await site.start(await site.world.tag_of(session_id))
    assert (await phase(site))[0] == "charging"


async def test_tc_011_2_a_remote_start_nobody_plugs_in_for_is_given_back(site: Site) -> None:
    """The charger's own ConnectionTimeOut shows as Preparing, then Available; no StartTransaction ever comes."""
    await site.order()
    await site.status("Preparing")
    await site.status("Available")
    site.world.clock.advance(601)
    await site.world.app.recovery.check()
    assert await phase(site) == ("released", FULL)


async def test_tc_012_a_remote_stop_ends_the_charge_and_settles_it(site: Site) -> None:
    session_id, transaction_id = await site.charge()
    site.world.clock.advance(1800)

    async def stop() -> None:
        await site.world.app.charging.stop_session(session_id, caller=None, actor="test")

    async def obey() -> None:
        await site.reply(OK)
        await site.stop(transaction_id, "Remote")

    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stop)
            nursery.start_soon(obey)
    assert site.heard[-1] == ("RemoteStopTransaction", {"transactionId": transaction_id})
    assert await phase(site) == ("settled", FULL - 135_00)


async def test_tc_026_a_rejected_remote_start_gives_the_money_back(site: Site) -> None:
    with pytest.raises(SessionFailed):
        await site.order({"status": "Rejected"})
    assert await phase(site) == ("released", FULL)


async def test_tc_028_a_rejected_remote_stop_settles_by_what_is_known(site: Site) -> None:
    """The charger knows no such transaction (any more); its late StopTransaction would correct the bill."""
    session_id, _ = await site.charge()
    stop = site.world.app.charging.stop_session
    await site.while_charger_answers(lambda: stop(session_id, caller=None, actor="test"), {"status": "Rejected"})
    assert (await phase(site))[0] == "settled"


async def test_tc_024_a_lock_failure_is_shown_and_the_start_is_given_back(site: Site) -> None:
    await site.order()
    await site.status("Preparing")
    await site.status("Faulted", error="ConnectorLockFailure")
    rows = await site.world.sql(
        "SELECT status, error_code FROM connectors WHERE station_id = %s AND connector_number = 1", STATION
    )
    assert rows == [{"status": "occupied", "error_code": "ConnectorLockFailure"}]
    site.world.clock.advance(601)
    await site.world.app.recovery.check()
    assert await phase(site) == ("released", FULL)


async def test_tc_059_a_remote_start_may_carry_a_charging_profile(site: Site) -> None:
    profile = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}]},
    }
    payload = {"connectorId": 1, "idTag": "CARD", "chargingProfile": profile}
    assert await site.command("RemoteStartTransaction", payload, OK) == OK
    assert site.heard == [("RemoteStartTransaction", payload)]
