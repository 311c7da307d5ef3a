"""What a station gave away in a day, in money, while it charges for free (operator-pages §3.1)."""

from __future__ import annotations

from evpower.attention.conditions import Gift
from evpower.attention.gifts import Gifts
from evpower.billing.pricing import Pricing
from evpower.db.unit_of_work import reading
from evpower.identifiers import IdTag
from evpower.server.rules import pricing_rules
from evpower.settings.config import Config
from tests.worlds.charging import STATION, World

LIMIT = 5


async def given(world: World) -> tuple[Gift, ...]:
    async with reading(world.pool) as conn:
        pricing = Pricing(world.clock, pricing_rules(Config()))
        return await Gifts(pricing, LIMIT).read(conn, world.clock.now())


async def give(world: World, energy_wh: int) -> None:
    """A charge that nobody pays for, as its row says."""
    await world.app.free_vend.set(STATION, enabled=True, actor="test")
    await world.begin(IdTag("04A1B2C3"))
    await world.sql("UPDATE evpower.ocpp_transactions SET meter_last_wh = meter_start_wh + %s", energy_wh)


async def test_energy_of_24_hours_is_worth_what_drivers_see(world: World) -> None:
    assert await given(world) == ()
    await give(world, 2_000)
    (gift,) = await given(world)
    assert (gift.station_id, gift.since, gift.charges, gift.energy_wh) == (STATION, world.clock.now(), 1, 2_000)
    async with reading(world.pool) as conn:
        price = (await Pricing(world.clock, pricing_rules(Config())).shown(conn, [STATION]))[STATION]
    assert (gift.worth_tyiyn, gift.limit_tyiyn) == (int(price.rate_per_kwh * 200), LIMIT)


async def test_it_is_over_after_a_day_and_when_the_station_charges_for_money(world: World) -> None:
    await give(world, 2_000)
    await world.app.free_vend.set(STATION, enabled=False, actor="test")
    assert await given(world) == ()
    await world.app.free_vend.set(STATION, enabled=True, actor="test")
    world.clock.advance(24 * 3600 + 1)
    assert await given(world) == ()


async def test_it_is_a_row_of_the_first_screen(world: World) -> None:
    await give(world, 100_000)
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    await world.app.pictures.look()
    assert world.app.pictures.latest is not None
    kinds = {part.kind.value for entry in world.app.pictures.latest.todo.entries for part in entry.item.parts}
    assert kinds == {"given_away"}
