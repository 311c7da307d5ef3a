"""The register of a stop, by the gate of every other reading (field-rulings §1)."""

from __future__ import annotations

from collections.abc import Sequence

from evpower.db.connection import Conn
from evpower.db.unit_of_work import UnitOfWork
from evpower.identifiers import TransactionKey
from evpower.metering.doubts import DoubtfulCharge, NotedDoubt, log_doubts
from evpower.metering.registers import StopReading, stopped
from evpower.metering.rows.doubts import note_doubts
from evpower.metering.rows.registers import read_register, read_stop, store_register


async def count_stop(uow: UnitOfWork, charge: DoubtfulCharge, stop: StopReading, message: str) -> bool:
    """Write what a stop makes of the register of its transaction, whose row is taken; whether its register is believed.

    `message` is the standard's name of what carried it.
    """
    stored = await read_register(uow.conn, charge.transaction_key)
    register, doubts = stopped(stored.register, stop, corrects_estimate=stored.ended_by_estimate)
    await store_register(uow.conn, charge.transaction_key, register)
    await keep_doubts(uow, [NotedDoubt(charge, doubt, message, stop.received_at) for doubt in doubts])
    return stop.meter_stop_wh == register.last_wh


async def accept_stop(conn: Conn, key: TransactionKey) -> None:
    """From now on the stop register of a transaction counts, and its charge is stop minus start: a person says so."""
    stop = await read_stop(conn, key)
    stored = await read_register(conn, key)
    await store_register(conn, key, stored.register.as_said(stop))


async def keep_doubts(uow: UnitOfWork, noted: Sequence[NotedDoubt]) -> None:
    """Write what is not believed of a transaction whose row is taken, and log it after the commit."""
    await note_doubts(uow.conn, noted)
    uow.after_commit(lambda: log_doubts(noted))
