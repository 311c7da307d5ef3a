"""The compliance cases of a charge that begins with a card at the charger, and who pays for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from evpower.identifiers import IdTag
from tests.compliance.site import OK, Site
from tests.worlds.charging import STATION
from tests.worlds.fakes import NOON

CARD, FRIEND, GROUP = IdTag("CARD-1"), IdTag("CARD-2"), IdTag("FAMILY")
ACCEPTED = {"status": "Accepted"}
UNTOUCHED, PAID = 500_00, 365_00


async def connector(site: Site) -> tuple[str, str]:
    """What the public reads of connector 1, and the charger's own word."""
    [row] = await site.world.sql(
        "SELECT status, ocpp_status FROM connectors WHERE station_id = %s AND connector_number = 1", STATION
    )
    return row["status"], row["ocpp_status"]


async def sessions(site: Site) -> list[dict[str, Any]]:
    return await site.world.sql("SELECT status, stop_reason, energy, amount FROM charging_sessions")


async def charge(site: Site, reason: str = "Local") -> None:
    """An hour's 10 kWh with the card: 135 of the 200 som that were held."""
    transaction_id = await site.start(CARD)
    assert await site.world.statement() == [("charge_reserve", -200, 300)]
    await site.status("Charging")
    site.world.clock.advance(3600)
    await site.meter(transaction_id, {"value": "11000"})
    await site.stop(transaction_id, reason)
    [session] = await sessions(site)
    assert (session["status"], session["stop_reason"]) == ("stopped", reason)
    assert (session["energy"], session["amount"]) == (10, 135)
    assert (await site.world.statement())[1:] == [("charge_refund", 65, 365)]
    assert await site.world.balance() == PAID


async def test_tc_003_plugin_first_a_card_charges_and_pays(site: Site) -> None:
    await site.card(CARD)
    await site.status("Preparing")
    assert await site.authorize(CARD) == ACCEPTED
    await charge(site)
    await site.status("Finishing")
    await site.status("Available")
    assert await connector(site) == ("available", "Available")


async def test_tc_004_1_identification_first_a_card_charges_and_pays(site: Site) -> None:
    await site.card(CARD)
    assert await site.authorize(CARD) == ACCEPTED
    await site.status("Preparing")
    await charge(site)


async def test_tc_004_2_an_authorized_driver_who_never_plugs_in_holds_nothing(site: Site) -> None:
    await site.card(CARD)
    assert await site.authorize(CARD) == ACCEPTED
    await site.status("Preparing")
    await site.status("Available")
    assert await sessions(site) == []
    assert await site.world.balance() == UNTOUCHED
    assert await connector(site) == ("available", "Available")


async def test_tc_005_1_unplugging_ends_and_settles_the_charge(site: Site) -> None:
    await site.card(CARD)
    await charge(site, "EVDisconnected")
    await site.status("Finishing")
    assert await connector(site) == ("occupied", "Finishing")
    await site.status("Available")
    assert await connector(site) == ("available", "Available")


async def test_tc_007_a_cached_tag_starts_without_authorize(site: Site) -> None:
    await site.card(CARD)
    await site.status("Preparing")
    await charge(site)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        pytest.param(None, "Invalid", id="tc_023_1"),
        pytest.param({"expiry_date": NOON}, "Expired", id="tc_023_2"),
        pytest.param({"status": "Blocked"}, "Blocked", id="tc_023_3"),
    ],
)
async def test_tc_023_1_to_3_a_refused_tag_is_refused_at_authorize_and_again_at_the_start(
    fields: dict[str, Any] | None, word: str, site: Site
) -> None:
    """Duty 24: the start is recorded all the same, and touches no money."""
    await site.card(FRIEND)
    if fields is not None:
        await site.card(CARD, **fields)
    assert (await site.authorize(CARD))["status"] == word
    transaction_id, verdict = await site.begin(CARD)
    assert (transaction_id > 0, verdict["status"]) == (True, word)
    [row] = await site.facts("ocpp_transactions")
    assert (row["verdict"], row["charging_session_id"]) == (word, None)
    assert await site.world.balance() == UNTOUCHED


async def test_tc_053_a_reservation_for_a_group_is_used_by_another_card_of_it(site: Site) -> None:
    await site.card(CARD, parent_id_tag=GROUP)
    await site.card(FRIEND, parent_id_tag=GROUP)
    expires_at = (site.world.clock.now() + timedelta(hours=1)).isoformat()
    arguments = {"connector_id": 1, "id_tag": FRIEND, "parent_id_tag": GROUP, "expires_at": expires_at}
    reserved = await site.operate("reserve", arguments, OK)
    assert site.heard[-1][1]["parentIdTag"] == GROUP
    await site.status("Reserved")
    assert await site.authorize(CARD) == {"status": "Accepted", "parentIdTag": GROUP}
    await site.status("Preparing")
    transaction_id, verdict = await site.begin(CARD, reservationId=reserved["reservation_id"])
    assert verdict == {"status": "Accepted", "parentIdTag": GROUP}
    assert [row["status"] for row in await site.facts("ocpp_reservations")] == ["Used"]
    site.world.clock.advance(3600)
    await site.stop(transaction_id, "Local")
    assert await site.world.balance() == PAID


async def test_duty_27_a_stop_by_another_card_of_the_group_is_told_the_group(site: Site) -> None:
    """E3.73: the charger compares the groups, so the stopping card's is told."""
    await site.card(CARD, parent_id_tag=GROUP)
    await site.card(FRIEND, parent_id_tag=GROUP, client_id=None)
    transaction_id = await site.start(CARD)
    site.world.clock.advance(3600)
    answer = await site.stop(transaction_id, "Local", idTag=FRIEND)
    assert answer == {"idTagInfo": {"status": "Accepted", "parentIdTag": GROUP}}
    assert await site.world.balance() == PAID


async def test_duty_25_a_stop_by_a_stranger_ends_the_charge_all_the_same(site: Site) -> None:
    await site.card(CARD)
    transaction_id = await site.start(CARD)
    site.world.clock.advance(3600)
    answer = await site.stop(transaction_id, "Local", idTag="STRANGER")
    assert answer == {"idTagInfo": {"status": "Invalid"}}
    assert await site.world.balance() == PAID


async def test_duty_21_a_repeated_start_is_answered_as_the_first_time_and_is_never_concurrent(site: Site) -> None:
    await site.card(CARD, parent_id_tag=GROUP)
    first = await site.begin(CARD)
    site.world.clock.advance(60)
    assert await site.begin(CARD, timestamp=NOON.isoformat()) == first
    assert first[1] == {"status": "Accepted", "parentIdTag": GROUP}
    assert len(await site.facts("ocpp_transactions")) == 1
    assert await site.world.statement() == [("charge_reserve", -200, 300)]


async def test_duty_27_a_tag_is_the_same_in_any_case(site: Site) -> None:
    await site.card(CARD)
    assert await site.authorize(IdTag("card-1")) == ACCEPTED
    assert (await site.begin(IdTag("Card-1")))[1] == ACCEPTED
