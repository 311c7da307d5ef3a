"""What a version of OCPP is to the door and to the registry of live stations: they know this, and no version.

`evpower/ocpp/v16/dialect.py` and `v201/dialect.py` implement it; `evpower/ocpp/dialects.py` lists them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from evpower.attempts.service import OrderedStart
from evpower.charging.transaction import ParkedStop
from evpower.history.evidence import SignedValue
from evpower.identifiers import ConnectorId, IdTag, WireTransactionId
from evpower.link.commands import A, ChargingProfile, Command, LimitDraw
from evpower.link.ports import CommandResult
from evpower.network.spots.evses import EACH_ITS_OWN, Evses
from evpower.ocpp.reading import Flaw
from evpower.ocpp.schemas import Schemas
from evpower.ocpp.watch.masking import SecretMessage, SecretSetting
from evpower.ocpp.wire import frames

if TYPE_CHECKING:  # a connection carries its dialect, and a dialect speaks on connections
    from evpower.ocpp.connected_station import ConnectedStation
    from evpower.ocpp.connection import StationConnection


class Request(NamedTuple):
    """What is asked of a station, on the wire: OCPP's action, and its payload as a JSON object."""

    action: str
    payload: Mapping[str, Any]
    #: The action of the station's messages that bring, after its answer, the report it was asked for.
    report: str | None = None


@dataclass(frozen=True)
class Send:
    """Sends requests to one station, whose connectors are at `evses`."""

    request: Callable[[Request], Awaitable[dict[str, Any]]]
    evses: Evses = EACH_ITS_OWN

    async def __call__(self, request: Request) -> dict[str, Any]:
        """The answer's payload, checked by its schema; of a request for a report that was accepted with its `parts`,
        the payloads of the messages that bring it. Raises CommandFailure."""
        return await self.request(request)


class Dialect(Protocol):
    """A version of OCPP."""

    @property
    def version(self) -> str:
        """Its number, as operators are shown it."""
        ...

    @property
    def subprotocols(self) -> frozenset[str]:
        """Its names in Sec-WebSocket-Protocol, in lower case."""
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
    def unknown_type_code(self) -> str | None:
        """Its CALLERROR code for a message of a type it does not know; None: such a message is ignored."""
        ...

    @property
    def malformed_code(self) -> str:
        """Its CALLERROR code for a CALL that is none by its frame."""
        ...

    @property
    def unreadable_id(self) -> str | None:
        """The message id of the CALLERROR for a message whose own cannot be read; None: such a message is ignored."""
        ...

    @property
    def schemas(self) -> Schemas:
        """What may be asked of a station, and what it may answer."""
        ...

    @property
    def secrets(self) -> Sequence[SecretSetting]:
        """Settings of a station whose values are no operator's to read."""
        ...

    @property
    def secret_messages(self) -> Sequence[SecretMessage]:
        """Messages with fields that are no operator's to read in a trace."""
        ...

    async def answer(self, station: ConnectedStation, call: frames.Call) -> bytes:
        """The frame that answers the station's CALL. Never raises for what a station or the database does."""
        ...

    async def set_up_metering(self, station: ConnectedStation) -> bool:
        """Have a station that has booted send the meter values we bill by; False when it does not answer."""
        ...

    async def ask_statuses(self, station: ConnectedStation) -> None:
        """Ask for the statuses that have not come by themselves since its boot."""
        ...

    async def show_costs(self, station: ConnectedStation) -> None:
        """Send a station that shows costs what its charges cost by now."""
        ...

    async def ask_to_boot(self, connection: StationConnection) -> None:
        """Have a station that is Pending boot again."""
        ...

    async def remote_start(
        self,
        connection: StationConnection,
        connector_id: ConnectorId,
        id_tag: IdTag,
        remote_start_id: int | None,
        limit: LimitDraw | None,
    ) -> CommandResult:
        """Ask for a charge. Accepted is not yet a start (duty 28)."""
        ...

    async def remote_stop(self, connection: StationConnection, transaction_id: WireTransactionId) -> CommandResult:
        """Ask for the end of a charge."""
        ...

    async def perform(self, send: Send, command: Command[A]) -> A:
        """Ask a station, by `send`. Raises what `send` raises, and InvalidRequest."""
        ...

    def may_be_asked(self, connection: StationConnection, request: Request) -> None:
        """Whether its boot allows this request. Raises ChargerNotReady, or InvalidRequest when it never will."""
        ...

    def refuse_secrets(self, request: Request) -> None:
        """A request an operator wrote may not change what we must know too. Raises InvalidRequest."""
        ...

    def read_stop(self, action: str, payload: str) -> ParkedStop | None:
        """A stored report as the end of a charge; None for what is no message of this version, or another one."""
        ...

    def read_signed(self, payload: str) -> Iterable[SignedValue]:
        """The signed values of stored readings or of a stored stop; none of what is no message of this version."""
        ...

    def read_start(self, request: Request) -> OrderedStart | None:
        """A request an operator wrote as the order of a charge; None for another one."""
        ...

    def read_profile(self, connector_id: ConnectorId, written: Mapping[str, Any]) -> ChargingProfile:
        """A charging profile as it is written. Raises InvalidRequest."""
        ...


def usual(dialects: Sequence[Dialect]) -> Dialect:
    """The oldest: of stations that offer no subprotocol."""
    return dialects[-1]


def known_actions(dialects: Collection[Dialect]) -> frozenset[str]:
    """Of every dialect: what may be a label of a metric."""
    return frozenset().union(*(dialect.known_actions for dialect in dialects))
