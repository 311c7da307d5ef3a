"""Wire shapes against the examples and field lists of contract/rest-api §3-5, without a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from evpower.charging.prediction import Prediction
from evpower.charging.session import StoppedSession
from evpower.http.phones import shapes
from evpower.http.phones.station_shape import station_body
from evpower.http.wire import values
from evpower.http.wire.problems import envelope
from evpower.identifiers import ClientId, ConnectorId
from evpower.network.listing import ListedConnector
from evpower.network.station_view import StationView
from tests.http.fakes import (
    BALANCE,
    NOON,
    OWNER,
    PRICE,
    RESERVED,
    RUNNING,
    RUNNING_HERE,
    SETTLED,
    STARTED,
    STATION_VIEW,
)

BUSY = ListedConnector(ConnectorId(1), "GBT", 22.0, "occupied", "Charging", busy=True)
NULLABLE_STATUS = {"stop_time", "last_update", "transaction_id", "ocpp_transaction_id", "ocpp_status"}


def assert_has(body: dict[str, Any], expected: dict[str, Any]) -> None:
    """Every expected key is there with its value; others may be too."""
    assert {key: body.get(key, "absent") for key in expected} == expected


def test_an_energy_start_has_the_contract_example() -> None:
    assert_has(
        shapes.started_body(STARTED),
        {
            "success": True,
            "message": "Зарядка запущена, средства зарезервированы",
            "session_id": "0b6e",
            "station_id": "EVP-001-01",
            "client_id": "6f1c",
            "connector_id": 1,
            "reserved_amount": 270,
            "limit_type": "energy",
            "limit_value": 20,
            "rate_per_kwh": 13.5,
            "session_fee": 0,
            "estimated_cost": 270,
            "current_balance": 230,
            "new_balance": 230,
            "energy_kwh": 20,
            "station_online": True,
            "currency": "KGS",
        },
    )


def test_an_energy_start_has_no_estimated_energy() -> None:
    assert "estimated_energy" not in shapes.started_body(STARTED)


def test_an_amount_start_has_the_contract_example() -> None:
    session = replace(
        RESERVED, reserved_tyiyn=10000, limit_type="amount", limit_value=10000, client_balance_tyiyn=40000
    )
    body = shapes.started_body(replace(STARTED, session=session, energy_wh=None, estimated_energy_kwh=Decimal("7.4")))
    assert_has(body, {"limit_type": "amount", "limit_value": 100, "estimated_energy": 7.4, "new_balance": 400})
    assert "energy_kwh" not in body


def test_an_unlimited_start_leaves_the_limit_out() -> None:
    session = replace(RESERVED, limit_type="none", limit_value=None)
    body = shapes.started_body(replace(STARTED, session=session, estimated_energy_kwh=Decimal("14.8")))
    assert body["limit_type"] == "none"
    assert "limit_value" not in body


def test_a_start_while_the_charger_is_away_says_so() -> None:
    body = shapes.started_body(replace(STARTED, station_online=False))
    assert body["station_online"] is False
    assert body["message"].endswith("Зарядка начнется при подключении станции.")


def test_pricing_leaves_out_what_it_does_not_know() -> None:
    body = shapes.pricing(replace(PRICE, next_rate_change=NOON))
    assert body == {
        "rate_per_kwh": 13.5,
        "rate_per_minute": 0,
        "session_fee": 0,
        "parking_fee_per_minute": 0,
        "currency": "KGS",
        "active_rule": "station",
        "rule_details": {"name": "base", "rate": 13.5},
        "time_based": False,
        "next_rate_change": "2025-09-30T12:00:00.000000Z",
    }


def test_a_running_session_has_the_flat_contract_example() -> None:
    assert_has(
        shapes.status_body(RUNNING),
        {
            "success": True,
            "session_id": "0b6e",
            "status": "started",
            "station_id": "EVP-001-01",
            "connector_id": 1,
            "start_time": "2025-09-30T12:00:00.000000Z",
            "stop_time": None,
            "reserved_amount": 270,
            "current_cost": 135,
            "energy_consumed": 10,
            "rate_per_kwh": 13.5,
            "session_fee": 0,
            "limit_type": "energy",
            "limit_value": 20,
            "limit_percentage": 50,
            "limit_reached": False,
            "duration_minutes": 25,
            "message": "Зарядка активна",
            "charging_power": 21.5,
            "station_current": 32.5,
            "station_voltage": 398.0,
            "ev_battery_soc": 61.0,
            "temperatures": {"station_body": 41.0},
            "has_meter_data": True,
            "last_update": "2025-09-30T12:00:00.000000Z",
        },
    )


def test_a_running_session_has_the_nested_contract_example() -> None:
    assert_has(
        shapes.status_body(RUNNING)["session"],
        {
            "id": "0b6e",
            "session_id": "0b6e",
            "status": "started",
            "station_id": "EVP-001-01",
            "connector_id": 1,
            "start_time": "2025-09-30T12:00:00.000000Z",
            "stop_time": None,
            "energy_consumed": 10,
            "energy_kwh": 10,
            "current_cost": 135,
            "reserved_amount": 270,
            "limit_type": "energy",
            "limit_value": 20,
            "limit_reached": False,
            "limit_percentage": 50,
            "rate_per_kwh": 13.5,
            "session_fee": 0,
            "ocpp_transaction_id": 123,
            "meter_start": 0,
            "meter_current": 10000,
            "charging_duration_minutes": 25,
            "duration_minutes": 25,
            "station_online": True,
        },
    )


def test_the_transaction_id_is_text_above_and_a_number_in_the_nested_session() -> None:
    body = shapes.status_body(RUNNING)
    assert (body["ocpp_transaction_id"], body["session"]["ocpp_transaction_id"]) == ("123", 123)


@pytest.mark.parametrize("wire_id", ["7c9e-uuid", "٣", "9" * 5_000])
def test_a_transaction_id_that_is_no_number_is_null_in_the_nested_session(wire_id: str) -> None:
    body = shapes.status_body(replace(RUNNING, wire_transaction_id=wire_id))
    assert (body["ocpp_transaction_id"], body["session"]["ocpp_transaction_id"]) == (wire_id, None)


@pytest.mark.parametrize("alias", ["energy_consumed_kwh", "current_energy"])
def test_energy_has_its_aliases(alias: str) -> None:
    assert shapes.status_body(RUNNING)[alias] == 10


@pytest.mark.parametrize("alias", ["cost", "current_amount", "final_amount_som", "amount_charged_som"])
def test_cost_has_its_aliases(alias: str) -> None:
    assert shapes.status_body(RUNNING)[alias] == 135


def test_a_session_before_start_transaction_has_only_the_nulls_the_app_allows() -> None:
    body = shapes.status_body(RESERVED)
    assert {key for key, value in body.items() if value is None} == NULLABLE_STATUS
    assert {key for key, value in body["session"].items() if value is None} == {"stop_time", "ocpp_transaction_id"}
    assert not {"meter_start", "meter_current", "charging_power", "temperatures"} & body.keys()


@pytest.mark.parametrize("field", ["final_cost", "refunded_amount", "additional_charge", "debt_amount"])
def test_final_figures_are_absent_while_the_session_runs(field: str) -> None:
    body = shapes.status_body(RUNNING)
    assert field not in body
    assert field not in body["session"]


def test_a_settled_session_has_its_final_figures_in_both_forms() -> None:
    body = shapes.status_body(SETTLED)
    final = {"final_cost": 202.5, "current_cost": 202.5, "refunded_amount": 67.5, "energy_consumed": 15}
    assert_has(body, final | {"status": "stopped", "message": "Зарядка завершена", "additional_charge": 0})
    assert_has(body["session"], final)


def test_a_failed_session_says_error() -> None:
    body = shapes.status_body(replace(SETTLED, status="error"))
    assert (body["status"], body["message"]) == ("error", "Ошибка зарядки")


def test_a_stop_has_the_contract_example() -> None:
    assert shapes.stopped_body(StoppedSession(SETTLED, already_stopped=False)) == {
        "success": True,
        "message": "Зарядка завершена. Потреблено 15 кВт⋅ч",
        "session_id": "0b6e",
        "station_id": "EVP-001-01",
        "client_id": "6f1c",
        "connector_id": 1,
        "start_time": "2025-09-30T12:00:00.000000Z",
        "stop_time": "2025-09-30T12:40:00.000000Z",
        "duration_minutes": 40,
        "energy_consumed": 15,
        "rate_per_kwh": 13.5,
        "session_fee": 0,
        "reserved_amount": 270,
        "final_cost": 202.5,
        "actual_cost": 202.5,
        "refunded_amount": 67.5,
        "refund_amount": 67.5,
        "additional_charge": 0,
        "debt_amount": 0,
        "new_balance": 297.5,
        "current_balance": 297.5,
        "status": "stopped",
        "station_online": True,
    }


def test_an_end_says_its_cause_and_the_chargers_own_reason() -> None:
    """Field ruling 4.5."""
    by_charger = replace(SETTLED, end_cause="charger", stop_reason="EVDisconnected")
    by_limit = replace(SETTLED, end_cause="limit", stop_reason="Remote")
    said = [
        (body.get("stop_reason"), body.get("ocpp_stop_reason"))
        for body in map(shapes.status_body, (by_charger, by_limit))
    ]
    assert said == [("charger", "EVDisconnected"), ("limit", None)]


@pytest.mark.parametrize(("corrected", "said"), [(False, True), (True, None)])
def test_a_stop_says_that_its_bill_is_an_estimate_until_it_is_corrected(corrected: bool, said: bool | None) -> None:
    """Field ruling 4.5."""
    session = replace(SETTLED, estimated=True, corrected=corrected)
    assert shapes.stopped_body(StoppedSession(session, already_stopped=False)).get("estimated") is said


def test_a_repeated_stop_says_already_stopped() -> None:
    assert shapes.stopped_body(StoppedSession(SETTLED, already_stopped=True))["already_stopped"] is True


def test_the_stop_message_prints_energy_without_useless_zeros() -> None:
    stopped = StoppedSession(replace(SETTLED, energy_wh=12340), already_stopped=False)
    assert shapes.stopped_body(stopped)["message"] == "Зарядка завершена. Потреблено 12.34 кВт⋅ч"


def test_a_balance_has_the_contract_example() -> None:
    assert shapes.balance_body(BALANCE) == {
        "success": True,
        "client_id": "6f1c",
        "balance": 230,
        "current_balance": 230,
        "available_balance": 230,
        "reserved_amount": 270,
        "total_balance": 500,
        "debt_amount": 0,
        "currency": "KGS",
        "last_topup_at": "2025-09-30T12:00:00.000000Z",
        "total_spent": 270,
        "status": "active",
        "active_sessions": ["0b6e"],
    }


def test_a_station_has_the_contract_example() -> None:
    assert station_body(STATION_VIEW) == {
        "success": True,
        "station_id": "EVP-001-01",
        "is_online": True,
        "online": True,
        "last_heartbeat": "2025-09-30T12:00:00.000000Z",
        "last_heartbeat_at": "2025-09-30T12:00:00.000000Z",
        "connectors": [
            {
                "connector_id": 1,
                "id": 1,
                "status": "Available",
                "available": True,
                "connector_type": "GBT",
                "type": "GBT",
                "power_kw": 22.0,
                "error_code": None,
                "error": None,
                "reliability": "good",
            }
        ],
        "current_sessions": [],
        "firmware_version": "1.2.3",
        "serial_number": "EVPCS-001",
        "model": "ChargePoint Express 250",
        "manufacturer": "ChargePoint",
        "status": "available",
        "station_status": "available",
        "admin_status": "active",
        "location_status": "available",
        "available_for_charging": True,
        "location_id": "EVP-LOC-001",
        "location_name": "ТЦ Дордой Плаза",
        "location_address": "ул. Московская, 123",
        "total_connectors": 2,
        "available_connectors": 1,
        "occupied_connectors": 0,
        "faulted_connectors": 0,
        "tariff_rub_kwh": 13.5,
        "session_fee": 0,
        "currency": "KGS",
        "working_hours": "Круглосуточно",
        "message": "Станция работает",
        "reliability": "good",
    }


def test_a_station_is_doubtful_when_every_connector_is() -> None:
    doubtful = replace(STATION_VIEW.station.connectors[0], doubtful=True)
    good = replace(doubtful, connector_id=ConnectorId(2), doubtful=False)
    both = station_body(at(STATION_VIEW, connectors=(doubtful, good)))
    assert [each["reliability"] for each in both["connectors"]] == ["doubtful", "good"]
    assert both["reliability"] == "good"
    assert station_body(at(STATION_VIEW, connectors=(doubtful,)))["reliability"] == "doubtful"


def at(view: StationView, **changes: Any) -> StationView:
    """The view with changes to its station."""
    return replace(view, station=replace(view.station, **changes))


def test_a_faulted_connector_shows_its_error_code_and_omits_an_unknown_power() -> None:
    faulted = ListedConnector(ConnectorId(1), "GBT", None, "faulted", "Faulted", busy=False)
    codes = {ConnectorId(1): "GroundFailure"}
    body = station_body(replace(at(STATION_VIEW, connectors=(faulted,)), error_codes=codes))
    connector = body["connectors"][0]
    assert (connector["error_code"], connector["error"]) == ("GroundFailure", "GroundFailure")
    assert "power_kw" not in connector
    assert (connector["available"], body["faulted_connectors"], body["available_for_charging"]) == (False, 1, False)


def test_a_running_session_is_shown_without_its_client_and_its_id_to_that_client_alone() -> None:
    view = replace(STATION_VIEW, running=(RUNNING_HERE,))
    shown = {
        "connector_id": 1,
        "start_time": "2025-09-30T12:00:00.000000Z",
        "energy_consumed": 10,
        "limit_type": "energy",
    }
    assert station_body(view)["current_sessions"] == [shown]
    assert station_body(view, ClientId("other"))["current_sessions"] == [shown]
    assert station_body(view, OWNER)["current_sessions"] == [shown | {"session_id": "0b6e"}]


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        ({}, "available", "Станция работает"),
        ({"connectors": (BUSY,)}, "occupied", "Станция работает"),
        ({"admin_status": "maintenance"}, "maintenance", "Станция на обслуживании"),
        ({"online": False}, "offline", "Станция недоступна"),
        ({"connectors": ()}, "offline", "Станция недоступна"),
    ],
)
def test_the_station_message_follows_its_public_status(changes: dict[str, Any], status: str, message: str) -> None:
    body = station_body(at(STATION_VIEW, **changes))
    assert (body["status"], body["station_status"], body["message"]) == (status, status, message)


def test_a_station_never_heard_of_has_a_null_heartbeat() -> None:
    body = station_body(replace(at(STATION_VIEW, online=False, last_seen_at=None), firmware_version=None))
    assert {key for key, value in body.items() if value is None} == {
        "last_heartbeat",
        "last_heartbeat_at",
        "firmware_version",
    }
    assert body["available_for_charging"] is False


@pytest.mark.parametrize(
    ("connected", "changes"), [(False, {}), (True, {"online": False}), (True, {"admin_status": "maintenance"})]
)
def test_nobody_can_charge_where_no_start_would_be_taken(connected: bool, changes: dict[str, Any]) -> None:
    body = station_body(replace(at(STATION_VIEW, **changes), connected=connected))
    assert (body["is_online"], body["online"]) == (connected and "online" not in changes,) * 2
    assert body["available_for_charging"] is False


def test_times_are_utc_with_z_whatever_their_zone() -> None:
    at_bishkek = datetime(2025, 9, 30, 18, 34, 56, 789000, tzinfo=timezone(timedelta(hours=6)))
    assert values.instant(at_bishkek) == "2025-09-30T12:34:56.789000Z"


@pytest.mark.parametrize(
    ("energy_wh", "text"), [(15000, b"15"), (15100, b"15.1"), (1, b"0.001"), (20007, b"20.007"), (0, b"0")]
)
def test_energy_is_written_without_binary_noise(energy_wh: int, text: bytes) -> None:
    assert msgspec.json.encode(values.kwh(energy_wh)) == text


def test_details_of_any_kind_become_json() -> None:
    details = {"at": datetime(2025, 1, 1, tzinfo=UTC), "rate": Decimal("13.50"), "list": [Decimal(1), {"a": None}]}
    assert values.jsonable(details) == {
        "at": "2025-01-01T00:00:00.000000Z",
        "rate": 13.5,
        "list": [1, {"a": None}],
    }


def nulls_of(body: object, at: str = "") -> set[str]:
    """Where a body has null, as paths."""
    if isinstance(body, dict):
        return set().union(*(nulls_of(part, f"{at}.{key}" if at else key) for key, part in body.items()))
    if isinstance(body, list):
        return set().union(*(nulls_of(part, f"{at}[]") for part in body))
    return {at} if body is None else set()


NEVER_SEEN = replace(STATION_VIEW, station=replace(STATION_VIEW.station, last_seen_at=None), firmware_version=None)


@pytest.mark.parametrize(
    ("body", "nullable"),
    [
        (shapes.started_body(STARTED), set()),
        (shapes.status_body(RESERVED), NULLABLE_STATUS | {"session.stop_time", "session.ocpp_transaction_id"}),
        (shapes.stopped_body(StoppedSession(SETTLED, already_stopped=False)), set()),
        (shapes.balance_body(replace(BALANCE, last_topup_at=None)), {"last_topup_at"}),
        (
            station_body(NEVER_SEEN),
            {
                "last_heartbeat",
                "last_heartbeat_at",
                "firmware_version",
                "connectors[].error",
                "connectors[].error_code",
            },
        ),
        (envelope("code", "message", last_heartbeat=None, invoice_id=None), set()),
    ],
)
def test_null_is_only_where_the_apps_schemas_take_it(body: dict[str, Any], nullable: set[str]) -> None:
    """Field ruling 6.5: `error` and `message` are no place for it, anywhere."""
    assert nulls_of(body) <= nullable
    assert not {"error", "message"} & {path.rpartition(".")[2] for path in nulls_of(body) if "connectors" not in path}


def test_what_is_in_sight_of_the_limit_stands_in_both_forms_and_what_is_not_known_in_none() -> None:
    """Roadmap/history-favorites-push §4."""
    names = {"estimated_minutes_left", "projected_cost", "overshoot_wh", "signed_meter"}
    assert not names & {*shapes.status_body(RUNNING), *shapes.status_body(RUNNING)["session"]}
    body = shapes.status_body(replace(RUNNING, prediction=Prediction(10, 270_00), overshoot_wh=0, signed_meter=True))
    for form in (body, body["session"]):
        assert {name: form[name] for name in names} == {
            "estimated_minutes_left": 10,
            "projected_cost": 270,
            "overshoot_wh": 0,
            "signed_meter": True,
        }
