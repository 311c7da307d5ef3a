"""What a version of OCPP is to the door and to the registry of live chargers: they know this, and no version.

OCPP 1.6 is the one implementation until 2.0.1 comes beside it (`evpower/ocpp/v16/dialect.py`, later `v201/dialect.py`);
`evpower/ocpp/dialects.py` lists them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from evpower.identifiers import ConnectorId, IdTag, WireTransactionId
from evpower.link.ports import CommandResult
from evpower.ocpp.reading import Flaw
from evpower.ocpp.schemas import Schemas
from evpower.ocpp.watch.masking import SecretSetting
from evpower.ocpp.wire import frames

if TYPE_CHECKING:  # a connection carries its dialect, and a dialect speaks on connections
    from evpower.ocpp.charger import Charger
    from evpower.ocpp.connection import ChargerConnection


class Dialect(Protocol):
    """A version of OCPP."""

    @property
    def subprotocols(self) -> frozenset[str]:
        """Its words in Sec-WebSocket-Protocol, in lower case."""
        ...

    @property
    def known_actions(self) -> frozenset[str]:
        """Every action of the standard, both directions."""
        ...

    @property
    def error_codes(self) -> Mapping[Flaw, str]:
        """Its CALLERROR codes for a message that cannot be read."""
        ...

    @property
    def schemas(self) -> Schemas:
        """What may be asked of a charger, and what it may answer."""
        ...

    @property
    def secrets(self) -> Sequence[SecretSetting]:
        """Settings of a charger whose values are no operator's to read."""
        ...

    async def answer(self, charger: Charger, call: frames.Call) -> bytes:
        """The frame that answers the charger's CALL. Never raises for what a charger or the database does."""
        ...

    async def set_up_metering(self, charger: Charger) -> bool:
        """Have a charger that has booted send the meter values we bill by; False when it does not answer."""
        ...

    async def ask_statuses(self, charger: Charger) -> None:
        """Ask for the statuses that have not come by themselves since its boot."""
        ...

    async def ask_to_boot(self, connection: ChargerConnection) -> None:
        """Have a charger that is Pending boot again."""
        ...

    async def remote_start(
        self, connection: ChargerConnection, connector_id: ConnectorId, id_tag: IdTag
    ) -> CommandResult:
        """Ask for a charge. Accepted is not yet a start (duty 28)."""
        ...

    async def remote_stop(self, connection: ChargerConnection, transaction_id: WireTransactionId) -> CommandResult:
        """Ask for the end of a charge."""
        ...

    def may_be_asked(self, connection: ChargerConnection, action: str, payload: Mapping[str, Any]) -> None:
        """Whether its boot allows this command. Raises ChargerNotReady, or InvalidRequest when it never will."""
        ...


def usual(dialects: Sequence[Dialect]) -> Dialect:
    """The oldest: of chargers that offer no subprotocol."""
    return dialects[-1]


def known_actions(dialects: Collection[Dialect]) -> frozenset[str]:
    """Of every dialect: what may be a label of a metric."""
    return frozenset().union(*(dialect.known_actions for dialect in dialects))
