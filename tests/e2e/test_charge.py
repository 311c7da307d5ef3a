"""A driver charges and pays, against the started process with a charger on a real socket."""

from __future__ import annotations

from decimal import Decimal

import psycopg
import trio

from evpower.simulator.station.misbehaviour import Misbehaviour
from tests.e2e.process import Server, poll
from tests.e2e.street import CLIENT, OPENING, STATION, WITHIN_S, Phone, charger_at, cost_of

PRICES = f"""
INSERT INTO tariff_plans (id, name) VALUES ('P', 'p');
INSERT INTO tariff_rules (id, tariff_plan_id, name, tariff_type, price, power_range_max)
VALUES ('P-m', 'P', 'minute', 'reservation_per_minute', 1, 9e4), ('P-n', 'P', 'no-show', 'no_show_fee', 50, 9e4);
UPDATE stations SET tariff_plan_id = 'P' WHERE id = '{STATION}'
"""


async def test_driver_pays_for_what_was_delivered(server: Server) -> None:
    """Start by phone, stop at the charger, receipt: all three agree with the charger's register."""
    phone = Phone(server)
    async with charger_at(server) as charger:
        await charger.plug()
        started = await phone.start(energy_kwh=20)
        assert (started["success"], started["reserved_amount"]) == (True, 270)
        await charger.deliver(2000)
        await charger.point.stop()
        receipt = await phone.receipt(started["session_id"])
    paid = cost_of(charger.stopped_wh)
    assert receipt["status"] == "stopped"
    assert Decimal(str(receipt["energy_consumed"])) * 1000 == charger.stopped_wh
    assert Decimal(str(receipt["final_cost"])) == paid
    assert Decimal(str(receipt["refunded_amount"])) == 270 - paid
    assert await phone.balance() == OPENING - paid


async def test_a_connector_is_kept_for_its_driver_and_what_that_held_pays_for_the_charge(
    server: Server, database_url: str
) -> None:
    """By REST, ReserveNow and a simulated station: another driver is refused, the holder's start releases the rest."""
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute(PRICES)
    phone, other = Phone(server), Phone(server, "driver-2")
    wanted = {"client_id": CLIENT, "station_id": STATION, "connector_id": 1, "minutes": 15}
    async with charger_at(server) as charger:
        await charger.is_connected()
        kept = await phone.request("POST", "reservations", wanted)
        assert (kept["status"], kept["hold_amount"], kept["guaranteed"]) == ("reserved", 65, True)
        assert [each["connectorId"] for each in charger.point.trace.received("ReserveNow")] == [1]
        assert await phone.balance() == OPENING - 65
        refused = await other.start()
        assert (refused["error"], refused["connector_status"]) == ("connector_occupied", "Reserved")
        await charger.plug()
        session_id = (await phone.start(energy_kwh=20))["session_id"]
        await charger.deliver(1000)
        await charger.point.stop()
        await phone.receipt(session_id)
        ended = await phone.request("GET", f"reservations/{kept['reservation_id']}?client_id={CLIENT}")
    assert (ended["status"], ended["session_id"], ended["fee_amount"]) == ("fulfilled", session_id, 0)
    assert await phone.balance() == OPENING - cost_of(charger.stopped_wh)


async def test_a_phones_stop_answers_with_the_final_bill(server: Server) -> None:
    phone = Phone(server)
    async with charger_at(server) as charger:
        await charger.plug()
        session_id = (await phone.start())["session_id"]
        await charger.deliver(1000)
        answer = await phone.stop(session_id)
        again = await phone.stop(session_id)
    paid = cost_of(charger.stopped_wh)
    assert (answer["success"], answer["status"]) == (True, "stopped")
    assert Decimal(str(answer["final_cost"])) == paid
    assert Decimal(str(answer["new_balance"])) == await phone.balance() == OPENING - paid
    assert (again["already_stopped"], again["final_cost"]) == (True, answer["final_cost"])


async def test_the_server_stops_a_charge_at_its_limit_and_not_a_sample_later(server: Server) -> None:
    """250 Wh a second, a sample each second: waiting for the next sample would give up to 250 Wh too much."""
    phone = Phone(server)
    async with charger_at(server, power_kw=900) as charger:
        await charger.plug()
        session_id = (await phone.start(energy_kwh=0.6))["session_id"]
        receipt = await phone.receipt(session_id)
        assert len(charger.point.trace.received("RemoteStopTransaction")) == 1
    assert 600 <= charger.stopped_wh < 700
    assert receipt["limit_reached"]
    assert await phone.balance() == OPENING - cost_of(charger.stopped_wh)


async def test_what_was_delivered_while_the_charger_was_offline_is_billed_when_it_is_back(server: Server) -> None:
    phone = Phone(server)
    async with charger_at(server) as charger:
        await charger.plug()
        session_id = (await phone.start(energy_kwh=20))["session_id"]
        await charger.deliver(500)
        charger.point.go_offline()
        await charger.deliver(2500)
        await charger.point.stop()
        assert (await phone.status(session_id))["status"] == "started"
        charger.point.come_online()
        receipt = await phone.receipt(session_id)
    assert Decimal(str(receipt["energy_consumed"])) * 1000 == charger.stopped_wh >= 2500
    assert await phone.balance() == OPENING - cost_of(charger.stopped_wh)


async def test_a_replayed_stop_is_billed_once(server: Server, database_url: str) -> None:
    """The charger sends each StartTransaction and StopTransaction three times, as if the answers had been lost."""
    phone = Phone(server)
    async with charger_at(server, misbehaviour=Misbehaviour(duplicates=2)) as charger:
        await charger.plug()
        session_id = (await phone.start(energy_kwh=20))["session_id"]
        await charger.deliver(500)
        await charger.point.stop()
        await phone.receipt(session_id)
        await charger.has_sent("StopTransaction", 3)
        await charger.has_delivered_messages()
    assert await phone.balance() == OPENING - cost_of(charger.stopped_wh)
    with psycopg.connect(database_url) as database:
        rows = database.execute(
            "SELECT type FROM payment_transactions WHERE client_id = %s ORDER BY created_at, id", [CLIENT]
        ).fetchall()
    assert [kind for (kind,) in rows] == ["admin_adjustment", "charge_reserve", "charge_refund"]


async def test_a_stop_while_the_charger_is_offline_is_an_estimate_that_the_true_stop_corrects(server: Server) -> None:
    """The cable still gives energy that nobody can stop; when the line is back the bill becomes exact."""
    phone = Phone(server)
    async with charger_at(server) as charger:
        await charger.plug()
        session_id = (await phone.start(energy_kwh=20))["session_id"]
        await charger.has_sent("MeterValues")
        await charger.has_delivered_messages()
        charger.point.go_offline()
        charged_wh = charger.energy_wh()
        await charger.deliver(charged_wh + 1000)
        estimate = await phone.stop(session_id)
        assert (estimate["success"], estimate["status"]) == (True, "stopped")
        assert Decimal(str(estimate["energy_consumed"])) * 1000 <= charged_wh
        charger.point.come_online()
        await charger.has_received("RemoteStopTransaction")
        await charger.has_sent("StopTransaction")

        async def is_corrected() -> bool:
            return await phone.balance() == OPENING - cost_of(charger.stopped_wh)

        with trio.fail_after(WITHIN_S):
            await poll(is_corrected)
    receipt = await phone.status(session_id)
    assert Decimal(str(receipt["energy_consumed"])) * 1000 == charger.stopped_wh > charged_wh + 1000
