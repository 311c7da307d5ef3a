"""What stations are asked about reservations, and what becomes of their answers (roadmap/reservations §4)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from evpower.errors import Refusal
from evpower.identifiers import ConnectorId, IdTag
from evpower.link.errors import ChargerOffline, CommandRefused, CommandTimedOut
from evpower.ocpp.v201.dialect import OCPP_201
from tests.worlds.charging import CLIENT, ONE, STATION, TWO
from tests.worlds.reservations import OTHER, ParkingLot

SETTING = """
INSERT INTO evpower.ocpp_configuration (station_id, key, value, readonly, known_at)
VALUES ('EVP-001-01', %s, %s, true, '2026-11-23')
"""
NOT_THERE = CommandRefused("NotImplemented", "", {})


def wire_time(lot: ParkingLot, minutes: int) -> str:
    """So long from now, as it is written."""
    return f"{lot.clock.now() + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


async def test_the_order_of_1_6_ends_a_minute_after_us_and_has_the_tag_of_a_start(lot: ParkingLot) -> None:
    await lot.give(300_00)
    made = (await lot.reserve()).record
    assert lot.asked("ReserveNow") == [
        {
            "connectorId": 1,
            "expiryDate": wire_time(lot, 16),
            "idTag": made.id_tag,
            "reservationId": made.wire_id,
        }
    ]
    started = await lot.order(energy_wh=1_000)
    assert await lot.tag_of(started.session.session_id) == made.id_tag


async def test_the_order_of_2_0_1_names_its_evse(lot: ParkingLot) -> None:
    await lot.give(300_00)
    lot.link.dialect = OCPP_201
    made = (await lot.reserve()).record
    assert lot.asked("ReserveNow") == [
        {
            "id": made.wire_id,
            "expiryDateTime": wire_time(lot, 16).replace("Z", ".000Z"),
            "evseId": 1,
            "idToken": {"idToken": made.id_tag, "type": "Central"},
        }
    ]
    await lot.app.reservations.service.cancel(CLIENT, made.id)
    await lot.work()
    assert lot.asked("CancelReservation") == [{"reservationId": made.wire_id}]


@pytest.mark.parametrize(("version", "group"), [("2.0.1", {"idToken": "FAMILY", "type": "Central"}), ("1.6", None)])
async def test_a_station_of_2_0_1_is_named_the_group_of_its_clients_cards(
    lot: ParkingLot, version: str, group: dict[str, str] | None
) -> None:
    """So that his own card opens it; the contract has no such field for 1.6 (§4)."""
    await lot.give(300_00)
    await lot.sql(
        "INSERT INTO evpower.ocpp_authorization (id_tag, status, parent_id_tag, client_id, created_at)"
        " VALUES ('MINE', 'Accepted', 'FAMILY', %s, now()), ('LOST', 'Blocked', 'OTHERS', %s, '2020-01-01')",
        CLIENT,
        CLIENT,
    )
    await lot.sql(
        "INSERT INTO evpower.ocpp_station_status AS o (station_id, ocpp_version) VALUES (%s, %s)"
        " ON CONFLICT (station_id) DO UPDATE SET ocpp_version = excluded.ocpp_version",
        STATION,
        version,
    )
    lot.link.dialect = OCPP_201
    await lot.reserve()
    (asked,) = lot.asked("ReserveNow")
    assert asked.get("groupIdToken") == group


@pytest.mark.parametrize(("setting", "connector_id"), [("false", 1), ("true", 0)])
async def test_any_connector_is_left_to_a_station_that_can_choose(
    lot: ParkingLot, setting: str, connector_id: int
) -> None:
    """The holder begins where there is room."""
    await lot.sql(SETTING, "ReserveConnectorZeroSupported", setting)
    await lot.give(300_00)
    made = await lot.reserve(connector=None)
    assert [order["connectorId"] for order in lot.asked("ReserveNow")] == [connector_id]
    assert made.record.connector_id == ONE
    await lot.order(energy_wh=1_000, connector=TWO)
    assert (await lot.read(made)).record.status == "fulfilled"


async def test_of_any_connector_the_first_free_one_is_taken(lot: ParkingLot) -> None:
    await lot.give(300_00)
    await lot.say("Charging")
    assert (await lot.reserve(connector=None)).record.connector_id == TWO
    await lot.give(300_00, OTHER)
    with pytest.raises(Refusal) as refused:
        await lot.reserve(connector=None, client=OTHER)
    assert (refused.value.code, refused.value.details) == ("connector_occupied", {"connector_status": "Charging"})


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("Occupied", "connector_occupied"),
        ("Faulted", "connector_faulted"),
        ("Unavailable", "connector_unavailable"),
        ("Rejected", "session_failed"),
    ],
)
async def test_a_refusal_has_its_code_and_returns_the_money(lot: ParkingLot, status: str, code: str) -> None:
    await lot.give(300_00)
    lot.link.replies["ReserveNow"] = {"status": status}
    with pytest.raises(Refusal) as refused:
        await lot.reserve()
    assert refused.value.code == code
    assert (await lot.balance(), await lot.held()) == (300_00, 0)
    await lot.work(3600)
    assert lot.asked("CancelReservation") == []


async def test_a_station_without_the_profile_is_not_asked_and_we_keep_it(lot: ParkingLot) -> None:
    await lot.sql(SETTING, "SupportedFeatureProfiles", "Core,SmartCharging")
    await lot.give(300_00)
    made = (await lot.reserve()).record
    assert (made.status, made.guaranteed) == ("reserved", False)
    assert lot.link.commanded == []


async def test_a_station_that_knows_no_reservations_is_kept_by_us(lot: ParkingLot) -> None:
    await lot.give(300_00)
    lot.link.replies["ReserveNow"] = NOT_THERE
    made = await lot.reserve()
    assert (made.record.status, made.record.guaranteed) == ("reserved", False)
    await lot.cancel(made)
    await lot.work()
    assert lot.asked("CancelReservation") == []
    assert await lot.balance() == 300_00


@pytest.mark.parametrize("silence", [CommandTimedOut(), ChargerOffline()], ids=["silent", "away"])
async def test_what_the_station_may_have_is_taken_back_and_then_released(lot: ParkingLot, silence: Exception) -> None:
    await lot.give(300_00)
    lot.link.replies["ReserveNow"] = silence
    made = await lot.reserve()
    assert made.record.status == "pending"
    await lot.work(59)
    assert (lot.asked("CancelReservation"), await lot.held()) == ([], 65_00)
    await lot.work(1)
    failed = (await lot.read(made)).record
    assert lot.asked("CancelReservation") == [{"reservationId": failed.wire_id}]
    assert (failed.status, failed.fee_tyiyn, failed.at_station) == ("failed", 0, "nothing")
    assert await lot.balance() == 300_00


async def test_a_station_that_stays_away_is_waited_for_five_minutes_and_asked_when_it_is_back(lot: ParkingLot) -> None:
    await lot.give(300_00)
    lot.link.replies["ReserveNow"] = CommandTimedOut()
    made = await lot.reserve()
    lot.link.connected.clear()
    for _ in range(19):
        await lot.work(15)
        assert (await lot.read(made)).record.status == "pending"
    await lot.work(15)
    assert ((await lot.read(made)).record.status, await lot.held()) == ("failed", 0)
    lot.link.connected.add(STATION)
    assert lot.asked("CancelReservation") == []
    await lot.work(15)
    assert len(lot.asked("CancelReservation")) == 1
    await lot.work(3600)
    assert len(lot.asked("CancelReservation")) == 1


@pytest.mark.parametrize("answer", [{"status": "Rejected"}, CommandRefused("InternalError", "", {})])
async def test_a_station_that_has_nothing_to_give_up_is_fine(
    lot: ParkingLot, answer: dict[str, object] | Exception
) -> None:
    await lot.give(300_00)
    made = await lot.reserve()
    lot.link.replies["CancelReservation"] = answer
    await lot.cancel(made)
    await lot.work()
    await lot.work(3600)
    assert len(lot.asked("CancelReservation")) == 1


async def test_what_is_kept_longer_is_ordered_again_under_its_number(lot: ParkingLot) -> None:
    await lot.give(300_00)
    made = (await lot.reserve()).record
    await lot.app.reservations.service.extend(CLIENT, made.id, 10)
    first, second = lot.asked("ReserveNow")
    assert second == {**first, "expiryDate": wire_time(lot, 26)}
    await lot.work(15 * 60)
    assert (await lot.read(await lot.app.reservations.service.one(CLIENT, made.id))).record.status == "reserved"


@pytest.mark.parametrize(("connector", "status"), [(1, "Faulted"), (0, "Faulted"), (0, "Unavailable")])
async def test_a_broken_connector_or_station_ends_it_without_a_fee(
    lot: ParkingLot, connector: int, status: str
) -> None:
    await lot.give(300_00)
    made = await lot.reserve()
    await lot.say(status, connector=ConnectorId(connector))
    await lot.work(10 * 60)
    ended = (await lot.read(made)).record
    assert (ended.status, ended.canceled_by) == ("canceled", "system")
    assert ended.reason == ("broken_charger" if status == "Faulted" else "blocked")
    assert await lot.balance() == 300_00


@pytest.mark.parametrize(("expired", "status"), [(True, "reserved"), (False, "canceled")])
async def test_a_station_of_2_0_1_removes_it_and_does_not_decide_its_end(
    lot: ParkingLot, expired: bool, status: str
) -> None:
    await lot.give(300_00)
    made = await lot.reserve()
    await lot.app.reports.reservation_ended(STATION, made.record.wire_id, expired=expired)
    assert (await lot.read(made)).record.status == status
    await lot.work()
    assert lot.asked("CancelReservation") == []


async def test_a_card_of_somebody_else_is_blocked_where_nothing_is_left(lot: ParkingLot) -> None:
    await lot.sql("DELETE FROM connectors WHERE connector_number = 2")
    for client in (CLIENT, OTHER):
        await lot.give(300_00, client)
        await lot.sql(
            "INSERT INTO evpower.ocpp_authorization (id_tag, status, client_id, created_at)"
            " VALUES (%s, 'Accepted', %s, '2026-11-23')",
            f"CARD-{client}",
            client,
        )
    await lot.reserve()
    verdicts = [await lot.app.reports.authorize(STATION, IdTag(f"CARD-{client}")) for client in (CLIENT, OTHER)]
    assert [verdict.status for verdict in verdicts] == ["Accepted", "Blocked"]
