"""One charge with everything that is kept of it: its curve, postings and receipts; and many as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import trio

from evpower.db.connection import Conn
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.errors import InvalidRequest, NotFound, SessionNotFound
from evpower.history.curve import Curve
from evpower.history.evidence import ChargePosting
from evpower.history.export import DAYS_MAX, ROWS_MAX, table
from evpower.history.receipt import ChargeReceipt, content_of, number_text
from evpower.history.records import PastCharge
from evpower.history.rows import charges, curves, export, receipts
from evpower.history.rows.evidence import read_postings
from evpower.history.rows.receipts import ReceiptRecord
from evpower.identifiers import ClientId, SessionId

#: A document is made in a thread: fonts are cut to size, a quarter of a second.
DOCUMENTS_AT_ONCE = 2


@dataclass(frozen=True)
class WholeCharge:
    """A charge, its curve when one is kept, and what the ledger moved for it."""

    charge: PastCharge
    curve: Curve | None
    postings: Sequence[ChargePosting]


class Documents:
    """Reads what settlements kept; of another client's charge there is nothing."""

    def __init__(self, pool: Pool, timezone: ZoneInfo) -> None:
        self._pool = pool
        #: Of times on documents.
        self.timezone = timezone
        self._threads = trio.CapacityLimiter(DOCUMENTS_AT_ONCE)

    async def whole(self, client_id: ClientId, session_id: SessionId) -> WholeCharge:
        """Raises SessionNotFound, also for another client's."""
        async with reading(self._pool) as conn:
            charge = await _own(conn, client_id, session_id)
            curve = await curves.read_curve(conn, session_id)
            return WholeCharge(charge, curve, await read_postings(conn, session_id))

    async def receipts(self, client_id: ClientId, session_id: SessionId) -> Sequence[ChargeReceipt]:
        """The receipt and its corrections. Raises SessionNotFound, and NotFound while there is none."""
        async with reading(self._pool) as conn:
            await _own(conn, client_id, session_id)
            records = await receipts.read_receipts(conn, session_id)
            if not records:
                raise NotFound("Чек ещё не выдан", reason="no_receipt")
            first = number_text(records[0].year, records[0].serial)
            return [await _document(conn, session_id, first, record) for record in records]

    async def receipt_pdf(self, client_id: ClientId, session_id: SessionId) -> bytes:
        """The same as a PDF."""
        documents = await self.receipts(client_id, session_id)
        return await trio.to_thread.run_sync(_pdf, documents, self.timezone, limiter=self._threads)

    async def table(self, client_id: ClientId, since: datetime, before: datetime) -> bytes:
        """The charges ordered in this time as CSV. Raises InvalidRequest for too long a time, or too many."""
        if not timedelta(0) <= before - since <= timedelta(days=DAYS_MAX):
            raise InvalidRequest(("to", f"не раньше from и не больше {DAYS_MAX} дней после него"))
        async with reading(self._pool) as conn:
            found = await export.read_exported(conn, client_id, since, before)
        if found is None:
            raise InvalidRequest(("to", f"больше {ROWS_MAX} строк: выберите меньший срок"))
        return await trio.to_thread.run_sync(table, found, self.timezone, limiter=self._threads)


async def _own(conn: Conn, client_id: ClientId, session_id: SessionId) -> PastCharge:
    charge = await charges.read_charge(conn, client_id, session_id)
    if charge is None:
        raise SessionNotFound
    return charge


async def _document(conn: Conn, session_id: SessionId, first: str, record: ReceiptRecord) -> ChargeReceipt:
    """What could not be written down when the number was given is made of the rows there are."""
    content = record.content
    if content is None:
        facts = await receipts.read_facts(conn, session_id)
        facts = replace(facts, energy_wh=record.energy_wh, amount_tyiyn=record.amount_tyiyn, steps=record.steps)
        content = content_of(facts, record.minutes)
    number = number_text(record.year, record.serial)
    return ChargeReceipt(number, record.issued_at, content, None if record.revision == 1 else first)


def _pdf(documents: Sequence[ChargeReceipt], timezone: ZoneInfo) -> bytes:
    # Here, because the library takes half a second to load and most servers' starts need none.
    from evpower.history.receipt_pdf import receipt_pdf

    return receipt_pdf(documents, timezone)
