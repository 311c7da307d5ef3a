"""What an OCPP 2.0.1 station is asked once it has booted or reconnected (ocpp201 §3, §4; duty 18)."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any

from evpower.identifiers import WireTransactionId
from evpower.link.errors import ChargerOffline, CommandFailure, CommandTimedOut
from evpower.ocpp.commands import ask, request_now, was_answered
from evpower.ocpp.connected_station import ConnectedStation
from evpower.ocpp.dialect import Request, Send
from evpower.ocpp.v201.commands import batches, requests
from evpower.ocpp.v201.commands.settings import Variable
from evpower.stations.device_variable import DeviceVariable

log = logging.getLogger("OCPP")

MEASURANDS = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC"
#: For stations that refuse a list with anything they do not measure (an AC station knows no SoC).
LEAST_MEASURANDS = "Energy.Active.Import.Register,Power.Active.Import"
REGISTER = "Energy.Active.Import.Register"
TX_UPDATED = Variable("SampledDataCtrlr", "TxUpdatedMeasurands")
SHOWS_COST = (Variable("DisplayMessageCtrlr", "Available"), Variable("TariffCostCtrlr", "Enabled", "Cost"))
READ = (
    Variable("TxCtrlr", "TxStartPoint"),
    Variable("TxCtrlr", "TxStopPoint"),
    Variable("OCPPCommCtrlr", "OfflineThreshold"),
    *SHOWS_COST,
)


async def set_up_metering(station: ConnectedStation) -> bool:
    """False when the station does not answer."""
    wanted = {
        Variable("SampledDataCtrlr", "TxUpdatedInterval"): str(station.settings.meter_value_sample_interval_s),
        TX_UPDATED: MEASURANDS,
        Variable("SampledDataCtrlr", "TxStartedMeasurands"): REGISTER,
        Variable("SampledDataCtrlr", "TxEndedMeasurands"): REGISTER,
        Variable("TxCtrlr", "StopTxOnInvalidId"): "true",
    }
    try:
        takes = await batches.limits(Send(partial(request_now, station.connection)), batches.GET, batches.SET)
        refused = [variable async for variable in _refused(station, wanted, takes[batches.SET])]
        if TX_UPDATED in refused:
            least = {TX_UPDATED: LEAST_MEASURANDS}
            refused = [variable async for variable in _refused(station, least, takes[batches.SET])]
        values = await _read(station, takes[batches.GET])
    except (ChargerOffline, CommandTimedOut):
        return False
    station.shows_cost = all(values.get(variable, "").lower() == "true" for variable in SHOWS_COST)
    known = [
        DeviceVariable(each.component, each.variable, value, variable_instance=each.instance or "")
        for each, value in values.items()
    ]
    await station.reports.variables_read(station.station_id, known)
    return True


async def ask_statuses(station: ConnectedStation) -> None:
    """The statuses that did not come by themselves, transactions whose end has not (E14), what it consists of (B07)."""
    silent = [connector_id for connector_id in station.connector_ids if connector_id not in station.heard]
    for connector_id in silent:
        place = station.connection.evses.place(connector_id)
        if not was_answered(await ask(station.connection, requests.trigger("StatusNotification", place))):
            return
    for transaction_id in await station.reports.unended_transactions(station.station_id):
        try:
            answer = await request_now(station.connection, requests.transaction_status(transaction_id))
        except (ChargerOffline, CommandTimedOut):
            return
        except CommandFailure as failure:
            log.info("GetTransactionStatus: station=%s, outcome=%s", station.station_id, failure.code)
            continue
        await _judge(station, transaction_id, answer)
    number = await station.reports.inventory_to_ask(station.station_id)
    if number is not None:
        await ask(station.connection, requests.full_inventory(number))


async def show_costs(station: ConnectedStation) -> None:
    """What each charge that goes on costs by now (I02)."""
    for transaction_id in await station.reports.unended_transactions(station.station_id):
        cost_tyiyn = await station.reports.cost_so_far_tyiyn(station.station_id, transaction_id)
        if cost_tyiyn is None:
            continue
        try:
            await _asked(station, requests.cost_updated(transaction_id, cost_tyiyn))
        except (ChargerOffline, CommandTimedOut):
            return


async def _judge(station: ConnectedStation, transaction_id: WireTransactionId, answer: Mapping[str, Any]) -> None:
    if answer.get("ongoingIndicator") is False and answer.get("messagesInQueue") is False:
        await station.reports.transaction_lost(station.station_id, transaction_id)


async def _refused(
    station: ConnectedStation, wanted: Mapping[Variable, str], takes: batches.Room
) -> AsyncIterator[Variable]:
    for some in takes.batches([{**variable.where(), "attributeValue": value} for variable, value in wanted.items()]):
        answer = await _asked(station, requests.set_variables(some))
        for result in answer.get("setVariableResult", ()):
            if result["attributeStatus"] not in ("Accepted", "RebootRequired"):
                yield _named(result)


async def _read(station: ConnectedStation, takes: batches.Room) -> dict[Variable, str]:
    values: dict[Variable, str] = {}
    for some in takes.batches([variable.where() for variable in READ]):
        answer = await _asked(station, requests.get_variables(some))
        for result in answer.get("getVariableResult", ()):
            if result["attributeStatus"] == "Accepted":
                values[_named(result)] = str(result.get("attributeValue", ""))
    return values


async def _asked(station: ConnectedStation, request: Request) -> dict[str, Any]:
    """The answer; nothing of one that refuses. Raises ChargerOffline and CommandTimedOut."""
    try:
        return await request_now(station.connection, request)
    except (ChargerOffline, CommandTimedOut):
        raise
    except CommandFailure as failure:
        log.info("%s: station=%s, outcome=%s", request.action, station.station_id, failure.code)
        return {}


def _named(result: Mapping[str, Any]) -> Variable:
    component, variable = result["component"], result["variable"]
    return Variable(component["name"], variable["name"], variable.get("instance"), component.get("instance"))
