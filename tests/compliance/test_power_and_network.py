"""The compliance cases of boots, power cuts and lost networks: what comes late counts by its own time, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from evpower.identifiers import IdTag, SessionId
from tests.compliance.site import Site
from tests.worlds.charging import STATION
from tests.worlds.fakes import NOON

CARD = IdTag("CARD-1")
UNTOUCHED, PAID = 500_00, 365_00


def wire(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


async def transaction(site: Site) -> dict[str, Any]:
    """The only transaction."""
    [row] = await site.facts("ocpp_transactions")
    return row


async def only_session(site: Site) -> SessionId:
    [row] = await site.world.sql("SELECT id FROM charging_sessions")
    return SessionId(row["id"])


async def by_the_minute(site: Site) -> None:
    """A charge of 5 som for a kWh and 1 som for a minute."""
    await site.world.sql(
        "INSERT INTO tariff_plans (id, name) VALUES ('plan', 'По минутам');"
        "INSERT INTO tariff_rules (id, tariff_plan_id, name, tariff_type, price)"
        " VALUES ('kwh', 'plan', 'кВт⋅ч', 'per_kwh', 5), ('minute', 'plan', 'Минута', 'per_minute', 1);"
        "UPDATE stations SET tariff_plan_id = 'plan'"
    )


async def test_tc_001_a_cold_boot_is_accepted_and_brings_the_station_online(site: Site) -> None:
    await site.leave()
    await site.world.sql("UPDATE stations SET is_available = false; UPDATE connectors SET status = 'unavailable'")
    await site.come_back()
    answer = await site.boot()
    assert answer == {"status": "Accepted", "currentTime": "2026-11-23T06:00:00.000Z", "interval": 60}
    await site.status("Available", 0)
    await site.configured()
    assert await site.say("Heartbeat") == {"currentTime": "2026-11-23T06:00:00.000Z"}
    rows = await site.world.sql(
        "SELECT is_available, last_heartbeat_at = %s AS seen, ARRAY(SELECT c.status FROM connectors c) AS connectors"
        " FROM stations",
        site.world.clock.now(),
    )
    assert rows == [{"is_available": True, "seen": True, "connectors": ["available", "available"]}]
    [station] = await site.facts("ocpp_station_status")
    assert (station["vendor"], station["model"], station["booted_at"]) == ("EvPower", "Test", NOON)


async def test_duty_06_a_reconnect_without_boot_goes_on_where_it_was(site: Site) -> None:
    session_id, transaction_id = await site.charge()
    await site.leave()
    site.world.clock.advance(3600)
    await site.come_back()
    await site.meter(transaction_id, {"value": "9000"})
    assert (await site.world.session(session_id)).energy_wh == 8_000
    await site.stop(transaction_id, "Local")
    assert (await site.world.session(session_id)).cost_tyiyn == 135_00


async def test_tc_032_1_a_power_cut_ends_the_charge_by_the_chargers_stop_after_its_boot(site: Site) -> None:
    session_id, transaction_id = await site.charge()
    site.world.clock.advance(3600)
    cut_at = site.now()
    await site.leave()
    site.world.clock.advance(1200)
    await site.come_back()
    assert (await site.boot())["status"] == "Accepted"
    await site.status("Unavailable")
    assert await site.stop(transaction_id, "PowerLoss", timestamp=cut_at) == {}
    session = await site.world.session(session_id)
    assert (session.status, session.stop_reason, session.estimated) == ("stopped", "PowerLoss", False)
    assert (session.energy_wh, session.cost_tyiyn) == (10_000, 135_00)
    site.world.clock.advance(3600)
    await site.world.app.recovery.check()
    assert await site.world.balance() == PAID
    assert [action for action, _ in site.heard] == ["RemoteStartTransaction"]


async def test_tc_037_1_an_offline_start_with_a_valid_tag_is_accepted_with_its_own_time(site: Site) -> None:
    await site.card(CARD)
    await site.leave()
    site.world.clock.advance(600)
    await site.come_back()
    transaction_id, verdict = await site.begin(CARD, timestamp=wire(NOON))
    assert verdict == {"status": "Accepted"}
    row = await transaction(site)
    assert (row["started_at"], row["received_at"]) == (NOON, NOON + timedelta(seconds=600))
    await site.status("Charging")
    assert (await site.world.session(await only_session(site))).phase == "charging"
    site.world.clock.advance(3000)
    await site.stop(transaction_id, "Local")
    assert await site.world.balance() == PAID


async def test_tc_037_3_an_offline_start_with_an_invalid_tag_is_refused_and_its_stop_is_taken(site: Site) -> None:
    await site.card(CARD)
    await site.leave()
    site.world.clock.advance(600)
    await site.come_back()
    transaction_id, verdict = await site.begin(IdTag("STRANGER"), timestamp=wire(NOON))
    assert (transaction_id > 0, verdict) == (True, {"status": "Invalid"})
    assert await site.stop(transaction_id, "DeAuthorized", meterStop=1_100) == {}
    row = await transaction(site)
    assert (row["verdict"], row["charging_session_id"]) == ("Invalid", None)
    assert (row["meter_start_wh"], row["meter_stop_wh"], row["stop_reason"]) == (1_000, 1_100, "DeAuthorized")
    assert await site.world.sql("SELECT id FROM charging_sessions") == []
    assert await site.world.balance() == UNTOUCHED


async def test_tc_039_a_whole_offline_transaction_is_billed_by_its_own_times(site: Site) -> None:
    await by_the_minute(site)
    await site.card(CARD)
    await site.leave()
    site.world.clock.advance(7200)
    await site.come_back()
    transaction_id = await site.start(CARD, timestamp=wire(NOON + timedelta(minutes=10)))
    await site.stop(transaction_id, "Local", timestamp=wire(NOON + timedelta(minutes=70)))
    session = await site.world.session(await only_session(site))
    assert (session.status, session.estimated, session.energy_wh) == ("stopped", False, 10_000)
    assert session.cost_tyiyn == 10 * 5_00 + 60 * 1_00
    assert await site.world.balance() == UNTOUCHED - 110_00


async def test_tc_039_an_offline_transaction_that_is_sent_twice_is_billed_once(site: Site) -> None:
    await site.card(CARD)
    await site.leave()
    site.world.clock.advance(7200)
    began, ended = wire(NOON), wire(NOON + timedelta(hours=1))
    for _ in range(2):
        await site.come_back()
        transaction_id = await site.start(CARD, timestamp=began)
        await site.stop(transaction_id, "Local", timestamp=ended)
        await site.leave()
    assert await site.world.balance() == PAID
    assert len(await site.facts("ocpp_transactions")) == 1


@pytest.mark.parametrize("offset", [timedelta(days=-20_000), timedelta(days=-1), timedelta(days=1)], ids=str)
async def test_duty_26_a_clock_that_is_wrong_harms_no_bill_and_both_times_are_kept(
    offset: timedelta, site: Site
) -> None:
    """The first is 1972. A status with such a time counts as said now."""
    await by_the_minute(site)
    await site.card(CARD)
    began = NOON + offset
    transaction_id = await site.start(CARD, timestamp=wire(began))
    site.world.clock.advance(3600)
    await site.status("Charging", timestamp=wire(began))
    await site.meter(transaction_id, {"value": "9000"}, timestamp=wire(began + timedelta(minutes=50)))
    assert (await site.world.session(await only_session(site))).energy_wh == 8_000
    await site.stop(transaction_id, "Local", timestamp=wire(began + timedelta(hours=1)))
    row = await transaction(site)
    assert (row["started_at"], row["received_at"]) == (began, NOON)
    assert (row["stopped_at"], row["stop_received_at"]) == (began + timedelta(hours=1), site.world.clock.now())
    assert await site.world.balance() == UNTOUCHED - (50_00 + 60_00)


async def test_duty_26_a_clock_set_right_in_mid_charge_is_not_billed_as_years(site: Site) -> None:
    await by_the_minute(site)
    await site.card(CARD)
    transaction_id = await site.start(CARD, timestamp=wire(datetime(1970, 1, 1, tzinfo=UTC)))
    site.world.clock.advance(3600)
    await site.stop(transaction_id, "Local")
    assert await site.world.balance() == UNTOUCHED - (50_00 + 60_00)


async def test_time_waited_before_the_start_and_after_the_stop_is_not_billed(site: Site) -> None:
    """Nor is a stop that comes late, nor one that is settled late."""
    await by_the_minute(site)
    session_id = await site.order()
    site.world.clock.advance(300)
    transaction_id = await site.start(await site.world.tag_of(session_id))
    site.world.clock.advance(3600)
    ended = site.now()
    await site.leave()
    site.world.clock.advance(7200)
    await site.come_back()
    await site.stop(transaction_id, "EVDisconnected", timestamp=ended)
    await site.status("Finishing")
    assert (await site.world.session(session_id)).cost_tyiyn == 50_00 + 60_00


async def test_duty_09_a_message_id_used_again_on_another_socket_is_another_message(site: Site) -> None:
    await site.card(CARD)
    began: list[int] = []
    for meter_wh in (1_000, 2_000):
        start = {"connectorId": 1, "idTag": CARD, "meterStart": meter_wh, "timestamp": site.now()}
        answer = await site.peer.call("StartTransaction", start, "same-id")
        began.append(answer[2]["transactionId"])
        await site.stop(began[-1], "Local", meterStop=meter_wh)
        await site.leave()
        await site.come_back()
    assert len(set(began)) == 2
    assert len(await site.facts("ocpp_transactions")) == 2


async def test_duty_28_an_accepted_remote_start_is_no_start_until_the_charger_says_so(site: Site) -> None:
    session_id = await site.order()
    session = await site.world.session(session_id)
    assert (session.phase, session.wire_transaction_id, session.energy_wh) == ("starting", None, 0)
    site.world.clock.advance(601)
    await site.world.app.recovery.check()
    session = await site.world.session(session_id)
    assert (session.phase, session.status, session.cost_tyiyn) == ("released", "error", 0)
    assert await site.world.balance() == UNTOUCHED
    assert await site.world.sql("SELECT status FROM connectors WHERE connector_number = 1") == [{"status": "available"}]


async def test_duty_28_a_start_that_comes_after_the_money_went_back_is_stopped_and_never_billed(site: Site) -> None:
    session_id = await site.order()
    site.world.clock.advance(601)
    await site.world.app.recovery.check()
    transaction_id = await site.start(await site.world.tag_of(session_id))
    await site.reply({"status": "Accepted"})
    assert site.heard[-1] == ("RemoteStopTransaction", {"transactionId": transaction_id})
    await site.stop(transaction_id, "Remote", meterStop=1_050)
    assert await site.world.balance() == UNTOUCHED


async def test_duty_32_energy_is_whole_wh_until_the_price_and_every_screen_shows_one_sum(site: Site) -> None:
    """10.2345 kWh are 10,235 Wh; 13.5 som each make 138.1725, which is 138.17 wherever it stands."""
    await site.card(CARD)
    transaction_id = await site.start(CARD)
    site.world.clock.advance(3600)
    await site.meter(transaction_id, {"value": "11.2345", "unit": "kWh"})
    running = await site.world.session(await only_session(site))
    assert (running.energy_wh, running.cost_tyiyn) == (10_235, 138_17)
    await site.stop(transaction_id, "Local", meterStop=11_235)
    settled = await site.world.session(running.session_id)
    assert (settled.energy_wh, settled.cost_tyiyn) == (10_235, 138_17)
    assert await site.world.sql("SELECT amount::text, energy::text FROM charging_sessions") == [
        {"amount": "138.17", "energy": "10.235"}
    ]
    assert [amount for _, amount, _ in await site.world.statement()] == [-200, 61.83]
    assert await site.world.balance() == UNTOUCHED - 138_17


async def test_duty_22_a_transaction_id_fits_32_bits_and_comes_from_a_sequence(site: Site) -> None:
    rows = await site.world.sql(
        "SELECT min_value, max_value, increment_by, cycle FROM pg_sequences WHERE sequencename = %s",
        "ocpp16_transaction_ids",
    )
    assert rows == [{"min_value": 1, "max_value": 2**31 - 1, "increment_by": 1, "cycle": False}]


async def test_duty_24_what_flowed_for_a_refused_tag_is_stopped_when_the_charger_is_back(site: Site) -> None:
    transaction_id, _ = await site.begin(IdTag("STRANGER"))
    await site.leave()
    await site.come_back()
    await site.status("Charging")
    for _ in range(2):
        await site.reply({"status": "Accepted"})
    asked = [
        ("TriggerMessage", {"connectorId": 2}),
        ("TriggerMessage", {}),
        ("RemoteStopTransaction", {"transactionId": transaction_id}),
    ]
    for action, payload in asked:
        await site.reply({"status": "Accepted"})
        assert site.heard[-1][0] == action
        assert payload.items() <= site.heard[-1][1].items()
    assert await site.world.sql("SELECT id FROM charging_sessions WHERE station_id = %s", STATION) == []
