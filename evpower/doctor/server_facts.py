"""What a running server says of itself; an older one knows less."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evpower.doctor.network import NetworkFacts, PhoneLost
from evpower.doctor.outside import SeenFacts


@dataclass(frozen=True)
class ServerFacts:
    """Everything only the running process knows, and what of the rows it has looked at."""

    network: NetworkFacts
    #: Requests of phones and people, and handshakes of chargers.
    seen: SeenFacts | None = None
    chargers: SeenFacts | None = None
    #: The most files it may have open; None: not said, or no limit.
    file_limit: int | None = None
    clock_jumped_s: float | None = None
    #: By provider: since when and how it fails.
    failing: Mapping[str, str] = field(default_factory=dict)


def read_server_facts(found: Mapping[str, Any]) -> ServerFacts:
    """From the answer of `/control/doctor`."""
    requests, handshakes = found.get("requests"), found.get("handshakes")
    return ServerFacts(
        network=NetworkFacts(
            tuple(found.get("stations_without_credentials", ())),
            tuple(found.get("cards_that_are_phones", ())),
            tuple(
                PhoneLost(each["client_id"], each["phone"], each["reason"], each["kept_by"])
                for each in found.get("displaced_phones", ())
            ),
        ),
        seen=None if requests is None else SeenFacts(**requests),
        chargers=None if handshakes is None else SeenFacts(**handshakes),
        file_limit=found.get("file_limit"),
        clock_jumped_s=found.get("clock_jumped_s"),
        failing=dict(found.get("failing_providers", {})),
    )
