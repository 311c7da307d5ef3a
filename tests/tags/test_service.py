"""Cards: status, expiry, groups; what a charger is told at Authorize, start and stop (OCPP 1.6 §4.1, §3.10)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from evpower.db.pool import Pool
from evpower.errors import InvalidRequest, NotFound
from evpower.identifiers import ClientId, IdTag
from evpower.tags.rows.id_tags import Card, CardRecord
from tests.worlds.charging import CLIENT, STATION, TWO, World, impatient, open_world
from tests.worlds.fakes import NOON

CARD, FRIEND, GROUP = IdTag("CARD-1"), IdTag("CARD-2"), IdTag("FAMILY")


async def put(world: World, tag: IdTag = CARD, **fields: Any) -> CardRecord:
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
    assert (changed.id_tag, changed.status) == ("CARD-1", "Blocked")
    assert [card.id_tag for card in await world.app.tags.cards()] == ["CARD-1"]


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


async def test_a_phone_number_is_no_card(world: World) -> None:
    """Safe by default 9: a number is no secret; cards from before are named."""
    await world.sql("UPDATE clients SET phone = '+996555123456'")
    for text in ("+996555123456", "996555123456", "+77011234567"):
        with pytest.raises(InvalidRequest) as refused:
            await put(world, IdTag(text))
        assert refused.value.fields[0][0] == "id_tag"
    assert await world.app.tags.phone_numbers() == []
    await put(world, IdTag("0412345678"))
    await world.sql("INSERT INTO evpower.ocpp_authorization (id_tag, created_at) VALUES ('996555123456', now())")
    assert await world.app.tags.phone_numbers() == ["996555123456"]


async def test_the_verdict_names_the_language_of_the_drivers_newest_phone(world: World) -> None:
    """Of a card, of a refused one, and of a start from the app; a phone that has ended counts no more."""
    await put(world)
    assert (await world.app.reports.authorize(STATION, CARD)).language is None
    await world.sql(
        "INSERT INTO evpower.push_targets (owner_type, owner_id, kind, address, locale, registered_at)"
        " SELECT kind, %s, 'fcm', address, locale, at::date FROM (VALUES ('client', 'new', 'en', '2026-01-02'),"
        " ('client', 'old', 'ky', '2026-01-01'), ('owner', 'other', 'ru', '2026-01-03')) t (kind, address, locale, at)",
        CLIENT,
    )
    assert (await world.app.reports.authorize(STATION, CARD)).language == "en"
    await world.sql("UPDATE evpower.push_targets SET ended_at = now(), end_reason = 'gone' WHERE locale = 'en'")
    await put(world, status="Blocked")
    assert (await world.app.reports.authorize(STATION, CARD)).language == "ky"
    ordered = await world.order()
    assert (await world.begin(await world.tag_of(ordered.session.session_id))).verdict.language == "ky"
