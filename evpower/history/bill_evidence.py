"""The evidence of one charge: from what its bill is recomputed, and what its meter signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import trio

from evpower.billing.rates import RatedEnergy, Rates
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.errors import NotFound, SessionNotFound
from evpower.history.curve import Curve, CurvePoint, disbelieved, draw
from evpower.history.evidence import ChargePosting, RegisterFact, SignedReading, read_signed
from evpower.history.receipt import number_text
from evpower.history.records import PastCharge
from evpower.history.rows import charges, curves, receipts
from evpower.history.rows.evidence import read_boundaries, read_meter_key, read_postings, read_registers
from evpower.history.rows.signed import read_signed_values
from evpower.identifiers import ClientId, SessionId
from evpower.metering.boundaries import Boundary, Crossing, crossings

if TYPE_CHECKING:
    from evpower.history.signatures import Verified

CHECKS_AT_ONCE = 1


@dataclass(frozen=True)
class EvidenceRows:
    """What there is of a charge, also while there is no bill; receipts by number, time and sum in tyiyn."""

    transaction_id: str
    registers: Sequence[RegisterFact]
    postings: Sequence[ChargePosting]
    receipts: Sequence[tuple[str, datetime, int]]


@dataclass(frozen=True)
class BillEvidence:
    """What was read, and what the formula makes of it."""

    charge: PastCharge
    transaction_id: str
    registers: Sequence[RegisterFact]
    #: Minutes that were billed.
    minutes: int
    #: By which rates; of a price that moved with its steps, and the moments at which they began.
    rates: Rates
    boundaries: Sequence[Boundary]
    postings: Sequence[ChargePosting]
    recomputed_tyiyn: int
    signed: Sequence[SignedReading]
    #: Of each of `signed`; None for an encoding that is not checked.
    verified: Sequence[Verified | None]

    @property
    def parts(self) -> Sequence[RatedEnergy]:
        """What was billed, by its rates."""
        return self.rates.parts(self.charge.energy_wh)

    @property
    def rate_changes(self) -> Sequence[Crossing]:
        """Where its price moved: the energy at each moment at which a rate began, and the readings around it."""
        return tuple(crossings(self.boundaries))

    @property
    def equal(self) -> bool:
        """The bill is what the formula makes, and what the ledger sold."""
        return self.charge.amount_tyiyn == self.recomputed_tyiyn == self.sold_tyiyn

    @property
    def sold_tyiyn(self) -> int:
        """What the ledger sold."""
        return sum(each.amount_tyiyn for each in self.postings if each.account == "revenue")


class Evidence:
    """Reads; our checks of signatures run in a thread."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._threads = trio.CapacityLimiter(CHECKS_AT_ONCE)

    async def of(self, client_id: ClientId, session_id: SessionId) -> BillEvidence:
        """Raises SessionNotFound, also for another client's, and NotFound before there is a bill."""
        async with reading(self._pool) as conn:
            charge = await charges.read_charge(conn, client_id, session_id)
            if charge is None:
                raise SessionNotFound
            issued = await receipts.read_receipts(conn, session_id)
            if not issued:
                raise NotFound("Чек ещё не выдан", reason="no_receipt")
            transaction_id, registers = await read_registers(conn, session_id)
            key = await read_meter_key(conn, session_id)
            signed = [read_signed(each, key) for each in await read_signed_values(conn, session_id)]
            postings = await read_postings(conn, session_id)
            boundaries = await read_boundaries(conn, session_id)
        minutes = issued[-1].minutes
        rates = Rates(charge.rate_per_kwh, charge.rate_per_minute, charge.session_fee, issued[-1].steps)
        verified = await trio.to_thread.run_sync(_verified, signed, limiter=self._threads) if signed else []
        recomputed_tyiyn = rates.cost_tyiyn(charge.energy_wh, minutes)
        return BillEvidence(
            charge, transaction_id, registers, minutes, rates, boundaries, postings, recomputed_tyiyn, signed, verified
        )

    async def rows(self, session_id: SessionId) -> EvidenceRows:
        """For operators: of whosever charge. Of an unknown one there is nothing."""
        async with reading(self._pool) as conn:
            transaction_id, registers = await read_registers(conn, session_id)
            postings = await read_postings(conn, session_id)
            issued = await receipts.read_receipts(conn, session_id)
        numbers = [(number_text(each.year, each.serial), each.issued_at, each.amount_tyiyn) for each in issued]
        return EvidenceRows(transaction_id, registers, postings, numbers)

    async def curve(self, session_id: SessionId) -> Curve | None:
        """What is kept of the charge's readings; None before its settlement."""
        async with reading(self._pool) as conn:
            return await curves.read_curve(conn, session_id)

    async def drawn(self, session_id: SessionId) -> tuple[Curve | None, tuple[CurvePoint, ...]]:
        """The curve, of a charge that goes on as far as it is; and the readings that were not believed, while they are
        kept."""
        async with reading(self._pool) as conn:
            kept = await curves.read_curve(conn, session_id)
            metered = await curves.read_metered_charge(conn, session_id)
        if metered is None:
            return kept, ()
        if kept is not None:
            return kept, disbelieved(metered)
        so_far = draw(metered)
        # What it has not ended with yet is no point of it.
        return replace(so_far, points=so_far.points[:-1]), disbelieved(metered)

    async def transparency_file(self, client_id: ClientId, session_id: SessionId) -> bytes:
        """The signed values as a file. Raises what `of` does, and NotFound when there are none."""
        found = await self.of(client_id, session_id)
        if not found.signed:
            raise NotFound("Станция не подписывает показания", reason="no_signed_data")
        return await trio.to_thread.run_sync(_file, found.signed, found.transaction_id, limiter=self._threads)


def _verified(signed: Sequence[SignedReading]) -> list[Verified | None]:
    from evpower.history.signatures import verified

    return [verified(each) for each in signed]


def _file(signed: Sequence[SignedReading], transaction_id: str) -> bytes:
    from evpower.history.signatures import transparency_file

    return transparency_file(signed, transaction_id)
