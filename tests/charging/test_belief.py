"""Whatever way a register comes in, it is judged by what can have flowed (field-rulings §1, money-audit A2)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from evpower.charging.transaction import TransactionStop
from evpower.identifiers import SessionId, WireTransactionId
from evpower.metering.meter_value import Sample
from tests.worlds.charging import STATION, World


async def started(world: World, balance_tyiyn: int = 5000_00) -> tuple[SessionId, WireTransactionId]:
    """A charge of at most 50 kWh that begins at register 1,000."""
    await world.give(balance_tyiyn)
    session_id = (await world.order(energy_wh=50_000)).session.session_id
    return session_id, (await world.begin(await world.tag_of(session_id))).wire_transaction_id


async def stop(world: World, transaction_id: WireTransactionId, meter_wh: int | None, *samples: Sample) -> None:
    """The station's StopTransaction, with these readings as its transactionData; then its settlement."""
    await world.app.reports.end_transaction(
        STATION,
        TransactionStop(transaction_id, meter_wh, world.clock.now(), "Local", None, samples, b"{}", "StopTransaction"),
    )
    await world.app.settler.work_due()


@pytest.mark.parametrize("meter_wh", [900_000_000, 10**12, None])
async def test_transaction_data_is_believed_no_more_than_other_readings(world: World, meter_wh: int | None) -> None:
    """A2: neither the stop register nor the same figure in transactionData can be true; 2 kWh were read before."""
    session_id, transaction_id = await started(world)
    world.clock.advance(600)
    await world.meter(transaction_id, 3_000)
    world.clock.advance(60)
    await stop(world, transaction_id, meter_wh, Sample(world.clock.now(), meter_wh or 900_000_000))
    session = await world.session(session_id)
    assert (session.phase, session.energy_wh, session.cost_tyiyn, session.debt_tyiyn) == ("settled", 2_000, 27_00, 0)


async def test_believable_transaction_data_counts_beside_what_is_not(world: World) -> None:
    """A2: each reading is judged by its own time."""
    session_id, transaction_id = await started(world)
    world.clock.advance(3600)
    samples = [Sample(world.clock.now() - timedelta(minutes=m), wh) for m, wh in ((30, 6_000), (5, 9_000), (2, 10**11))]
    await stop(world, transaction_id, None, *samples)
    assert (await world.session(session_id)).energy_wh == 8_000
