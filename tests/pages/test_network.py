"""Locations, stations, prices of a moment, cards, strangers, and the fleet file with its difference (§8)."""

from __future__ import annotations

import io

import pytest
from werkzeug.datastructures import FileStorage

from evpower.identifiers import IdTag
from evpower.pages.network import fleet_import
from evpower.tags.cards import Card
from tests.worlds.charging import CLIENT, World
from tests.worlds.pages import ORIGIN, Browser

KEY = "0123456789abcdef"
FILE = """
[[locations]]
id = "NEW-LOC"
name = "Новая"
address = "ул. Чуй, 1"
city = "Ош"
[[locations.stations]]
id = "NEW-01"
serial_number = "SN-NEW"
[[locations.stations.connectors]]
connector_number = 1
connector_type = "GBT"
power_kw = 60
"""
STRANGER = """
INSERT INTO evpower.ocpp_strangers (identity, status, vendor, model, address, boots, first_seen_at, last_seen_at)
VALUES ('EVP-NEW-1', 'pending', 'Star', 'DC60', '192.0.2.7', 3, %s, %s)
"""
TARIFF = """
INSERT INTO tariff_plans (id, name, is_default) VALUES ('NIGHT', 'Ночной', true);
INSERT INTO tariff_rules (id, tariff_plan_id, name, tariff_type, price, connector_type, time_start, time_end, priority)
VALUES ('NIGHT-1', 'NIGHT', 'Ночь', 'per_kwh', 7.5, 'ALL', '23:00', '07:00', 10);
UPDATE stations SET tariff_plan_id = 'NIGHT'
"""


async def send_file(browser: Browser, text: bytes) -> int:
    """The form with a file, as a browser sends it."""
    response = await browser.client.post(
        "/network/import",
        files={"file": FileStorage(io.BytesIO(text), filename="fleet.toml")},
        headers=dict(ORIGIN),
    )
    browser.text = await response.get_data(as_text=True)
    return response.status_code


async def count(world: World, table: str) -> int:
    (row,) = await world.sql(f"SELECT count(*) AS n FROM {table}")
    return int(row["n"])


async def test_locations_and_their_stations_are_listed(browser: Browser) -> None:
    page = await browser.get("/network")
    assert "ТЦ Дордой Плаза" in page.text
    assert "/network/stations?location=EVP-LOC-001" in page.links
    page = await browser.get("/network/stations?location=EVP-LOC-001")
    assert "/stations/EVP-001-01" in page.links
    page = await browser.get("/network/stations?location=elsewhere")
    assert "/stations/EVP-001-01" not in page.links


async def test_an_operator_sees_their_own_alone_and_nothing_that_all_share(world: World) -> None:
    browser = await Browser(world).sign_in("operator")
    assert "Дордой" not in (await browser.get("/network")).text
    assert "/stations/EVP-001-01" not in (await browser.get("/network/stations")).links
    for path in ("tariffs", "cards", "strangers", "import"):
        await browser.get(f"/network/{path}", 403)
    assert "admin" in browser.text
    await browser.get("/network/certificates")


async def test_what_a_charge_would_cost_now_and_at_half_past_eleven(browser: Browser, world: World) -> None:
    for statement in TARIFF.strip().split(";\n"):
        await world.sql(statement)
    page = await browser.get("/network/tariffs?station=EVP-001-01&at=23:30")
    assert "Now 13.50 som/kWh" in page.text
    assert "7.50 som/kWh" in page.text
    assert "23:30:00" in page.text
    assert "idle fee" not in page.text
    await world.sql("UPDATE tariff_plans SET billing_mode = 'segments', parking_cap = 30")
    page = await browser.get("/network/tariffs")
    assert "each hour at its own rate · idle fee 20 min after the notice, at most 30.00 som" in page.text


@pytest.mark.parametrize(("query", "words"), [("nowhere", "no such station"), ("EVP-001-01&at=25:99", "written so")])
async def test_a_wrong_question_about_a_price_is_answered(browser: Browser, query: str, words: str) -> None:
    page = await browser.get(f"/network/tariffs?station={query}", 400)
    assert words in page.text


async def test_a_card_is_blocked_and_keeps_its_client_and_group(browser: Browser, world: World) -> None:
    await world.give(100)
    await world.app.tags.put(Card(IdTag("CARD1"), "Accepted", IdTag("GROUP"), None, CLIENT))
    assert "CARD1" in (await browser.get("/network/cards?q=card")).text
    form = {"key": KEY + "1", "card": "CARD1", "act": "block_card"}
    assert (await browser.send("/network/cards", form)).status_code == 303
    (card,) = [each for each in await world.app.tags.cards() if each.id_tag == "CARD1"]
    assert (card.status, card.parent_id_tag, card.client_id) == ("Blocked", "GROUP", "client-1")
    assert (await browser.send("/network/cards", {"key": KEY, "card": "CARD2", "act": "block_card"})).status_code == 404
    assert (await browser.send("/network/cards", {"key": KEY, "card": "CARD1", "act": "burn"})).status_code == 400


async def stranger(world: World) -> None:
    await world.sql(STRANGER, world.clock.now(), world.clock.now())


async def test_a_stranger_is_accepted_with_its_location(browser: Browser, world: World) -> None:
    await stranger(world)
    page = await browser.get("/network/strangers")
    assert "Star DC60" in page.text
    form = {
        **page.form("/network/strangers/EVP-NEW-1"),
        "act": "accept",
        "location_id": "EVP-LOC-001",
        "connectors": "2",
        "connector_type": "GBT",
        "power_kw": "60",
    }
    assert (await browser.send("/network/strangers/EVP-NEW-1", form)).status_code == 303
    rows = await world.sql(
        "SELECT connector_number, power_kw FROM connectors WHERE station_id = %s ORDER BY 1",
        "EVP-NEW-1",
    )
    assert [(row["connector_number"], float(row["power_kw"])) for row in rows] == [(1, 60), (2, 60)]
    assert await count(world, "evpower.ocpp_strangers") == 0


@pytest.mark.parametrize(
    ("given", "field"),
    [({"location_id": ""}, "Location"), ({"location_id": "NOWHERE"}, "Location"), ({"connectors": "x"}, "Connectors")],
)
async def test_a_wrong_form_of_a_stranger_comes_again(
    browser: Browser, world: World, given: dict[str, str], field: str
) -> None:
    await stranger(world)
    form = {"key": KEY, "act": "accept", "location_id": "EVP-LOC-001", "connector_type": "CCS2", **given}
    assert (await browser.send("/network/strangers/EVP-NEW-1", form)).status_code == 400
    assert f"{field}:" in browser.text
    assert 'value="CCS2"' in browser.text
    assert await count(world, "stations") == 1


async def test_a_stranger_is_turned_away(browser: Browser, world: World) -> None:
    await stranger(world)
    form = {"key": KEY, "act": "reject"}
    assert (await browser.send("/network/strangers/EVP-NEW-1", form)).status_code == 303
    assert "No unknown station waits." in (await browser.get("/network/strangers")).text
    assert "turned away (operator:aida)" in (await browser.get("/network/strangers?all=1")).text
    assert (await browser.send("/network/strangers/NOBODY", {"key": KEY + "2", "act": "reject"})).status_code == 404


async def test_a_file_shows_what_it_would_change_and_changes_nothing(browser: Browser, world: World) -> None:
    assert await send_file(browser, FILE.encode()) == 200
    assert "What would change" in browser.text
    assert "NEW-01" in browser.text
    assert await count(world, "locations") == 1


async def seen_form(browser: Browser) -> dict[str, str]:
    """The form that imports what is shown; its text is the textarea's."""
    fingerprint = browser.text.partition('name="seen" value="')[2].partition('"')[0]
    assert fingerprint
    return {"key": KEY, "seen": fingerprint, "text": FILE.replace("\n", "\r\n")}


async def test_what_was_seen_is_imported_once(browser: Browser, world: World) -> None:
    await send_file(browser, FILE.encode())
    form = await seen_form(browser)
    assert (await browser.send("/network/import", form)).status_code == 200
    assert "Imported: " in browser.text
    assert await count(world, "locations") == 2
    await browser.send("/network/import", form)
    (act,) = await world.sql("SELECT act, outcome FROM evpower.operator_acts")
    assert (act["act"], act["outcome"]) == ("import", "done")


async def test_when_the_network_changed_meanwhile_nothing_is_imported(browser: Browser, world: World) -> None:
    """Somebody else made the location first: the difference that was seen is not the one there would be."""
    await send_file(browser, FILE.encode())
    form = await seen_form(browser)
    await world.sql("INSERT INTO locations (id, name, address) VALUES ('NEW-LOC', 'Чужая', 'x')")
    assert (await browser.send("/network/import", form)).status_code == 409
    assert "nothing was imported" in browser.text
    assert "Чужая" in browser.text
    assert await count(world, "stations") == 1
    (act,) = await world.sql("SELECT outcome FROM evpower.operator_acts")
    assert act["outcome"] == "import_differs"


@pytest.mark.parametrize("text", [b"\xff\xfe", b"", b"   ", b"not toml at all", b"[[locations]]\nid = 5\n"])
async def test_a_file_that_cannot_be_read_names_what_is_wrong(browser: Browser, world: World, text: bytes) -> None:
    assert await send_file(browser, text) == 400
    assert "The file will not do" in browser.text
    assert await count(world, "locations") == 1


async def test_a_large_file_is_taken_and_other_forms_stay_small(
    browser: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = FILE + "# " + "x" * 700_000 + "\n"
    assert await send_file(browser, large.encode()) == 200
    form = await seen_form(browser)
    assert (await browser.send("/network/import", {**form, "text": large})).status_code == 200
    assert await count(world, "locations") == 2
    assert (await browser.post("/choices", look="dark", next="x" * 70_000)).status_code == 413
    monkeypatch.setattr(fleet_import, "FLEET_BYTES_MAX", 100)
    assert await send_file(browser, FILE.encode()) == 400
