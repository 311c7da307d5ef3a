"""Which EVSE of a station, and which connector of that, a connector of ours is (OCPP 2.0.1; contract ocpp201 §5)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from evpower.identifiers import ConnectorId

#: The number of an EVSE or connector that nobody configured begins here, so that it is none of ours.
STRANGE = 1_000_000
_MOST = 2**31 - 1


class EvsePlace(NamedTuple):
    """The connector `number` of an EVSE; `connector_type` is what its station calls it, once it has said so."""

    evse_id: int
    number: int = 1
    connector_type: str | None = None


@dataclass(frozen=True)
class Evses:
    """Where the connectors of a station are. Without any place, each is the first one of the EVSE of its own number."""

    places: tuple[tuple[ConnectorId, EvsePlace], ...] = ()

    @cached_property
    def _of_connector(self) -> dict[ConnectorId, EvsePlace]:
        return dict(self.places)

    def place(self, connector_id: ConnectorId) -> EvsePlace:
        """Where a connector is."""
        return self._of_connector.get(connector_id) or EvsePlace(connector_id)

    def on(self, evse_id: int) -> tuple[ConnectorId, ...]:
        """Our connectors on an EVSE, of which one charges at a time."""
        if not self.places or evse_id == 0:
            return (ConnectorId(evse_id),)
        return tuple(each for each, place in self.places if place.evse_id == evse_id) or (_strange(evse_id),)

    def is_shared(self, evse_id: int) -> bool:
        """Whether several of our connectors are on this EVSE."""
        return len(self.on(evse_id)) > 1

    def connector(self, evse_id: int, number: int) -> ConnectorId:
        """Which one of ours a station means; on an EVSE that has one alone, it is that whatever its number."""
        among = self.on(evse_id)
        if len(among) == 1:
            return among[0]
        return next((each for each in among if self.place(each).number == number), _strange(evse_id))


def _strange(evse_id: int) -> ConnectorId:
    return ConnectorId(min(STRANGE + evse_id, _MOST))


#: Of a station whose EVSEs are its connectors.
EACH_ITS_OWN = Evses()
