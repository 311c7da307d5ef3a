"""The case file of a client: what is free and what is held, what was answered to each start, where the money went."""

from __future__ import annotations

import pytest

from evpower.errors import ClientNotFound
from evpower.identifiers import ClientId, StationId
from evpower.network.spots.errors import UnknownStation
from tests.worlds.charging import CLIENT, ONE, World


async def test_money_is_what_is_free_and_what_is_held(world: World) -> None:
    await world.give(300_00)
    await world.charge((await world.order(energy_wh=1_000)).session.session_id, 500)
    await world.order(energy_wh=10_000)
    case = await world.app.case_files.client(CLIENT)
    assert (case.client.free_tyiyn, case.client.held_by_charges_tyiyn) == (300_00 - 6_75 - 135_00, 135_00)
    assert (case.client.held_by_refunds_tyiyn, case.client.debt_tyiyn) == (0, 0)
    assert case.client.held_by_reservations_tyiyn == 0
    assert [each.phase for each in case.charges] == ["starting", "settled"]
    assert [(each.amount_tyiyn, each.balance_after_tyiyn) for each in case.statement][:1] == [(-135_00, 158_25)]


async def test_a_refused_start_is_kept_with_the_sentence_the_driver_read(world: World) -> None:
    await world.give(300_00)
    with pytest.raises(UnknownStation) as refused:
        await world.order(energy_wh=1_000, station=StationId("NOWHERE"))
    await world.app.client_accounts.set_status(CLIENT, "blocked", actor="operator aida")
    with pytest.raises(Exception, match=r"."):
        await world.order(energy_wh=1_000, connector=ONE)
    newest, oldest = (await world.app.case_files.client(CLIENT)).attempts
    assert (oldest.answer, oldest.sentence) == (refused.value.code, refused.value.message)
    assert newest.answer != "accepted"
    assert newest.sentence


async def test_cards_are_listed_and_tags_of_one_start_are_not(world: World) -> None:
    await world.give(300_00)
    await world.order(energy_wh=1_000)
    await world.sql(
        "INSERT INTO evpower.ocpp_authorization (id_tag, client_id, parent_id_tag, created_at) "
        "VALUES ('CARD', %s, 'GROUP', now())",
        CLIENT,
    )
    assert [each.id_tag for each in (await world.app.case_files.client(CLIENT)).cards] == ["CARD"]
    blocked = await world.app.tags.set_status("card", "Blocked")  # type: ignore[arg-type]
    assert (blocked.status, blocked.client_id, blocked.parent_id_tag) == ("Blocked", CLIENT, "GROUP")


async def test_of_an_unknown_client_there_is_no_case(world: World) -> None:
    with pytest.raises(ClientNotFound):
        await world.app.case_files.client(ClientId("nobody"))
