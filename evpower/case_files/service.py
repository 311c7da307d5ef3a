"""Case files, as the rows are at the moment they are read."""

from __future__ import annotations

from evpower.case_files.charge_case import ChargeCase
from evpower.case_files.client_case import ClientCase
from evpower.case_files.payment_case import PaymentCase
from evpower.case_files.rows import charge_cases, client_cases, payment_cases
from evpower.case_files.timeline import timeline
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.errors import ClientNotFound, NotFound, PaymentNotFound, SessionNotFound
from evpower.history.bill_evidence import BillEvidence, Evidence
from evpower.identifiers import ClientId, SessionId


class CaseFiles:
    """Reads."""

    def __init__(self, pool: Pool, clock: Clock, evidence: Evidence) -> None:
        self._pool = pool
        self._clock = clock
        self.evidence = evidence

    async def charge(self, session_id: SessionId) -> ChargeCase:
        """The case file of a charge. Raises SessionNotFound."""
        now = self._clock.now()
        async with reading(self._pool) as conn:
            session = await charge_cases.read_session(conn, session_id)
            if session is None:
                raise SessionNotFound
            transaction = await charge_cases.read_transaction(conn, session_id)
            price = await charge_cases.read_price(conn, session_id)
            attempts = await charge_cases.read_attempts(conn, session_id)
            gaps = await charge_cases.read_gaps(conn, session_id, now)
            doubts = await charge_cases.read_doubts(conn, session_id)
            parked = await charge_cases.read_parked(conn, session_id)
            idle_fee = await charge_cases.read_idle_fee(conn, session_id)
        rows = await self.evidence.rows(session_id)
        bill = await self._bill(ClientId(session.client_id), session_id)
        return ChargeCase(
            session=session,
            transaction=transaction,
            price=price,
            registers=rows.registers,
            postings=rows.postings,
            bill=bill,
            idle_fee=idle_fee,
            receipts=rows.receipts,
            attempts=attempts,
            gaps=gaps,
            doubts=doubts,
            parked=parked,
            steps=timeline(session, transaction, attempts, rows.postings, gaps, now),
        )

    async def client(self, client_id: ClientId) -> ClientCase:
        """The case file of a client. Raises ClientNotFound."""
        async with reading(self._pool) as conn:
            client = await client_cases.read_client(conn, client_id)
            if client is None:
                raise ClientNotFound
            return ClientCase(
                client=client,
                attempts=await client_cases.read_attempts(conn, client_id),
                charges=await client_cases.read_charges(conn, client_id),
                statement=await client_cases.read_statement(conn, client_id),
                cards=await client_cases.read_cards(conn, client_id),
                top_ups=await client_cases.read_top_ups(conn, client_id),
            )

    async def payment(self, key: str) -> PaymentCase:
        """The case file of a top-up, by its invoice or order. Raises PaymentNotFound."""
        async with reading(self._pool) as conn:
            payment = await payment_cases.read_payment(conn, key)
            if payment is None:
                raise PaymentNotFound
            return PaymentCase(
                payment=payment,
                steps=await payment_cases.read_steps(conn, payment),
                postings=await payment_cases.read_postings(conn, payment),
                parked=await payment_cases.read_parked(conn, payment),
            )

    async def _bill(self, client_id: ClientId, session_id: SessionId) -> BillEvidence | None:
        try:
            return await self.evidence.of(client_id, session_id)
        except NotFound:
            return None
