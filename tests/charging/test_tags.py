"""Cards: status, expiry, groups; what a charger is told at Authorize, start and stop (OCPP 1.6 §4.1, §3.10)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from evpower.charging.transaction import TransactionStop
from evpower.db.id_tags import Card
from evpower.db.pool import Pool
from evpower.errors import InvalidRequest, NotFound
from evpower.identifiers import ClientId, IdTag
from tests.charging.world import CLIENT, STATION, TWO, World, impatient, open_world
from tests.fakes import NOON

CARD, FRIEND, GROUP = IdTag("CARD-1"), IdTag("CARD-2"), IdTag("FAMILY")


async def put(world: World, tag: IdTag = CARD, **fields: Any) -> dict[str, Any]:
    known = {"status": "Accepted", "parent_id_tag": None, "expiry_date": None, "client_id": CLIENT}
    return await world.app.tags.put(Card(tag, **{**known, **fields}))


@pytest.fixture
async def world(pool: Pool) -> AsyncIterator[World]:
    """A client with 500 som."""
    async with open_world(pool, impatient()) as world:
        await world.give(500_00)
        yield world


async def verdict(world: World, tag: IdTag = CARD) -> str:
    return (await world.app.reports.authorize(STATION, tag)).status


async def test_tc_023_1_an_unknown_tag_is_invalid(world: World) -> None:
    assert await verdict(world) == "Invalid"


async def test_tc_023_2_an_expired_tag_is_expired(world: World) -> None:
    await put(world, expiry_date=NOON)
    assert await verdict(world) == "Expired"
    assert (await world.begin(CARD)).verdict.status == "Expired"


async def test_tc_023_3_a_blocked_tag_is_blocked(world: World) -> None:
    await put(world, status="Blocked")
    assert await verdict(world) == "Blocked"
    assert (await world.begin(CARD)).verdict.status == "Blocked"


async def test_a_tag_expires_while_it_is_stored(world: World) -> None:
    await put(world, expiry_date=NOON + timedelta(hours=1))
    assert await verdict(world) == "Accepted"
    world.clock.advance(3600)
    assert await verdict(world) == "Expired"


async def test_tc_003_plugin_first_a_card_charges_and_pays(world: World) -> None:
    await put(world)
    await world.say("Preparing")
    assert await verdict(world) == "Accepted"
    begun = await world.begin(CARD)
    await world.say("Charging")
    world.clock.advance(3600)
    await world.end(begun.wire_transaction_id, 11_000)
    await world.app.settler.work_due()
    assert await world.balance() == 500_00 - 135_00


async def test_tc_004_1_identification_first_a_card_charges_and_pays(world: World) -> None:
    await put(world)
    assert await verdict(world) == "Accepted"
    await world.say("Preparing")
    begun = await world.begin(CARD)
    world.clock.advance(3600)
    await world.end(begun.wire_transaction_id, 11_000)
    await world.app.settler.work_due()
    assert await world.balance() == 500_00 - 135_00


async def test_tc_004_2_an_authorized_driver_who_never_plugs_in_holds_nothing(world: World) -> None:
    await put(world)
    assert await verdict(world) == "Accepted"
    await world.say("Preparing")
    await world.say("Available")
    assert await world.balance() == 500_00


async def test_tc_005_1_unplugging_ends_and_settles_the_charge(world: World) -> None:
    await put(world)
    begun = await world.begin(CARD)
    world.clock.advance(3600)
    await world.end(begun.wire_transaction_id, 11_000, "EVDisconnected")
    await world.app.settler.work_due()
    rows = await world.sql("SELECT status, stop_reason FROM charging_sessions")
    assert rows == [{"status": "stopped", "stop_reason": "EVDisconnected"}]


async def test_tc_007_a_cached_tag_starts_without_authorize(world: World) -> None:
    await put(world)
    assert (await world.begin(CARD)).verdict.status == "Accepted"


async def test_tc_037_3_an_invalid_tag_used_offline_is_refused_and_its_stop_is_taken(world: World) -> None:
    begun = await world.begin(CARD)
    await world.end(begun.wire_transaction_id, 1_100, "DeAuthorized")
    rows = await world.sql("SELECT verdict, meter_stop_wh, charging_session_id FROM evpower.ocpp_transactions")
    assert rows == [{"verdict": "Invalid", "meter_stop_wh": 1_100, "charging_session_id": None}]
    assert await world.balance() == 500_00


async def test_tc_053_the_group_is_told_at_authorize_and_at_the_start(world: World) -> None:
    await put(world, parent_id_tag=GROUP)
    assert (await world.app.reports.authorize(STATION, CARD)).parent_id_tag == GROUP
    assert (await world.begin(CARD)).verdict.parent_id_tag == GROUP


async def test_duty_27_a_stop_by_another_card_of_the_group_ends_the_charge(world: World) -> None:
    """E3.73: the charger compares the groups; it is told the stopping card's."""
    await put(world, parent_id_tag=GROUP)
    await put(world, FRIEND, parent_id_tag=GROUP, client_id=None)
    begun = await world.begin(CARD)
    world.clock.advance(3600)
    stop = TransactionStop(begun.wire_transaction_id, 11_000, world.clock.now(), "Local", FRIEND, (), b"{}")
    told = await world.app.reports.end_transaction(STATION, stop)
    await world.app.settler.work_due()
    assert told is not None
    assert (told.status, told.parent_id_tag) == ("Accepted", GROUP)
    assert await world.balance() == 500_00 - 135_00


@pytest.mark.parametrize(
    ("group", "expected"),
    [({"status": "Blocked"}, "Blocked"), ({"expiry_date": NOON}, "Expired"), ({"status": "Accepted"}, "Accepted")],
)
async def test_the_groups_own_card_holds_for_its_members(world: World, group: dict[str, Any], expected: str) -> None:
    await put(world, parent_id_tag=IdTag("family"))
    await put(world, GROUP, **group)
    assert await verdict(world) == expected
    assert (await world.begin(CARD)).verdict.status == expected


async def test_a_card_in_use_is_concurrent_elsewhere_and_its_repeat_is_not(world: World) -> None:
    await put(world)
    first = await world.begin(CARD)
    assert (await world.begin(CARD)).wire_transaction_id == first.wire_transaction_id
    assert (await world.begin(CARD, connector=TWO)).verdict.status == "ConcurrentTx"


async def test_a_card_is_known_in_any_case_and_listed(world: World) -> None:
    await put(world)
    changed = await put(world, IdTag("card-1"), status="Blocked")
    assert (changed["id_tag"], changed["status"]) == ("CARD-1", "Blocked")
    assert [card["id_tag"] for card in await world.app.tags.cards()] == ["CARD-1"]


async def test_a_deleted_card_opens_nothing_and_is_not_found(world: World) -> None:
    await put(world)
    await world.app.tags.delete(IdTag("card-1"))
    assert await verdict(world) == "Invalid"
    with pytest.raises(NotFound):
        await world.app.tags.get(CARD)
    with pytest.raises(NotFound):
        await world.app.tags.delete(CARD)


async def test_a_card_of_an_unknown_client_is_refused(world: World) -> None:
    with pytest.raises(InvalidRequest):
        await put(world, client_id=ClientId("nobody"))


async def test_the_tag_of_an_app_start_is_no_card(world: World) -> None:
    """Design §9.10: nobody turns a driver's phone number into a card."""
    tag = await world.tag_of((await world.order(energy_wh=1_000)).session.session_id)
    with pytest.raises(InvalidRequest):
        await put(world, tag)
    with pytest.raises(NotFound):
        await world.app.tags.delete(tag)
    assert await world.app.tags.cards() == []
