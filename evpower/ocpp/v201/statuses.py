"""What a connector is doing, in our words: 2.0.1 says `Occupied`, and its transaction says why (G01, E02)."""

from __future__ import annotations

from evpower.identifiers import ConnectorId
from evpower.network.status import StatusReport
from evpower.ocpp.connected_station import ConnectedStation

OCCUPIED = "Occupied"
#: Of a transaction; `Idle` is one whose cable is not plugged in.
OF_A_TRANSACTION = {
    "Charging": "Charging",
    "EVConnected": "Preparing",
    "SuspendedEV": "SuspendedEV",
    "SuspendedEVSE": "SuspendedEVSE",
    "Idle": "Preparing",
}
WITHOUT_TRANSACTION, AFTER_TRANSACTION = "Preparing", "Finishing"
#: A connector of ours that is several of an EVSE is what the first of these is that one of them says.
OF_SEVERAL = (OCCUPIED, "Reserved", "Available", "Unavailable", "Faulted")
NO_ERROR, UNNAMED_ERROR = "NoError", "OtherError"


async def said(station: ConnectedStation, evse_id: int, number: int, word: str) -> tuple[ConnectorId, str]:
    """Which of our connectors that is, and our word for it."""
    station.said[evse_id, number] = word
    connector_id = station.connection.evses.connector(evse_id, number)
    word = _of_connector(station, connector_id) or word
    states = await _states(station)
    if word == OCCUPIED:
        return connector_id, states.get(connector_id, WITHOUT_TRANSACTION)
    states.pop(connector_id, None)
    return connector_id, word


def connector_at(station: ConnectedStation, evse_id: int, number: int | None, *, surely: bool) -> ConnectorId | None:
    """Which of our connectors a message is about that may not name the one of its EVSE: the one that is occupied, or,
    where one must be known, the first."""
    evses = station.connection.evses
    if not evses.places:  # of nearly every station; every reading asks
        return ConnectorId(evse_id)
    among = evses.on(evse_id)
    if len(among) == 1 or number:
        return evses.connector(evse_id, number or 0)
    occupied = [each for each in among if _of_connector(station, each) == OCCUPIED]
    return next(iter(occupied or (among if surely else ())), None)


async def transaction_says(
    station: ConnectedStation, connector_id: ConnectorId, charging_state: str | None, *, ended: bool
) -> None:
    """A transaction's state changes what its connector is doing, as long as that says it is occupied."""
    if charging_state is None and not ended:
        return
    states = await _states(station)
    status = AFTER_TRANSACTION if ended else _of_transaction(charging_state)
    changes = states.get(connector_id, WITHOUT_TRANSACTION) != status
    states[connector_id] = status
    if changes and _of_connector(station, connector_id) == OCCUPIED:
        await station.reports.connector_status(station.station_id, report(connector_id, status))


async def _states(station: ConnectedStation) -> dict[ConnectorId, str]:
    """What the transactions make of their connectors: read once a connection, then kept by what they report."""
    if station.transaction_statuses is None:
        states = await station.reports.charging_states(station.station_id)
        station.transaction_statuses = {each: _of_transaction(state) for each, state in states.items()}
    return station.transaction_statuses


def _of_transaction(charging_state: str | None) -> str:
    return OF_A_TRANSACTION.get(charging_state or "", WITHOUT_TRANSACTION)


def report(connector_id: ConnectorId, status: str) -> StatusReport:
    """2.0.1 names no error here: NotifyEvent does."""
    return StatusReport(connector_id, status, UNNAMED_ERROR if status == "Faulted" else NO_ERROR)


def _of_connector(station: ConnectedStation, connector_id: ConnectorId) -> str | None:
    connector = station.connection.evses.connector
    words = {word for place, word in station.said.items() if connector(*place) == connector_id}
    return next((word for word in OF_SEVERAL if word in words), None)
