"""The call sheet: what somebody on call has at the telephone when a station does not answer (§3.1)."""

from __future__ import annotations

import pytest

from evpower.pages.stations.call_sheets import FIELDS, dialled
from tests.worlds.charging import CLIENT, STATION, World
from tests.worlds.pages import Browser

PATH = f"/stations/{STATION}/call-sheet"
WRITTEN = {
    "person": "Бекжан, күзөтчү",
    "phone": "0555 12-34-56, вечером",
    "hours": "9–18",
    "sim_provider": "MegaCom",
    "sim_number": "+996 555 000 111",
    "note": "board behind the gate <b>",
}


async def silent(world: World) -> str:
    """A charge began, and its station fell silent; the session."""
    await world.give(500_00)
    await world.sql("UPDATE clients SET phone = '+996700000002', name = 'Айгүл' WHERE id = %s", CLIENT)
    session_id = (await world.order(energy_wh=5_000)).session.session_id
    transaction = await world.begin(await world.tag_of(session_id), meter_wh=1_000)
    world.clock.advance(600)
    await world.meter(transaction.wire_transaction_id, 2_500)
    await world.sql(
        "INSERT INTO stations (id, serial_number, location_id) VALUES ('EVP-NEAR', 'N-7', 'EVP-LOC-001')",
    )
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    world.clock.advance(400)
    return session_id


async def test_the_row_of_a_silent_station_leads_to_what_is_said_at_the_telephone(
    browser: Browser, world: World
) -> None:
    session_id = await silent(world)
    assert PATH in (await browser.get("/todo")).links
    page = await browser.get(PATH)
    station = (await world.sql("SELECT serial_number FROM stations WHERE id = %s", STATION))[0]
    for said in (station["serial_number"], "offline", "Nobody is written down", "1.500 kWh", "Айгүл …0002", "N-7"):
        assert said in page.text
    assert "Money held here 67.50 som" in page.text
    assert "All stations here are silent" in page.text
    assert f"/charges/{session_id}" in page.links
    assert "996700000002" not in page.html, "of a driver's number the end alone"


async def test_a_contact_is_written_down_once_and_can_be_dialled(browser: Browser, world: World) -> None:
    form = (await browser.get(PATH)).form(PATH)
    for _ in range(2):
        assert (await browser.send(PATH, {**form, **WRITTEN})).status_code == 303
    page = await browser.get(PATH)
    assert "Бекжан, күзөтчү 0555 12-34-56, вечером" in page.text
    assert {"tel:0555123456", "tel:+996555000111"} <= set(page.links)
    assert "board behind the gate <b>" in page.text
    acts = await world.sql("SELECT act, target, detail FROM evpower.operator_acts WHERE outcome = 'done'")
    assert acts == [{"act": "call_sheets-write_contact", "target": "EVP-LOC-001", "detail": ", ".join(FIELDS)}]
    empty = {**page.form(PATH), **dict.fromkeys(FIELDS, "")}
    assert (await browser.send(PATH, empty)).status_code == 303
    assert await world.sql("SELECT * FROM evpower.site_contacts") == []


async def test_what_cannot_be_written_brings_the_form_again(browser: Browser, world: World) -> None:
    form = (await browser.get(PATH)).form(PATH)
    response = await browser.send(PATH, {**form, "person": "Бек", "phone": "5" * 501})
    assert response.status_code == 400
    assert "Nothing was done" in browser.text
    assert 'value="Бек"' in browser.text
    assert await world.sql("SELECT * FROM evpower.site_contacts") == []


async def test_an_operator_reads_the_sheets_of_their_own_stations_and_writes_none(world: World) -> None:
    browser = await Browser(world).sign_in("operator")
    await browser.get(PATH, 403)
    await world.sql(
        "INSERT INTO evpower.staff_locations VALUES ('aida', 'EVP-LOC-001', %s, 'test')",
        world.clock.now(),
    )
    page = await browser.get(PATH)
    assert "Operators of the location aida" in page.text
    assert PATH not in [form[""] for form in page.forms]
    assert (await browser.send(PATH, {"key": "f" * 16, "phone": "1"})).status_code == 403
    assert "admin" in browser.text


@pytest.mark.parametrize("language", ["ru", "ky", "en"])
async def test_every_station_has_its_sheet_in_every_language(browser: Browser, world: World, language: str) -> None:
    browser.client.set_cookie("localhost", "evpower_language", language)
    await browser.get(PATH)
    await browser.get("/stations/NONE/call-sheet", 404)


@pytest.mark.parametrize(
    ("text", "number"),
    [("0555 12-34-56, вечером", "0555123456"), ("+996 (312) 661234 доб. 5", "+996312661234"), ("спросить Бека", None)],
)
def test_the_number_to_dial_is_found_in_what_was_written(text: str, number: str | None) -> None:
    assert dialled(text) == number
