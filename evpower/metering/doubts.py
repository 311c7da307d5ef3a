"""What was not believed, and of which charge: kept as a row by `rows/doubts.py`, and said in the log."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from evpower.identifiers import ConnectorId, SessionId, StationId, TransactionKey, WireTransactionId
from evpower.metering.registers import Doubt

log = logging.getLogger("evpower.belief")


@dataclass(frozen=True)
class DoubtfulCharge:
    """The transaction a figure was reported for."""

    transaction_key: TransactionKey
    wire_transaction_id: WireTransactionId
    station_id: StationId
    connector_id: ConnectorId
    session_id: SessionId | None


@dataclass(frozen=True)
class NotedDoubt:
    """A figure that was not believed; `message` is the standard's name of what carried it."""

    about: DoubtfulCharge
    doubt: Doubt
    message: str
    at: datetime


def log_doubts(noted: Iterable[NotedDoubt]) -> None:
    """One line for each figure, once its row is committed."""
    for each in noted:
        about, doubt = each.about, each.doubt
        log.warning(
            "not believed: station=%s, transaction_id=%s, session_id=%s, kind=%s, figure=%d, bound=%d, message=%s",
            about.station_id,
            about.wire_transaction_id,
            about.session_id or "-",
            doubt.kind,
            doubt.figure,
            doubt.bound,
            each.message,
        )
