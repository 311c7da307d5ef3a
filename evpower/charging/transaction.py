"""The station's own record of a charge: what it reported at the start and at the end (OCPP 1.6 §4.8, §4.10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from evpower.identifiers import ConnectorId, IdTag, WireTransactionId
from evpower.metering.belief import billed_time, late_since
from evpower.metering.meter_value import Sample
from evpower.tags.id_tag import IdTagVerdict

#: Why a charge ended (field ruling 4.5): its limit or what was held was reached; its driver, or an operator, asked; the
#: station ended it by itself, for the reason OCPP names; it ran, or waited for its beginning, too long; nothing was
#: heard of it after a reboot; its end was lost, and known only by the next charge.
EndCause = Literal["limit", "driver", "operator", "charger", "overdue", "reboot", "lost"]

#: Stands before the id of a transaction whose station makes ids (OCPP 2.0.1), where OCPP 1.6 could have given the same.
MARK = "2.0.1:"

#: Who asked for a stop, as it is kept: a driver by phone, recovery, and by name every operator.
DRIVER, RECOVERY = "client", "recovery"
#: OCPP's reasons of a stop that was asked. Missing, it is Local; every other is an event at the station itself.
OF_A_STOP_ASKED = frozenset({"Remote", "Local", "Other"})


def named_by_station(own_id: str) -> WireTransactionId:
    """The name, here, of a transaction of OCPP 2.0.1: never one that a transaction of 1.6 may have."""
    return WireTransactionId(MARK + own_id if _is_number(own_id) or own_id.startswith(MARK) else own_id)


def own_id(wire_id: WireTransactionId) -> WireTransactionId:
    """What its station calls it."""
    return WireTransactionId(wire_id.removeprefix(MARK))


def version_of(wire_id: WireTransactionId) -> str:
    """The version of OCPP that a transaction of this name is of. In 1.6 we name it, by a number."""
    return "1.6" if _is_number(wire_id) else "2.0.1"


def _is_number(name: str) -> bool:
    return name.removeprefix("-").isdecimal()


def cause_of_request(actor: str) -> EndCause:
    """Why a charge ends whose stop this one asked for first."""
    if actor == RECOVERY:
        return "overdue"
    return "driver" if actor == DRIVER else "operator"


def cause_of_stop(reason: str, asked_by: str | None, *, at_limit: bool) -> EndCause:
    """Why a charge ended whose station reports the end; `at_limit`: it was asked to stop, and by no person."""
    if reason not in OF_A_STOP_ASKED:
        return "charger"
    if asked_by is not None:
        return cause_of_request(asked_by)
    return "limit" if at_limit else "charger"


def minutes_count_from(
    started_at: datetime,
    received_at: datetime,
    ordered_at: datetime,
    measured_at: datetime | None,
    heard_at: datetime | None,
) -> datetime:
    """From when, by our clock, the minutes of a charge that goes on are counted: from the receipt of its start.

    A start out of a queue was received later than it happened: then the last believed reading, measured and heard at
    these times, says for how long the charge has been billed by now (`billed_time`), as its end will.
    """
    if measured_at is None or heard_at is None or late_since(started_at, received_at) is None:
        return received_at
    return heard_at - billed_time(measured_at - started_at, heard_at - received_at, heard_at - ordered_at, queued=True)


@dataclass(frozen=True)
class TransactionStart:
    """StartTransaction; `started_at` is the station's clock, `payload` the bytes it sent (evidence).

    A station without a line goes on charging and queues its starts: what it delivers hours later has happened. One
    whose clock was never set, or runs ahead, says nothing about that; then the moment of receipt counts.
    """

    connector_id: ConnectorId
    id_tag: IdTag
    meter_start_wh: int
    started_at: datetime
    payload: bytes
    #: The reservation of the connector that it uses (duty 36).
    reservation_id: int | None = None
    #: The fields that were missing or unreadable, by the standard's names.
    unread: tuple[str, ...] = ()
    #: The station's own name of it (OCPP 2.0.1); None: we name it.
    wire_transaction_id: WireTransactionId | None = None
    #: Under which we asked for it (OCPP 2.0.1).
    remote_start_id: int | None = None
    #: It was queued while the station had no line (OCPP 2.0.1).
    offline: bool = False

    @property
    def ocpp_version(self) -> str:
        """Of its station, when it reported this."""
        return "1.6" if self.wire_transaction_id is None else "2.0.1"


@dataclass(frozen=True)
class BegunTransaction:
    """Our answer to the start of a transaction."""

    wire_transaction_id: WireTransactionId
    verdict: IdTagVerdict


@dataclass(frozen=True)
class TransactionStop:
    """StopTransaction; a missing reason means Local. `samples` is its transactionData, oldest first."""

    wire_transaction_id: WireTransactionId
    #: None when it could not be read: the last believed reading counts, and the bill is an estimate.
    meter_stop_wh: int | None
    stopped_at: datetime
    reason: str
    id_tag: IdTag | None
    samples: tuple[Sample, ...]
    payload: bytes
    #: The standard's name of the message, under which it is parked when it matches nothing.
    reported_as: str
    #: The fields that were missing or unreadable, by the standard's names.
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class ParkedStop:
    """A stop as it is read from a parked report; what cannot be believed is None."""

    meter_stop_wh: int | None
    stopped_at: datetime | None
    reason: str
