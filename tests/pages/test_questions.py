"""What a person decides of reports, figures and charges that nobody pays for: by whom, once, and what is refused."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from werkzeug.datastructures import Headers

from evpower.identifiers import IdTag, WireTransactionId
from tests.charging.test_doubts import doubted
from tests.charging.test_parked import charging, park_stop
from tests.worlds.charging import CLIENT, STATION, World
from tests.worlds.pages import Browser, Page

PAGE = "/questions"


async def unpaid(world: World) -> WireTransactionId:
    """A start that was refused, and 4 kWh."""
    wire_id = (await world.begin(IdTag("UNKNOWN"))).wire_transaction_id
    world.clock.advance(1800)
    await world.meter(wire_id, 5_000)
    await world.say("Charging")
    await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
    await world.at_rest()
    return wire_id


async def test_a_row_of_to_do_leads_to_its_decision_and_a_report_is_dismissed_once(
    browser: Browser, world: World
) -> None:
    number = await park_stop(world)
    assert f"{PAGE}#parked-{number}" in (await browser.get("/")).links
    page = await browser.get(PAGE)
    assert "unknown transaction" in page.text
    action = f"{PAGE}/parked/{number}"
    form = {**page.form(action), "act": "dismiss", "reason": "a test of the installer"}
    assert (await browser.send(action, form)).status_code == 303
    assert (await browser.send(action, form)).status_code == 303
    (row,) = await world.sql("SELECT resolution, resolved_by, resolution_reason FROM evpower.ocpp_parked")
    assert tuple(row.values()) == ("dismissed", "operator:aida", "a test of the installer")
    assert "Every report matched." in (await browser.get(PAGE)).text
    form = {**form, "key": "another-form-of-it-0001"}
    assert (await browser.send(action, form)).status_code == 400
    assert "уже решено" in browser.text


async def test_a_report_is_given_to_its_charge_and_one_that_does_not_fit_comes_back_as_it_was(
    browser: Browser, world: World
) -> None:
    session_id = await charging(world)
    number = await park_stop(world)
    action = f"{PAGE}/parked/{number}"
    form = {**(await browser.get(PAGE)).form(action), "act": "assign", "reason": "its number was lost"}
    assert (await browser.send(action, {**form, "session_id": "nothing"})).status_code == 400
    assert "its number was lost" in browser.text
    again = Page(browser.text, Headers()).form(action)
    assert again["key"] != form["key"]
    await browser.send(action, {**again, "act": "assign", "session_id": session_id})
    (row,) = await world.sql("SELECT resolution, session_id FROM evpower.ocpp_parked")
    assert tuple(row.values()) == ("assigned", session_id)


async def test_a_doubt_is_billed_or_dismissed_with_a_reason(browser: Browser, world: World) -> None:
    _, doubt = await doubted(world)
    assert f"{PAGE}#doubt-{doubt.id}" in (await browser.get("/")).links
    page, action = await browser.get(PAGE), f"{PAGE}/doubts/{doubt.id}"
    assert "the station says 938.000 kWh" in page.text
    form = page.form(action)
    assert (await browser.send(action, {**form, "act": "bill", "reason": ""})).status_code == 400
    assert (await world.app.doubts.doubt(doubt.id)).settled is None
    assert (await browser.send(action, {**form, "act": "bill", "reason": "the meter was read"})).status_code == 303
    assert (await world.app.doubts.doubt(doubt.id)).settled == "billed"


async def test_a_charge_that_nobody_pays_for_is_asked_to_stop_and_another_is_not(
    browser: Browser, world: World
) -> None:
    wire_id = await unpaid(world)
    asked = len(world.link.stopped)
    page = await browser.get("/")
    assert f"{PAGE}#without-{wire_id}" in page.links
    form = page.form(f"{PAGE}/stop")
    assert (form["station"], form["transaction"]) == (STATION, wire_id)
    assert (await browser.send(f"{PAGE}/stop", form)).status_code == 303
    await browser.send(f"{PAGE}/stop", form)
    assert world.link.stopped[asked:] == [(STATION, wire_id)]
    assert "asked a charge to stop that nobody pays for" in (await browser.get(f"/stations/{STATION}/history")).text
    wrong = {**form, "key": "another-form-of-it-0001", "transaction": "12345"}
    assert (await browser.send(f"{PAGE}/stop", wrong)).status_code == 400
    assert len(world.link.stopped) == asked + 1


async def test_its_energy_is_given_to_a_driver_by_the_adjustment_filled_in(browser: Browser, world: World) -> None:
    wire_id = await unpaid(world)
    await world.give(500_00)
    query = f"station={STATION}&transaction={wire_id}"
    response = await browser.client.get(f"{PAGE}/assign?{query}&driver={CLIENT}")
    address = urlsplit(response.headers["Location"])
    assert address.path == f"/drivers/{CLIENT}/do/adjust".replace("+", "%2B")
    filled = parse_qs(address.query)
    assert filled["amount"] == ["-54.00"]
    assert filled["ticket"] == [f"{STATION}/1:{wire_id}"]
    assert "nobody" in (await browser.get(f"{PAGE}/assign?{query}&driver=nobody", 400)).text
    await browser.get(f"{PAGE}/assign?station={STATION}&transaction=77&driver={CLIENT}", 404)


async def test_who_may_move_no_money_sees_their_own_and_decides_nothing(world: World) -> None:
    number = await park_stop(world)
    browser = await Browser(world).sign_in("operator", "bek")
    assert "Every report matched." in (await browser.get(PAGE)).text
    await world.app.staff.grant("bek", "EVP-LOC-001", actor="test")
    page = await browser.get(PAGE)
    assert "unknown transaction" in page.text
    action = f"{PAGE}/parked/{number}"
    assert action not in [form[""] for form in page.forms]
    form = {"key": "0123456789abcdef", "act": "dismiss", "reason": "no"}
    assert (await browser.send(action, form)).status_code == 403
    assert (await browser.send(f"{PAGE}/doubts/1", form)).status_code == 403
    await browser.get(f"{PAGE}/assign?station={STATION}&transaction=1&driver=x", 403)


async def test_a_note_stays_with_its_row(browser: Browser, world: World) -> None:
    number = await park_stop(world)
    form = {"key": "0123456789abcdef", "item": f"report_parked:{number}", "act": "note"}
    assert (await browser.send("/todo", form)).status_code == 400
    assert (await browser.send("/todo", {**form, "note": "the installer comes on Monday"})).status_code == 303
    page = await browser.get("/")
    assert "the installer comes on Monday operator:aida" in page.text
    assert "1 to do" in page.text
