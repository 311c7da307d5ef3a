"""The same driver at a charger of OCPP 2.0.1: he does not notice (contract/ocpp201 §8)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from evpower.simulator.station.misbehaviour import misbehaviour
from tests.e2e.process import Server
from tests.e2e.street import OPENING, STATION, Phone, charger_at, cost_of


async def test_driver_pays_for_what_was_delivered(server: Server) -> None:
    phone = Phone(server)
    async with charger_at(server, ocpp="2.0.1") as charger:
        await charger.plug()
        started = await phone.start(energy_kwh=20)
        assert (started["success"], started["reserved_amount"]) == (True, 270)
        await charger.deliver(2000)
        await charger.point.stop()
        receipt = await phone.receipt(started["session_id"])
        (first, *_) = charger.point.trace.sent("TransactionEvent")
        (asked,) = charger.point.trace.received("RequestStartTransaction")
    assert first["transactionInfo"]["remoteStartId"] == asked["remoteStartId"]
    paid = cost_of(charger.stopped_wh)
    assert receipt["status"] == "stopped"
    assert Decimal(str(receipt["energy_consumed"])) * 1000 == charger.stopped_wh
    assert Decimal(str(receipt["final_cost"])) == paid
    assert await phone.balance() == OPENING - paid


async def test_the_server_stops_a_charge_at_its_limit(server: Server) -> None:
    phone = Phone(server)
    async with charger_at(server, power_kw=900, ocpp="2.0.1") as charger:
        await charger.plug()
        session_id = (await phone.start(energy_kwh=0.6))["session_id"]
        receipt = await phone.receipt(session_id)
        assert len(charger.point.trace.received("RequestStopTransaction")) == 1
    assert 600 <= charger.stopped_wh < 700
    assert receipt["limit_reached"]
    assert await phone.balance() == OPENING - cost_of(charger.stopped_wh)


async def test_a_charge_that_goes_on_without_a_line_and_through_a_kill_is_billed_once(server: Server) -> None:
    """Events queued, and repeated: none is lost, none counts twice."""
    phone = Phone(server)
    async with charger_at(server, ocpp="2.0.1") as charger:
        await charger.plug()
        session_id = (await phone.start(energy_kwh=20))["session_id"]
        await charger.deliver(500)
        charger.point.go_offline()
        await charger.deliver(1500)
        await charger.point.stop()
        await server.kill()
        await server.start()
        charger.point.come_online()
        receipt = await phone.receipt(session_id)
        assert any(event["offline"] for event in charger.point.trace.sent("TransactionEvent"))
    assert Decimal(str(receipt["final_cost"])) == cost_of(charger.stopped_wh)
    assert await phone.balance() == OPENING - cost_of(charger.stopped_wh)


async def test_duplicates_and_disorder_make_one_bill(server: Server) -> None:
    phone = Phone(server)
    async with charger_at(server, ocpp="2.0.1", misbehaviour=misbehaviour(["duplicate"])) as charger:
        await charger.plug()
        session_id = (await phone.start(energy_kwh=20))["session_id"]
        await charger.deliver(1000)
        await charger.point.stop()
        receipt = await phone.receipt(session_id)
    assert Decimal(str(receipt["final_cost"])) == cost_of(charger.stopped_wh)


async def test_operators_have_one_vocabulary(server: Server) -> None:
    """A key of 1.6 is read of a station of 2.0.1, whose version is shown; what 2.0.1 adds are verbs too, whose reports
    come back whole."""
    async with charger_at(server, ocpp="2.0.1"):
        (station,) = await server.control("GET", "stations")
        assert station["ocpp_version"] == "2.0.1"
        keys = {"keys": ["HeartbeatInterval", "SampledDataCtrlr.TxUpdatedInterval"]}
        await server.control("POST", f"stations/{STATION}/operations/read-configuration", json=keys)
        known = await server.control("GET", f"stations/{STATION}/configuration")
        shown = {}
        for name, arguments in OPERATIONS:
            shown[name] = await server.control("POST", f"stations/{STATION}/operations/{name}", json=arguments)
        (station,) = await server.control("GET", "stations")
    assert {each["key"]: each["value"] for each in known}["MeterValueSampleInterval"] == "1"
    assert [each["id"] for each in shown["display-messages"]["messages"]] == [1, 2, 3]
    assert [each["variable"]["name"] for each in shown["monitors"]["monitors"]] == ["Power"]
    assert shown["customer-information"] == {"status": "Accepted", "data": "nothing is kept"}
    assert len(shown["read-device"]["variables"]) > 10
    assert station["configuration_warnings"] == [], "its inventory names the EVSEs that are configured"


OPERATIONS: list[tuple[str, dict[str, Any]]] = [
    *(("set-display-message", {"message_id": number, "text": f"Текст {number}"}) for number in (1, 2, 3)),
    ("display-messages", {}),
    ("set-monitors", {"monitors": [{"variable": "EVSE.Power", "kind": "Delta", "value": 1, "severity": 8}]}),
    ("monitors", {}),
    ("customer-information", {"id_tag": "TAG"}),
    ("read-device", {}),
]
