"""Figures of the stations' door, and of the network as it is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, Metric

from evpower.ocpp.door.server import StationServer
from evpower.ocpp.watch.traffic import Calls, Refusal, Traffic
from evpower.server.metrics.families import counter, counts, counts_by, gauge, gauges, histograms
from evpower.server.rows.network_figures import CONNECTOR_STATES, NetworkCounts

#: The CALLERROR of a fault of ours: there before the first one, so that an alert on its rise sees that one too.
OURS = "InternalError"


def door_metrics(server: StationServer) -> Iterator[Metric]:
    """What passes at the door of this process."""
    versions = [dialect.version for dialect in server.dialects]
    spoken = server.registry.spoken_now()
    sockets = ((version, spoken[version]) for version in versions)
    yield gauges("evpower_connected_chargers", "Open charger sockets.", "version", sockets)
    yield from _calls({version: server.traffic.calls_in(version) for version in versions})
    yield from _traffic(server.traffic)
    yield counter("evpower_failed_logins", "Refused logins of chargers.", server.failed_logins.total)


def network_metrics(network: NetworkCounts) -> Iterator[Metric]:
    """The whole network, whichever process has a station."""
    yield gauge("evpower_stations_expected", "Active stations.", network.stations_expected)
    yield gauge("evpower_stations_connected", "Those connected to any process.", network.stations_connected)
    states = ((state, network.connectors.get(state, 0)) for state in CONNECTOR_STATES)
    yield gauges("evpower_connectors", "Connectors, as the public sees them.", "status", states)


def _calls(calls: Mapping[str, Calls]) -> Iterator[Metric]:
    """By version of OCPP."""
    action, code = ("version", "action"), ("version", "code")
    answered = {(spoken, what): times for spoken, each in calls.items() for what, times in each.answered.items()}
    received = {key: times.count for key, times in answered.items()}
    yield counts("evpower_ocpp_calls_received", "CALLs of chargers.", action, received)
    meaning = "From a charger's CALL to our answer, commit included."
    yield histograms("evpower_ocpp_answer_seconds", meaning, action, answered)
    sent = {spoken: each.calls_sent for spoken, each in calls.items()}
    yield counts("evpower_ocpp_calls_sent", "CALLs to chargers.", action, _by_version(sent))
    ended = {(spoken, *key): count for spoken, each in calls.items() for key, count in each.commands.items()}
    yield counts("evpower_ocpp_commands", "How CALLs to chargers ended.", (*action, "outcome"), ended)
    errors = {spoken: {OURS: 0, **each.errors_sent} for spoken, each in calls.items()}
    yield counts("evpower_ocpp_errors_sent", "CALLERRORs to chargers.", code, _by_version(errors))
    came = {spoken: each.errors_received for spoken, each in calls.items()}
    yield counts("evpower_ocpp_errors_received", "CALLERRORs of chargers.", code, _by_version(came))


def _by_version(values: Mapping[str, Mapping[str, int]]) -> dict[tuple[str, str], int]:
    return {(spoken, what): count for spoken, each in values.items() for what, count in each.items()}


def _traffic(traffic: Traffic) -> Iterator[Metric]:
    refusals = {str(refusal): traffic.refusals[refusal] for refusal in Refusal}
    yield counts_by("evpower_refused_sockets", "Sockets that became no charger's.", "reason", refusals)
    leniencies = CounterMetricFamily(
        "evpower_leniencies", "What chargers do against the standard and is tolerated.", labels=["station", "kind"]
    )
    for station_id, kinds in sorted(traffic.leniencies.items()):
        for kind, count in sorted(kinds.items()):
            leniencies.add_metric([station_id, kind], count)
    yield leniencies
