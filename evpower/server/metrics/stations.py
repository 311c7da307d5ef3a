"""Figures of the stations' door, and of the network as it is stored."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, Metric

from evpower.ocpp.door.server import StationServer
from evpower.ocpp.watch.traffic import Refusal, Traffic
from evpower.server.metrics.families import counter, counts, counts_by, gauge, gauges, histogram
from evpower.server.rows.network_figures import CONNECTOR_STATES, NetworkCounts

#: The CALLERROR of a fault of ours: there before the first one, so that an alert on its rise sees that one too.
OURS = "InternalError"


def door_metrics(server: StationServer) -> Iterator[Metric]:
    """What passes at the door of this process."""
    yield gauge("evpower_connected_chargers", "Open charger sockets.", len(server.registry.seen()))
    yield from _traffic(server.traffic)
    yield counter("evpower_failed_logins", "Refused logins of chargers.", server.failed_logins.total)


def network_metrics(network: NetworkCounts) -> Iterator[Metric]:
    """The whole network, whichever process has a station."""
    yield gauge("evpower_stations_expected", "Active stations.", network.stations_expected)
    yield gauge("evpower_stations_connected", "Those connected to any process.", network.stations_connected)
    states = ((state, network.connectors.get(state, 0)) for state in CONNECTOR_STATES)
    yield gauges("evpower_connectors", "Connectors, as the public sees them.", "status", states)


def _traffic(traffic: Traffic) -> Iterator[Metric]:
    received = {action: answered.count for action, answered in traffic.answered.items()}
    yield counts_by("evpower_ocpp_calls_received", "CALLs of chargers.", "action", received)
    meaning = "From a charger's CALL to our answer, commit included."
    yield histogram("evpower_ocpp_answer_seconds", meaning, "action", traffic.answered)
    yield counts_by("evpower_ocpp_calls_sent", "CALLs to chargers.", "action", traffic.calls_sent)
    labels = ("action", "outcome")
    yield counts("evpower_ocpp_commands", "How CALLs to chargers ended.", labels, traffic.commands)
    yield counts_by("evpower_ocpp_errors_sent", "CALLERRORs to chargers.", "code", {OURS: 0, **traffic.errors_sent})
    yield counts_by("evpower_ocpp_errors_received", "CALLERRORs of chargers.", "code", traffic.errors_received)
    refusals = {str(refusal): traffic.refusals[refusal] for refusal in Refusal}
    yield counts_by("evpower_refused_sockets", "Sockets that became no charger's.", "reason", refusals)
    leniencies = CounterMetricFamily(
        "evpower_leniencies", "What chargers do against the standard and is tolerated.", labels=["station", "kind"]
    )
    for station_id, kinds in sorted(traffic.leniencies.items()):
        for kind, count in sorted(kinds.items()):
            leniencies.add_metric([station_id, kind], count)
    yield leniencies
