"""A connector's meter as OCPP sampled values (OCPP 1.6 §7.28, §7.43)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from evpower.simulator.station.connector import SimulatedConnector
from evpower.simulator.station.settings import StationSettings
from evpower.simulator.wire.ocpp import wire_time

REGISTER = "Energy.Active.Import.Register"


def meter_value(
    connector: SimulatedConnector, at: datetime, measurands: str, context: str, settings: StationSettings
) -> dict[str, Any]:
    """One MeterValue of the wanted measurands (comma separated), taken now and stamped `at`."""
    samples = [
        sample
        for measurand in measurands.split(",")
        if measurand.strip()
        for sample in _sampled(connector, measurand.strip(), context, settings)
    ]
    return {"timestamp": wire_time(at), "sampledValue": samples}


def _sampled(
    connector: SimulatedConnector, measurand: str, context: str, settings: StationSettings
) -> list[dict[str, str]]:
    """A current is of each phase."""
    reading, habits = _reading(connector, measurand, settings), settings.misbehaviour
    if reading is None:
        return []
    value, unit = reading
    if habits.bare_values:
        return [{"value": value}] if measurand == REGISTER else []
    if habits.meter_in_kwh and unit == "Wh":
        value, unit = f"{int(value) / 1000:.3f}", "kWh"
    sample = {"value": value, "context": context, "measurand": measurand, "unit": unit}
    if unit == "A" and settings.phases:
        return [{**sample, "phase": f"L{number}"} for number in range(1, settings.phases + 1)]
    return [sample]


def _reading(connector: SimulatedConnector, measurand: str, settings: StationSettings) -> tuple[str, str] | None:
    told_w = connector.power_w * settings.misbehaviour.power_told
    match measurand:
        case "Energy.Active.Import.Register":
            return str(connector.energy_wh), "Wh"
        case "Power.Active.Import":
            return f"{told_w:.0f}", "W"
        case "Power.Offered":
            return f"{connector.offered_w:.0f}", "W"
        case "Current.Import":
            return f"{settings.amperes(told_w):.1f}", "A"
        case "Current.Offered":
            return f"{settings.amperes(connector.offered_w):.1f}", "A"
        case "Voltage":
            return f"{settings.conductor_v:.0f}", "V"
        case "SoC" if connector.vehicle is not None:
            return f"{connector.vehicle.soc * 100:.0f}", "Percent"
        case "Temperature":
            return "31", "Celsius"
    return None
