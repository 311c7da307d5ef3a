"""Stations that give energy away: to tags that are nobody's, without a session and without money (docs/money.md)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from evpower.charging.rows.free_vend import GivenAway, read_totals
from evpower.charging.transaction import TransactionStart
from evpower.errors import StationNotFound
from evpower.identifiers import IdTag, StationId
from evpower.tags.rows.id_tags import Card
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import CLIENT, ONE, STATION, TWO, World

STRANGE, CARD = IdTag("04A1B2C3"), IdTag("CARD-1")
FREE = GivenAway(enabled=True, charges=1, energy_wh=9_000)


async def give_away(world: World, *, enabled: bool = True) -> None:
    await world.app.free_vend.set(STATION, enabled=enabled, actor="test")


async def put(world: World, **fields: Any) -> None:
    known = {"status": "Accepted", "parent_id_tag": None, "expiry_date": None, "client_id": None}
    await world.app.tags.put(Card(CARD, **{**known, **fields}))


async def verdicts(world: World, tag: IdTag) -> tuple[str, str]:
    """At Authorize and at StartTransaction."""
    authorized = await world.app.reports.authorize(STATION, tag)
    return authorized.status, (await world.begin(tag)).verdict.status


async def nothing_is_stopped(world: World) -> bool:
    """Also not after a while, and not when the charger comes back."""
    await world.app.commands.take_up(STATION)
    await world.at_rest()
    return world.link.stopped == []


async def test_by_default_a_strange_tag_is_refused(world: World) -> None:
    assert await verdicts(world, STRANGE) == ("Invalid", "Invalid")


async def test_a_strange_tag_charges_without_a_session_and_without_money(world: World) -> None:
    await give_away(world)
    assert await verdicts(world, STRANGE) == ("Accepted", "Accepted")
    assert await world.sql("SELECT verdict, free_vend, charging_session_id FROM evpower.ocpp_transactions") == [
        {"verdict": "Accepted", "free_vend": True, "charging_session_id": None}
    ]
    assert await world.sql("SELECT id FROM charging_sessions") == []
    assert await world.sql("SELECT id FROM evpower.ledger_entries") == []


async def test_a_free_charge_is_not_stopped_as_unpaid(world: World) -> None:
    await give_away(world)
    begun = await world.begin(STRANGE)
    await world.meter(begun.wire_transaction_id, 2_000)
    assert await nothing_is_stopped(world)
    await world.app.recovery.check()
    assert await nothing_is_stopped(world)


async def test_a_free_charge_goes_on_when_the_station_gives_no_more_away(world: World) -> None:
    await give_away(world)
    await world.begin(STRANGE)
    await give_away(world, enabled=False)
    assert await nothing_is_stopped(world)
    assert (await world.begin(STRANGE, connector=TWO)).verdict.status == "Invalid"


async def test_a_repeated_free_start_gets_its_id_and_verdict(world: World) -> None:
    await give_away(world)
    start = TransactionStart(ONE, STRANGE, 1000, world.clock.now(), b"{}")
    first = await world.app.reports.begin_transaction(STATION, start)
    await give_away(world, enabled=False)
    assert await world.app.reports.begin_transaction(STATION, start) == first


async def test_a_strange_tag_is_never_concurrent(world: World) -> None:
    await give_away(world)
    await world.begin(STRANGE)
    assert (await world.begin(STRANGE, connector=TWO)).verdict.status == "Accepted"


async def test_a_card_without_a_client_charges_for_free(world: World) -> None:
    await give_away(world)
    await put(world)
    assert await verdicts(world, CARD) == ("Accepted", "Accepted")


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"status": "Blocked"}, "Blocked"),
        ({"status": "Expired"}, "Expired"),
        ({"status": "Invalid"}, "Invalid"),
        ({"expiry_date": "now"}, "Expired"),
    ],
)
async def test_a_card_that_is_not_in_order_stays_refused(world: World, fields: dict[str, Any], word: str) -> None:
    await give_away(world)
    if "expiry_date" in fields:
        fields = {"expiry_date": world.clock.now() - timedelta(seconds=1)}
    await put(world, **fields)
    assert await verdicts(world, CARD) == (word, word)


async def test_a_clients_card_pays_as_everywhere(world: World) -> None:
    await give_away(world)
    await world.give(500_00)
    await put(world, client_id=CLIENT)
    assert await verdicts(world, CARD) == ("Accepted", "Accepted")
    assert await world.balance() == 300_00


async def test_a_drivers_start_from_the_app_pays_as_everywhere(world: World) -> None:
    await give_away(world)
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    await world.charge(session_id, 10_000)
    assert await world.balance() == 500_00 - 135_00


@pytest.mark.parametrize("text", ["+996555123456", "996555123456"])
async def test_a_phone_number_presented_as_a_card_opens_nothing(world: World, text: str) -> None:
    await give_away(world)
    await world.give(500_00)
    await world.sql("UPDATE clients SET phone = '+996555123456'")
    assert await verdicts(world, IdTag(text)) == ("Invalid", "Invalid")


async def test_a_number_nobody_has_opens_nothing_when_it_is_written_like_one(world: World) -> None:
    await give_away(world)
    assert await verdicts(world, IdTag("+996700000001")) == ("Invalid", "Invalid")


async def test_the_tag_of_a_past_app_start_opens_nothing(world: World) -> None:
    await give_away(world)
    await world.give(500_00)
    session_id = (await world.order(energy_wh=1_000)).session.session_id
    tag = await world.tag_of(session_id)
    await world.charge(session_id, 500)
    world.clock.advance(60)
    assert await verdicts(world, tag) == ("Invalid", "Invalid")


async def test_a_strange_tag_does_not_take_a_connector_a_driver_reserved(world: World) -> None:
    await give_away(world)
    await world.give(500_00)
    await world.order(energy_wh=1_000)
    assert (await world.begin(STRANGE)).verdict.status == "Blocked"


async def test_another_station_gives_nothing_away(world: World) -> None:
    other = StationId("OTHER")
    await world.sql(
        "INSERT INTO stations (id, serial_number, model, location_id) VALUES (%s, 'N2', '', 'EVP-LOC-001')", other
    )
    await world.app.free_vend.set(other, enabled=True, actor="test")
    assert await verdicts(world, STRANGE) == ("Invalid", "Invalid")


async def charge_for_free(world: World, start_wh: int, stop_wh: int) -> None:
    begun = await world.begin(STRANGE, meter_wh=start_wh)
    world.clock.advance(3600)
    await world.end(begun.wire_transaction_id, stop_wh)


async def test_energy_given_away_is_shown(world: World) -> None:
    await give_away(world)
    await charge_for_free(world, 1_000, 10_000)
    given = await world.app.free_vend.read(STATION)
    assert given.total == FREE
    assert [(each.id_tag, each.status, each.energy_wh) for each in given.newest] == [(STRANGE, "Stopped", 9_000)]
    async with by_hand(world.pool) as conn:
        assert await read_totals(conn) == {STATION: FREE}


@pytest.mark.parametrize("stop_wh", [900, 10_000_000])
async def test_a_stop_register_that_cannot_be_true_counts_as_the_last_reading(world: World, stop_wh: int) -> None:
    await give_away(world)
    begun = await world.begin(STRANGE)
    world.clock.advance(3600)
    await world.meter(begun.wire_transaction_id, 4_000)
    await world.end(begun.wire_transaction_id, stop_wh)
    assert (await world.app.free_vend.read(STATION)).total.energy_wh == 3_000


async def test_energy_given_away_is_not_missing(world: World) -> None:
    await give_away(world)
    await charge_for_free(world, 1_000, 10_000)
    await charge_for_free(world, 10_000, 15_000)
    assert await world.app.parked.missing_energy() == []
    await charge_for_free(world, 15_200, 16_000)
    assert [row.missing_wh for row in await world.app.parked.missing_energy()] == [200]


async def test_a_station_nobody_knows_gives_nothing_away(world: World) -> None:
    for attempt in (
        world.app.free_vend.read(StationId("NOWHERE")),
        world.app.free_vend.set(StationId("NOWHERE"), enabled=True, actor="test"),
    ):
        with pytest.raises(StationNotFound):
            await attempt
