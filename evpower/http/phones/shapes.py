"""Views → the bodies of contract/rest-api §3-5, field by field; pure, so that each is tested without a server.

The app validates answers strictly: an unknown value leaves its key out, except where §1.3 allows null. Several sources
name the same fact differently; the contract asks for all the names ("superset"), and they stand side by side here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evpower.billing.account import BalanceView
from evpower.billing.rates import ScheduledRate
from evpower.billing.tariff import Price
from evpower.charging.session import SessionView, StartedSession, StoppedSession
from evpower.digits import INT64_MAX, whole_number
from evpower.http.wire.values import Body, instant, instant_or_null, jsonable, known, kwh, number
from evpower.money import CURRENCY, som_number

SESSION_MESSAGES = {"started": "Зарядка активна", "stopped": "Зарядка завершена", "error": "Ошибка зарядки"}
#: What a stop's answer says of the client.
ACCOUNT_FIELDS = frozenset({"client_id", "new_balance", "current_balance"})
STARTED_MESSAGE = "Зарядка запущена, средства зарезервированы"
STARTED_OFFLINE_MESSAGE = (
    "Сессия создана, средства зарезервированы. Зарядка начнется при подключении станции."  # contract §4.1
)


def limit_value(session: SessionView) -> int | float | None:
    """kWh for an energy limit, som for an amount limit, None without a limit."""
    if session.limit_value is None:
        return None
    return kwh(session.limit_value) if session.limit_type == "energy" else som_number(session.limit_value)


def started_body(started: StartedSession) -> Body:
    """`POST /charging/start` that was accepted (§4.1)."""
    session, estimate = started.session, started.estimated_energy_kwh
    balance = som_number(session.client_balance_tyiyn)
    return known(
        {
            "success": True,
            "message": STARTED_MESSAGE if started.station_online else STARTED_OFFLINE_MESSAGE,
            "session_id": session.session_id,
            "station_id": session.station_id,
            "client_id": session.client_id,
            "connector_id": session.connector_id,
            "reserved_amount": som_number(session.reserved_tyiyn),
            "limit_type": session.limit_type,
            "limit_value": limit_value(session),
            "rate_per_kwh": number(session.rate_per_kwh),
            "session_fee": som_number(session.session_fee_tyiyn),
            "estimated_energy": None if estimate is None else number(estimate),
            "estimated_cost": som_number(session.reserved_tyiyn),
            "energy_kwh": None if started.energy_wh is None else kwh(started.energy_wh),
            "current_balance": balance,
            "new_balance": balance,
            "currency": CURRENCY,
            "station_online": started.station_online,
            "pricing": pricing(started.price),
            "rate_schedule": rate_schedule(session.rate_schedule),
        }
    )


def rate_schedule(schedule: Sequence[ScheduledRate]) -> list[Body] | None:
    """The rates of a charge whose price moves, each from its moment on; None for one that keeps its price."""
    return [{"from": instant(at), "rate_per_kwh": number(per_kwh)} for at, per_kwh in schedule] or None


def pricing(price: Price) -> Body:
    """The tariff a start uses."""
    return known(
        {
            "rate_per_kwh": number(price.rate_per_kwh),
            "rate_per_minute": number(price.rate_per_minute),
            "session_fee": number(price.session_fee),
            "parking_fee_per_minute": number(price.parking_fee_per_minute),
            "currency": CURRENCY,
            "active_rule": price.active_rule,
            "rule_details": jsonable(price.rule_details),
            "time_based": price.time_based,
            "next_rate_change": instant_or_null(price.next_rate_change),
            "tariff_plan_id": price.tariff_plan_id,
            "rule_id": price.rule_id,
        }
    )


def progress_body(session: SessionView) -> Body:
    """`GET /charging/status/{id}` for who has no token of the owner where one is required (safe by default 5)."""
    energy = kwh(session.energy_wh)
    progress = {"session_id": session.session_id, "status": session.status, "energy_consumed": energy}
    return {
        "success": True,
        **progress,
        **dict.fromkeys(("energy_consumed_kwh", "current_energy"), energy),
        **known({"charging_power": _power_kw(session)}),
        "message": SESSION_MESSAGES[session.status],
        "session": {"id": session.session_id, **progress, "energy_kwh": energy},
    }


def status_body(session: SessionView, *, named: bool = True) -> Body:
    """`GET /charging/status/{id}`: the flat form and, for the app, the nested one (§4.2); `named`: with its client."""
    facts = session_facts(session)
    wire_id = session.wire_transaction_id
    aliases = {
        "energy_consumed_kwh": facts["energy_consumed"],
        "current_energy": facts["energy_consumed"],
        "progress_percent": facts["limit_percentage"],
        **dict.fromkeys(("cost", "current_amount", "final_amount_som", "amount_charged_som"), facts["current_cost"]),
    }
    return {
        "success": True,
        "session_id": session.session_id,
        **({"client_id": session.client_id} if named else {}),
        **facts,
        **aliases,
        **readings(session),
        "ocpp_transaction_id": wire_id,
        "transaction_id": wire_id,
        "ocpp_status": session.ocpp_status,
        "has_meter_data": session.meter_current_wh is not None,
        "last_update": instant_or_null(session.last_sample_at),
        "message": SESSION_MESSAGES[session.status],
        "session": {
            "id": session.session_id,
            "session_id": session.session_id,
            **facts,
            "energy_kwh": facts["energy_consumed"],
            "charging_duration_minutes": session.duration_minutes,
            # A number here and a string above: the app's two schemas disagree.
            "ocpp_transaction_id": None if wire_id is None else whole_number(wire_id, INT64_MAX),
        },
    }


def session_facts(session: SessionView) -> Body:
    """What the flat and the nested form of a session share."""
    body: Body = {
        "status": session.status,
        "station_id": session.station_id,
        "connector_id": session.connector_id,
        "start_time": instant(session.start_time),
        "stop_time": instant_or_null(session.stop_time),
        "reserved_amount": som_number(session.reserved_tyiyn),
        "energy_consumed": kwh(session.energy_wh),
        "current_cost": som_number(session.cost_tyiyn),
        "rate_per_kwh": number(session.rate_per_kwh),
        "session_fee": som_number(session.session_fee_tyiyn),
        "limit_type": session.limit_type,
        "limit_percentage": number(session.limit_percentage),
        "limit_reached": session.limit_reached,
        "duration_minutes": session.duration_minutes,
        "station_online": session.station_online,
        "doubtful": session.doubtful,
    }
    body |= known(
        {
            "limit_value": limit_value(session),
            "meter_start": session.meter_start_wh,
            "meter_current": session.meter_current_wh,
            "overshoot_wh": session.overshoot_wh,
            "signed_meter": True if session.signed_meter else None,
            "suspended_by_site_minutes": session.suspended_by_site_minutes or None,
            "rate_schedule": rate_schedule(session.rate_schedule),
        }
    )
    if session.prediction is not None:
        body["estimated_minutes_left"] = session.prediction.minutes_left
        body["projected_cost"] = som_number(session.prediction.cost_tyiyn)
    return body if session.status == "started" else body | final_figures(session)


def final_figures(session: SessionView) -> Body:
    """What a charge came to and why it ended; only once it is over. An estimate is one until it is corrected."""
    return known(
        {
            "final_cost": som_number(session.cost_tyiyn),
            "refunded_amount": som_number(session.refunded_tyiyn),
            "additional_charge": som_number(session.additional_tyiyn),
            "debt_amount": som_number(session.debt_tyiyn),
            "estimated": True if session.estimated and not session.corrected else None,
            "stop_reason": session.end_cause,
            "ocpp_stop_reason": session.stop_reason if session.end_cause == "charger" else None,
        }
    )


def readings(session: SessionView) -> Body:
    """The station's latest samples, as far as it sends them."""
    temperature = session.temperature_c
    return known(
        {
            "charging_power": _power_kw(session),
            "station_current": session.current_a,
            "station_voltage": session.voltage_v,
            "ev_battery_soc": session.soc_percent,
            "temperatures": None if temperature is None else {"station_body": temperature},
        }
    )


def _power_kw(session: SessionView) -> int | float | None:
    return None if session.power_w is None else number(round(session.power_w / 1000, 3))


def stopped_body(stopped: StoppedSession) -> Body:
    """`POST /charging/stop` (§4.3); a repeated stop has the same figures and `already_stopped`."""
    session = stopped.session
    final, balance, energy = final_figures(session), som_number(session.client_balance_tyiyn), kwh(session.energy_wh)
    body = {
        "success": True,
        "message": f"Зарядка завершена. Потреблено {energy} кВт⋅ч",
        "session_id": session.session_id,
        "station_id": session.station_id,
        "client_id": session.client_id,
        "connector_id": session.connector_id,
        "start_time": instant(session.start_time),
        "stop_time": instant_or_null(session.stop_time),
        "duration_minutes": session.duration_minutes,
        "energy_consumed": energy,
        "rate_per_kwh": number(session.rate_per_kwh),
        "session_fee": som_number(session.session_fee_tyiyn),
        "reserved_amount": som_number(session.reserved_tyiyn),
        **final,
        "actual_cost": final["final_cost"],
        "refund_amount": final["refunded_amount"],
        "new_balance": balance,
        "current_balance": balance,
        "status": session.status,
        "station_online": session.station_online,
        "already_stopped": True if stopped.already_stopped else None,
    }
    return known(body)


def without_account(body: Mapping[str, Any]) -> Body:
    """A stop's answer for who did not say whose charge it is: nothing of the client (safe by default 5)."""
    return {key: value for key, value in body.items() if key not in ACCOUNT_FIELDS}


def balance_body(account: BalanceView) -> Body:
    """`GET /balance/{client_id}` (§5.1); `balance` is free money, reserves already taken out."""
    free = som_number(account.balance_tyiyn)
    return {
        "success": True,
        "client_id": account.client_id,
        "balance": free,
        "current_balance": free,
        "available_balance": free,
        "reserved_amount": som_number(account.reserved_tyiyn),
        "total_balance": som_number(account.balance_tyiyn + account.reserved_tyiyn),
        "debt_amount": som_number(account.debt_tyiyn),
        "currency": CURRENCY,
        "last_topup_at": instant_or_null(account.last_topup_at),
        "total_spent": som_number(account.total_spent_tyiyn),
        "status": account.status,
        "active_sessions": list(account.active_session_ids),
    }
