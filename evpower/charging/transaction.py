"""The station's own record of a charge: what it reported at the start and at the end (OCPP 1.6 §4.8, §4.10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evpower.identifiers import ConnectorId, IdTag, WireTransactionId
from evpower.metering.meter_value import Sample
from evpower.tags.id_tag import IdTagVerdict


@dataclass(frozen=True)
class TransactionStart:
    """StartTransaction; `started_at` is the station's clock, `payload` the bytes it sent (evidence)."""

    connector_id: ConnectorId
    id_tag: IdTag
    meter_start_wh: int
    started_at: datetime
    payload: bytes
    #: The reservation of the connector that it uses (duty 36).
    reservation_id: int | None = None
    #: The fields that were missing or unreadable, by the standard's names.
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class BegunTransaction:
    """Our answer to a StartTransaction."""

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
