"""A connector's meter as OCPP sampled values (OCPP 1.6 §7.28, §7.43)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from evpower.simulator.station.connector import SimulatedConnector
from evpower.simulator.station.misbehaviour import Misbehaviour
from evpower.simulator.wire.ocpp import wire_time

REGISTER = "Energy.Active.Import.Register"


def meter_value(
    connector: SimulatedConnector, at: datetime, measurands: str, context: str, voltage_v: int, habits: Misbehaviour
) -> dict[str, Any]:
    """One MeterValue of the wanted measurands (comma separated), taken now and stamped `at`."""
    samples = [
        _sampled(connector, measurand.strip(), context, voltage_v, habits)
        for measurand in measurands.split(",")
        if measurand.strip()
    ]
    return {"timestamp": wire_time(at), "sampledValue": [sample for sample in samples if sample]}


def _sampled(
    connector: SimulatedConnector, measurand: str, context: str, voltage_v: int, habits: Misbehaviour
) -> dict[str, str] | None:
    reading = _reading(connector, measurand, voltage_v)
    if reading is None:
        return None
    value, unit = reading
    if habits.bare_values:
        return {"value": value} if measurand == REGISTER else None
    if habits.meter_in_kwh and unit == "Wh":
        value, unit = f"{int(value) / 1000:.3f}", "kWh"
    return {"value": value, "context": context, "measurand": measurand, "unit": unit}


def _reading(connector: SimulatedConnector, measurand: str, voltage_v: int) -> tuple[str, str] | None:
    match measurand:
        case "Energy.Active.Import.Register":
            return str(connector.energy_wh), "Wh"
        case "Power.Active.Import":
            return f"{connector.power_w:.0f}", "W"
        case "Power.Offered":
            return f"{connector.offered_w:.0f}", "W"
        case "Current.Import":
            return f"{connector.power_w / voltage_v:.1f}", "A"
        case "Current.Offered":
            return f"{connector.offered_w / voltage_v:.1f}", "A"
        case "Voltage":
            return str(voltage_v), "V"
        case "SoC" if connector.vehicle is not None:
            return f"{connector.vehicle.soc * 100:.0f}", "Percent"
        case "Temperature":
            return "31", "Celsius"
    return None
