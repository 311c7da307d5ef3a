"""A charge with its bill, a driver with their attempts, where a text leads, and who did what (§5, §6, §2, §8)."""

from __future__ import annotations

import json
from typing import NoReturn

import pytest

from evpower.errors import Refusal
from evpower.staff.acts import ActDoor, Intent, key_of
from evpower.staff.records import Acting
from evpower.texts.catalogue import LANGUAGES
from tests.worlds.charging import CLIENT, STATION, World
from tests.worlds.pages import Browser

KEY = "0123456789abcdef"


async def settled(world: World) -> str:
    """A charge of 5 kWh that was paid for."""
    await world.give(50_000)
    session_id = (await world.order(amount_tyiyn=20_000)).session.session_id
    await world.charge(session_id, 5000)
    return session_id


async def refused(world: World) -> None:
    """A start that was refused for want of money."""
    with pytest.raises(Refusal):
        await world.order(amount_tyiyn=90_000_000)


async def test_a_charge_proves_its_bill_from_registers_tariff_and_postings(browser: Browser, world: World) -> None:
    session_id = await settled(world)
    page = await browser.get(f"/charges/{session_id}")
    assert "5.000 kWh × 13.5 + 13 min × 0 + fee 0 = 67.50 som ✔".replace(" ", "") in page.text.replace(
        "\N{NARROW NO-BREAK SPACE}", ""
    ).replace(" ", "")
    assert "the formula, the bill and the ledger say the same" in page.text
    assert "1,000 Wh" in page.text
    assert "6,000 Wh" in page.text
    assert "revenue" in page.text
    assert page.html.count("<li") >= 4


async def test_a_bill_that_the_ledger_does_not_have_is_marked(browser: Browser, world: World) -> None:
    session_id = await settled(world)
    await world.sql("UPDATE charging_sessions SET amount = amount + 1 WHERE id = %s", session_id)
    page = await browser.get(f"/charges/{session_id}")
    assert "✘" in page.text
    assert "differ" in page.text
    await world.sql("UPDATE charging_sessions SET amount = amount - 1 WHERE id = %s", session_id)


async def test_evidence_is_a_file(browser: Browser, world: World) -> None:
    session_id = await settled(world)
    page = await browser.get(f"/charges/{session_id}/evidence.json")
    assert json.loads(page.html)["session"]["session_id"] == session_id
    assert "attachment" in page.headers["Content-Disposition"]


@pytest.mark.parametrize("path", ["/charges/nonsense", "/charges/00000000-0000-4000-8000-000000000000"])
async def test_a_charge_that_is_not_there_is_404(browser: Browser, path: str) -> None:
    await browser.get(path, 404)


async def test_a_refused_start_is_found_by_the_phone_with_what_the_app_showed(browser: Browser, world: World) -> None:
    """The first incident: search, and the attempt with its answer is on the driver's page."""
    await world.give(100)
    await world.sql("UPDATE clients SET phone = '+996700123456', name = 'Айгүл' WHERE id = %s", CLIENT)
    await refused(world)
    for text in ("+996700123456", "0700 123 456", "3456", "Айгүл", "700123456"):
        response = await browser.client.get("/search", query_string={"q": text})
        assert (response.status_code, response.headers.get("Location")) == (303, f"/drivers/{CLIENT}"), text
    page = await browser.get(f"/drivers/{CLIENT}")
    assert "too little money" in page.text
    assert "✕" in page.text


@pytest.mark.parametrize("text", ["", "x", "abc", "nobody's", "%%%%", "____", "'; --"])
async def test_a_text_that_leads_nowhere_says_what_does(browser: Browser, world: World, text: str) -> None:
    await settled(world)
    response = await browser.client.get("/search", query_string={"q": text})
    assert response.status_code == 200
    assert "Nothing found." in await response.get_data(as_text=True)


async def test_a_charge_and_a_station_are_found_by_their_beginning(browser: Browser, world: World) -> None:
    session_id = await settled(world)
    for text, path in ((session_id[:9], f"/charges/{session_id}"), ("evp-001", f"/stations/{STATION}")):
        response = await browser.client.get("/search", query_string={"q": text})
        assert response.headers.get("Location") == path


async def test_a_phone_is_masked_until_somebody_looks_which_is_kept(browser: Browser, world: World) -> None:
    await world.give(100)
    await world.sql("UPDATE clients SET phone = '+996700123456' WHERE id = %s", CLIENT)
    assert "+996700123456" not in (await browser.get(f"/drivers/{CLIENT}")).html
    assert (await browser.post(f"/drivers/{CLIENT}", key=KEY, act="show")).status_code == 200
    assert "+996700123456" in browser.text
    page = await browser.get("/journal")
    assert "operator:aida pages looked at the phone client-1 done" in page.text


async def test_what_was_done_elsewhere_is_in_the_journal_and_in_the_stations_history(
    browser: Browser, world: World
) -> None:
    acts, acting = world.app.acts, Acting("operator ann")
    doors: tuple[ActDoor, ...] = ("rest", "command")
    for door in doors:
        key = key_of(door, KEY)
        await acts.begin(acting, Intent(key, "station_admin-change", STATION, "status=maintenance"))
        await acts.end(key, "done", None)
    page = await browser.get("/journal")
    for name in ("REST", "evpower command"):
        assert f"operator ann {name} changed the station {STATION} status=maintenance done" in page.text
    page = await browser.get(f"/stations/{STATION}/history")
    assert "operator ann REST asked: changed the station status=maintenance done" in page.text


async def test_a_driver_is_blocked_and_unblocked_by_name(browser: Browser, world: World) -> None:
    await world.give(100)
    for act, status in (("block", "blocked"), ("unblock", "active")):
        assert (await browser.post(f"/drivers/{CLIENT}", key=f"{KEY}{act}", act=act)).status_code == 303
        assert (await world.sql("SELECT status FROM clients"))[0]["status"] == status
    assert (await browser.post(f"/drivers/{CLIENT}", key=KEY, act="erase")).status_code == 400


async def test_an_operator_sees_no_drivers_and_other_peoples_charges_not_at_all(world: World) -> None:
    session_id = await settled(world)
    browser = await Browser(world).sign_in("operator")
    for path in ("/drivers", f"/drivers/{CLIENT}", f"/charges/{session_id}", f"/stations/{STATION}"):
        page = await browser.get(path, 403)
        assert "admin, superadmin" in page.text
    assert session_id[:8] not in (await browser.get("/charges")).text
    assert STATION not in (await browser.get("/attempts")).text
    response = await browser.client.get("/search", query_string={"q": session_id})
    assert response.status_code == 200


async def test_lists_are_narrowed(browser: Browser, world: World) -> None:
    session_id = await settled(world)
    assert session_id[:8] in (await browser.get(f"/charges?station={STATION}")).text
    assert session_id[:8] not in (await browser.get("/charges?station=other")).text
    assert session_id[:8] not in (await browser.get("/charges?status=started")).text
    assert session_id[:8] in (await browser.get("/charges?status=nonsense&page=x")).text
    assert session_id[:8] not in (await browser.get("/attempts?failed=1")).text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_page_reads_in_every_language(browser: Browser, world: World, language: str) -> None:
    session_id = await settled(world)
    await refused(world)
    await browser.post("/choices", language=language, next="/")
    paths = ("/", "/charges", f"/charges/{session_id}", "/drivers", f"/drivers/{CLIENT}", "/attempts", "/journal")
    for path in (*paths, "/search?q=abcd", f"/stations/{STATION}", "/second-factor"):
        page = await browser.get(path)
        assert f'lang="{language}"' in page.html
        assert len(page.ids) == len(set(page.ids)), path


async def test_a_mistyped_station_is_404_with_the_nearest(browser: Browser, world: World) -> None:
    """A character wrong, missing, too many or in another's place; of its id or its serial number."""
    await world.sql("UPDATE stations SET serial_number = 'SERIAL-12' WHERE id = %s", STATION)
    for typed in ("EVP-001-1", "EVP-001-011", "EVP-O01-01", "EPV-001-01", "evp-001-01", "SERIAL-1X"):
        page = await browser.get(f"/stations/{typed}", 404)
        assert f"/stations/{STATION}" in page.links, typed
        assert "such as EVP-001-01" in page.text


async def test_a_mistyped_charge_is_404_with_the_nearest_and_nonsense_has_none(browser: Browser, world: World) -> None:
    session_id = await settled(world)
    assert f"/charges/{session_id}" in (await browser.get(f"/charges/{session_id}9", 404)).links
    for path in ("/stations/ZZZZ-9", "/charges/nonsense", "/nowhere"):
        assert "nearest" not in (await browser.get(path, 404)).text


async def test_nearest_is_what_may_be_seen_and_nothing_while_the_database_is_away(
    browser: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = await Browser(world).sign_in("operator", "bek")
    session_id = await settled(world)
    assert f"/charges/{session_id}" not in (await operator.get(f"/charges/{session_id}9", 404)).links

    async def away(kind: object, text: str) -> NoReturn:
        raise OSError

    monkeypatch.setattr(world.app.finding, "nearest", away)
    await browser.get("/charges/nonsense", 404)
