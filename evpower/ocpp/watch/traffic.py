"""What passes at the stations' door, counted since the start of the process: plain numbers, read by the metrics.

Every key is of a fixed set (actions of the standard, error codes, reasons) or a station that was admitted, so that
no outsider can make the number of counters grow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from enum import StrEnum

import msgspec

from evpower.client_address import SeenAddresses
from evpower.durations import Durations
from evpower.identifiers import StationId
from evpower.ocpp.watch.oddities import Kind
from evpower.ocpp.wire.outcome import Answered, CallFailed, CallOutcome, NoAnswer

OTHER = "other"
#: OCPP-J's, in the spellings of 1.6, of its errata and of 2.0.1.
ERROR_CODES = frozenset(
    {
        "NotImplemented",
        "NotSupported",
        "InternalError",
        "ProtocolError",
        "SecurityError",
        "FormationViolation",
        "FormatViolation",
        "PropertyConstraintViolation",
        "OccurenceConstraintViolation",
        "OccurrenceConstraintViolation",
        "TypeConstraintViolation",
        "GenericError",
        "MessageTypeNotSupported",
        "RpcFrameworkError",
    }
)
#: Values of an answer's `status` which mean that the station does what it was asked.
_WILLING = frozenset({"accepted", "rebootrequired", "scheduled", "unlocked"})


class Refusal(StrEnum):
    """Why a socket did not become a station's."""

    NO_HANDSHAKE = "no_handshake"
    UNKNOWN_STATION = "unknown_station"
    CREDENTIALS = "credentials"
    NO_SUBPROTOCOL = "no_subprotocol"
    DATABASE = "database"
    NO_ROOM = "no_room"


class _Status(msgspec.Struct):
    status: str = ""


_read_status = msgspec.json.Decoder(_Status).decode


class Calls:
    """What is asked and answered in one version of OCPP; any action that is none of `actions` is counted as `other`."""

    def __init__(self, actions: frozenset[str]) -> None:
        self._actions = actions
        #: By action of the station's CALL.
        self.answered: dict[str, Durations] = {}
        #: CALLERRORs of ours, by code.
        self.errors_sent: Counter[str] = Counter()
        #: CALLERRORs of stations, by code.
        self.errors_received: Counter[str] = Counter()
        #: CALLs of ours, by action.
        self.calls_sent: Counter[str] = Counter()
        #: Ends of CALLs of ours, by action and outcome.
        self.commands: Counter[tuple[str, str]] = Counter()

    def call_answered(self, action: str, took_s: float) -> None:
        """A station's CALL got its answer, of whatever kind. On the path of every message: about half a microsecond."""
        times = self.answered.get(action)
        if times is None:
            times = self.answered.setdefault(self._known(action), Durations())
        times.note(took_s)

    def call_sent(self, action: str) -> None:
        """A CALL of ours is on its way."""
        self.calls_sent[self._known(action)] += 1

    def call_ended(self, action: str, outcome: CallOutcome) -> None:
        """A CALL of ours ended, one way or another."""
        if isinstance(outcome, CallFailed):
            self.errors_received[outcome.code if outcome.code in ERROR_CODES else OTHER] += 1
        self.commands[self._known(action), _outcome_label(outcome)] += 1

    def _known(self, action: str) -> str:
        return action if action in self._actions else OTHER


class Traffic:
    """The counters; `actions` are the standard's."""

    def __init__(self, actions: Collection[str]) -> None:
        self._actions = frozenset(actions)
        #: By version of OCPP.
        self.calls: dict[str, Calls] = {}
        self.refusals: Counter[Refusal] = Counter()
        self.leniencies: dict[StationId, Counter[Kind]] = {}
        #: By which addresses their handshakes came.
        self.seen = SeenAddresses()

    def calls_in(self, version: str) -> Calls:
        """The calls of all stations that speak this version."""
        return self.calls.setdefault(version, Calls(self._actions))

    def leniencies_of(self, station_id: StationId) -> Counter[Kind]:
        """The tally of an admitted station, over all its connections."""
        return self.leniencies.setdefault(station_id, Counter())


def _outcome_label(outcome: CallOutcome) -> str:
    match outcome:
        case Answered(payload):
            try:
                status = _read_status(payload).status.lower()
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                return "unreadable"
            if not status:
                return "answered"
            return "accepted" if status in _WILLING else "rejected"
        case CallFailed():
            return "failed"
        case NoAnswer():
            return "timed_out"
        case _:
            return "offline"
