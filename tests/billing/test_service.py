"""Money in motion: which debts a credit pays (billing-rules §4)."""

from __future__ import annotations

from evpower.db.unit_of_work import unit_of_work
from evpower.identifiers import ClientId
from tests.worlds.charging import CLIENT, TWO, World


async def test_a_credit_pays_the_oldest_debt_first_and_no_more_than_there_is(world: World) -> None:
    await world.give(540_00)
    older = (await world.order(energy_wh=20_000)).session.session_id
    world.clock.advance(1)
    newer = (await world.order(energy_wh=20_000, connector=TWO)).session.session_id
    await world.charge(newer, 25_000, connector=TWO)
    await world.charge(older, 30_000)
    assert [(await world.session(each)).debt_tyiyn for each in (older, newer)] == [135_00, 67_50]
    await world.give(150_00, key="later")
    async with unit_of_work(world.pool) as uow:
        assert await world.app.billing.recover_debts(uow, CLIENT, cause_key="later", actor="test") == 150_00
    assert [(await world.session(each)).debt_tyiyn for each in (older, newer)] == [0, 52_50]
    assert await world.balance() == 0


async def test_looking_creates_nobody_and_shows_who_is_there(world: World) -> None:
    billing, stranger = world.app.billing, ClientId("stranger")
    assert await billing.known_balance(stranger) is None
    assert await billing.known_balance(stranger) is None, "it made no row"
    created = await billing.balance(stranger)
    assert await billing.known_balance(stranger) == created
