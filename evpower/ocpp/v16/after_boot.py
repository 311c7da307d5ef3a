"""What an OCPP 1.6 station is asked once it has booted or reconnected (contract/ocpp-behaviour §2, §4; duty 18)."""

from __future__ import annotations

from evpower.identifiers import ConnectorId
from evpower.link.ports import Outcome
from evpower.ocpp.commands import ask, was_answered
from evpower.ocpp.connected_station import ConnectedStation
from evpower.ocpp.v16.commands import requests

WHOLE_STATION = ConnectorId(0)
MEASURANDS = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC"
#: For stations that refuse a list with anything they do not measure (an AC station knows no SoC).
LEAST_MEASURANDS = "Energy.Active.Import.Register,Power.Active.Import"


async def set_up_metering(station: ConnectedStation) -> bool:
    """False when the station does not answer."""
    connection = station.connection
    interval = str(station.settings.meter_value_sample_interval_s)
    result = await ask(connection, requests.change_configuration("MeterValueSampleInterval", interval))
    if not was_answered(result):
        return False
    result = await ask(connection, requests.change_configuration("MeterValuesSampledData", MEASURANDS))
    if result.outcome is Outcome.REJECTED and result.detail == "Rejected":
        result = await ask(connection, requests.change_configuration("MeterValuesSampledData", LEAST_MEASURANDS))
    return was_answered(result)


async def ask_statuses(station: ConnectedStation) -> None:
    """Ask for the statuses that did not come by themselves; of all connectors when we know none.

    The station's own is connector 0, which TriggerMessage cannot name (§6.51): it comes with those of all.
    """
    silent = [connector_id for connector_id in station.connector_ids if connector_id not in station.heard]
    for connector_id in silent:
        if not was_answered(await ask(station.connection, requests.trigger("StatusNotification", connector_id))):
            return
    if not (station.heard if not station.connector_ids else WHOLE_STATION in station.heard):
        await ask(station.connection, requests.trigger("StatusNotification", None))
