"""Limits on power that somebody else sets at a station, and what cars ask for by ISO 15118 (K11–K13, K15–K17).

A schedule is kept as it came: what it allows at a moment is `power/at_station/schedules.py`. What cannot be read is
answered and in the trace, and nothing follows from it: the station obeys its limits by itself.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from evpower.ocpp.connected_station import ConnectedStation
from evpower.ocpp.dispatch import Confirmation
from evpower.ocpp.v201 import device_messages, messages
from evpower.ocpp.v201.statuses import connector_at
from evpower.power.at_station.reported import CarNeeds

log = logging.getLogger("OCPP")

T = TypeVar("T")


#: Who limits: an energy manager, somebody else, the grid's operator, the central system itself.
_Source = Literal["EMS", "Other", "SO", "CSO"]
_Evse = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


class _Limit(msgspec.Struct, rename="camel"):
    charging_limit_source: _Source


class _NotifiedLimit(msgspec.Struct, rename="camel"):
    charging_limit: _Limit
    charging_schedule: list[dict[str, Any]] = []
    evse_id: _Evse = 0


class _ClearedLimit(msgspec.Struct, rename="camel"):
    charging_limit_source: _Source
    evse_id: _Evse | None = None


class _Parameters(msgspec.Struct, rename="camel"):
    energy_amount: int | None = None
    ev_energy_capacity: int | None = None
    state_of_charge: int | None = None
    full_so_c: int | None = msgspec.field(default=None, name="fullSoC")


class _Needs(msgspec.Struct, rename="camel"):
    departure_time: datetime | None = None
    ac_charging_parameters: _Parameters | None = None
    dc_charging_parameters: _Parameters | None = None


class _NotifiedNeeds(msgspec.Struct, rename="camel"):
    evse_id: int
    charging_needs: _Needs


async def notify_charging_limit(station: ConnectedStation, _: device_messages.Anything, payload: bytes) -> Confirmation:
    """The station is limited by an energy manager, a grid operator, or somebody else (K11, K12)."""
    notified = _read(payload, _NotifiedLimit)
    if notified is not None:
        schedule = {"chargingSchedule": notified.charging_schedule} if notified.charging_schedule else None
        source = notified.charging_limit.charging_limit_source
        for connector_id in station.connection.evses.on(notified.evse_id):  # 0: the whole station
            await station.reports.limits_of_others.set(station.station_id, connector_id, source, schedule)
    return messages.Done()


async def cleared_charging_limit(
    station: ConnectedStation, _: device_messages.Anything, payload: bytes
) -> Confirmation:
    """That limit is over (K13)."""
    cleared = _read(payload, _ClearedLimit)
    if cleared is not None:
        among = (None,) if cleared.evse_id is None else station.connection.evses.on(cleared.evse_id)
        for connector_id in among:
            await station.reports.limits_of_others.cleared(
                station.station_id, connector_id, cleared.charging_limit_source
            )
    return messages.Done()


async def notify_ev_charging_needs(
    station: ConnectedStation, _: device_messages.Anything, payload: bytes
) -> Confirmation:
    """A car asks for a schedule (K15), or for another one (K17): it gets its grant, where we grant at all."""
    notified = _read(payload, _NotifiedNeeds)
    at = None if notified is None else connector_at(station, notified.evse_id, None, surely=True)
    is_ours = False
    if notified is not None and at is not None:
        needs = _needs_of(notified.charging_needs)
        is_ours = await station.reports.limits_of_others.needed(station.station_id, at, needs)
    status: Literal["Accepted", "Rejected"] = "Accepted" if is_ours else "Rejected"
    return device_messages.NotifyEVChargingNeedsConf(status=status)


async def notify_ev_charging_schedule(
    station: ConnectedStation, _: device_messages.Anything, __: bytes
) -> Confirmation:
    """What the car makes of it; what it draws is measured."""
    del station
    return device_messages.NotifyEVChargingScheduleConf(status="Accepted")


def _needs_of(needs: _Needs) -> CarNeeds:
    """Of a car that names no energy, what is missing until it is full."""
    energy_wh: int | None = None
    for each in (needs.ac_charging_parameters, needs.dc_charging_parameters):
        if each is None:
            continue
        if each.energy_amount is not None:
            energy_wh = each.energy_amount
        elif each.ev_energy_capacity is not None and each.state_of_charge is not None:
            missing = (each.full_so_c or 100) - each.state_of_charge
            energy_wh = max(0, each.ev_energy_capacity * missing // 100)
    departure_at = needs.departure_time
    if departure_at is not None and departure_at.tzinfo is None:
        departure_at = departure_at.replace(tzinfo=UTC)
    return CarNeeds(energy_wh, departure_at)


def _read(payload: bytes, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(payload, type=kind)
    except msgspec.MsgspecError as error:
        log.warning("a report of limits cannot be read: %s", error)
        return None
