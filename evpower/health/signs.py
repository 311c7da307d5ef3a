"""What became of a start: a sign of how its connector is, or of nothing. The one rule of whose fault a start was.

Pure. `rows/starts.py` has the same rule in SQL where thousands of rows are counted; a test compares both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from evpower.charging.errors import SessionFailed
from evpower.identifiers import ClientId
from evpower.network.spots.errors import ConnectorFaulted, ConnectorUnavailable, StationOffline

#: The station was reached, reported that a start is possible, and refused it.
REFUSED_BY_STATION = SessionFailed.code
#: The station itself was openly out of service: a failed start, and no silent one.
OUT_OF_SERVICE = (StationOffline.code, ConnectorFaulted.code, ConnectorUnavailable.code)
#: What a start answers when it is not the client's own matter: the station did not begin.
NOT_THE_CLIENTS = (REFUSED_BY_STATION, *OUT_OF_SERVICE)

#: Who stops a start so soon has changed their mind.
CHANGED_THEIR_MIND = timedelta(seconds=60)
#: A cable that is in for less was moved, or put back.
PLUGGED_FOR = timedelta(seconds=60)


class SignKind(Enum):
    """What is seen of one start, or of one cable."""

    WORKED = "worked"
    REFUSED = "refused"
    #: Accepted, a cable was in, and no transaction came.
    NEVER_BEGAN = "never_began"
    #: Accepted, no cable was seen, and no transaction came: the client, or a connector that does not feel the cable.
    NO_CABLE = "no_cable"
    #: A transaction that ended without any energy.
    NO_ENERGY = "no_energy"
    #: A cable came and went, and nobody asked for a start.
    PLUGGED_IN_VAIN = "plugged_in_vain"

    @property
    def is_start(self) -> bool:
        return self is not SignKind.PLUGGED_IN_VAIN


@dataclass(frozen=True)
class Sign:
    """One of them; `client_id` is None where nobody is known."""

    at: datetime
    kind: SignKind
    client_id: ClientId | None = None
    #: How the same client fared at other connectors soon after: a charge began, or none did; None: not tried.
    elsewhere: bool | None = None


@dataclass(frozen=True)
class TriedStart:
    """A start with what came of it until now."""

    attempted_at: datetime
    client_id: ClientId | None
    door: str
    answer: str
    #: Of its session, if it has one.
    phase: str | None
    stop_requested_at: datetime | None
    has_transaction: bool
    #: Of a transaction that has ended; None while it runs, or where there is none.
    delivered_wh: int | None
    cable_seen: bool
    #: As `Sign.elsewhere`.
    elsewhere: bool | None = None


def sign_of(start: TriedStart) -> Sign | None:
    """What it says of its connector; None: nothing, or nothing yet."""
    kind = _kind(start)
    return None if kind is None else Sign(start.attempted_at, kind, start.client_id, start.elsewhere)


def is_failed(start: TriedStart) -> bool:
    """Whether it failed, silently or openly, and not by the client's doing; the transaction decides, not the energy."""
    return start.answer in NOT_THE_CLIENTS or _kind(start) in (SignKind.NEVER_BEGAN, SignKind.NO_CABLE)


def _kind(start: TriedStart) -> SignKind | None:
    if start.answer == REFUSED_BY_STATION:
        return SignKind.REFUSED
    if not _was_accepted(start):
        return None
    if start.has_transaction:
        return SignKind.NO_ENERGY if start.delivered_wh == 0 else SignKind.WORKED
    if start.phase != "released" or _changed_their_mind(start):
        return None
    return SignKind.NEVER_BEGAN if start.cable_seen else SignKind.NO_CABLE


def _was_accepted(start: TriedStart) -> bool:
    """A card's attempt has OCPP's word, and stands beside its transaction."""
    return start.answer.lower() == "accepted"


def _changed_their_mind(start: TriedStart) -> bool:
    stopped_at = start.stop_requested_at
    return stopped_at is not None and stopped_at - start.attempted_at < CHANGED_THEIR_MIND
