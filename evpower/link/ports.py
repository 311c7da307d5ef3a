"""What the application may ask of a live station; `ocpp/registry.py` implements it, tests fake it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from evpower.identifiers import ConnectorId, IdTag, StationId, WireTransactionId
from evpower.link.commands import A, ChargingProfile, Command, LimitDraw


class Outcome(Enum):
    """How a command ended (duty 39): each is a different answer to the caller."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    #: The station answered CALLERROR.
    FAILED = "failed"
    #: No answer within the command time-out; it may still act on it.
    TIMED_OUT = "timed_out"
    #: Not connected, or the socket dropped before the answer.
    OFFLINE = "offline"


@dataclass(frozen=True)
class CommandResult:
    """The outcome, and what the station answered, if it answered."""

    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True)
class SocketNow:
    """A station's socket in this process."""

    #: OCPP's registration status.
    registration: str
    #: It has sent a message of its own accord, and it may be sent commands.
    has_spoken: bool
    is_ready: bool
    last_seen_at: datetime
    #: What the standard forbids and is let pass: on this connection by sentence, and of the station by kind.
    leniencies: Mapping[str, int]
    kinds: Mapping[str, int]


class LiveStations(Protocol):
    """Which stations are connected, and since when they were heard."""

    def is_connected(self, station_id: StationId) -> bool:
        """Whether the station's socket is open, in this process or in another that is alive."""
        ...

    def last_seen_at(self, station_id: StationId) -> datetime | None:
        """When a station whose socket is in this process last sent anything; None for every other."""
        ...

    def seen(self) -> Mapping[StationId, datetime]:
        """Every station whose socket is in this process, with the time of its last message."""
        ...


class StationLink(LiveStations, Protocol):
    """Everything a station can be asked, whatever version of OCPP it speaks and whichever process has its socket."""

    async def remote_start(
        self,
        station_id: StationId,
        connector_id: ConnectorId,
        id_tag: IdTag,
        remote_start_id: int | None = None,
        limit: LimitDraw | None = None,
    ) -> CommandResult:
        """Ask for a charge. Accepted is not yet a start (duty 28). Never raises for what a station does.

        `remote_start_id` is under what number, where the standard has one (OCPP 2.0.1 F02); `limit` is what the charge
        begins with.
        """
        ...

    async def remote_stop(self, station_id: StationId, transaction_id: WireTransactionId) -> CommandResult:
        """Ask for the end of a charge. Never raises for what a station does."""
        ...

    async def ask(self, station_id: StationId, command: Command[A]) -> A:
        """Ask a station (`link/commands.py`), and return its answer.

        A station that refuses has answered. Raises InvalidRequest (nothing was sent: its standard does not allow that)
        and one of `CommandFailure` for each end that is no answer.
        """
        ...

    async def read_profile(
        self, station_id: StationId, connector_id: ConnectorId, written: Mapping[str, Any]
    ) -> ChargingProfile:
        """A charging profile as its station's standard writes it. Raises InvalidRequest."""
        ...

    async def command(self, station_id: StationId, action: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Send one command as it is written and return the payload of its answer, whatever status that names.

        Raises InvalidRequest (nothing was sent: no such action, or a payload OCPP does not allow) and one of
        `CommandFailure` for each other end.
        """
        ...
