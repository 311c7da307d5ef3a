"""The list of charges with its filters, and one charge: its curve, a text for the driver, money set right (§5)."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode

import pytest

from evpower.pages import charge_list
from evpower.texts.catalogue import LANGUAGES
from tests.charging import test_moving_prices as moving
from tests.pages.test_lookups import refused, settled
from tests.worlds.charging import CLIENT, STATION, World
from tests.worlds.pages import Browser

KEY = "0123456789abcdef"


async def listed(browser: Browser, query: str) -> int:
    """How many charges the list has."""
    return (await browser.get(f"/charges?{query}")).html.count('<td data-col="Charge">')


@pytest.mark.parametrize(
    ("only", "change"),
    [
        ("estimated", "UPDATE evpower.session_phases SET estimated = true"),
        ("corrected", "UPDATE evpower.session_phases SET corrected_at = now()"),
        ("unbilled", "UPDATE evpower.session_phases SET unbilled_wh = 1"),
        ("overshoot", "UPDATE evpower.session_phases SET overshoot_wh = 1501"),
        ("debt", "UPDATE charging_sessions SET debt_amount = 1"),
    ],
)
async def test_a_list_has_one_kind_of_trouble_alone(browser: Browser, world: World, only: str, change: str) -> None:
    await settled(world)
    query = f"only={only}&over=1,5"
    assert await listed(browser, query) == 0
    await world.sql(change)
    assert await listed(browser, query) == 1
    if only == "overshoot":
        assert await listed(browser, f"only={only}&over=1.501") == 0
    if only == "debt":
        await world.sql("UPDATE charging_sessions SET debt_amount = 0")


async def test_what_was_corrected_is_no_estimate_any_more(browser: Browser, world: World) -> None:
    await settled(world)
    await world.sql("UPDATE evpower.session_phases SET estimated = true, corrected_at = now()")
    assert await listed(browser, "only=estimated") == 0


async def test_a_charge_without_a_reading_for_an_hour_is_found(browser: Browser, world: World) -> None:
    await world.give(50_000)
    session_id = (await world.order(amount_tyiyn=10_000)).session.session_id
    begun = await world.begin(await world.tag_of(session_id))
    world.clock.advance(3600)
    assert await listed(browser, "only=unread") == 0
    world.clock.advance(1)
    assert await listed(browser, "only=unread") == 1
    await world.meter(begun.wire_transaction_id, 1500)
    assert await listed(browser, "only=unread") == 0


async def test_a_start_that_was_refused_before_there_was_a_charge_is_a_row(browser: Browser, world: World) -> None:
    session_id = await settled(world)
    world.clock.advance(1)
    await refused(world)
    page = await browser.get("/charges")
    assert page.html.count('<td data-col="Charge">') == 2
    assert page.html.index("refused: too little money") < page.html.index(session_id[:8]), "the newest first"
    assert "Недостаточно средств" in page.text, "what the driver read"
    for query, count in (
        ("only=failed", 1),
        (f"only=failed&station={STATION}&client={CLIENT}", 1),
        ("only=failed&station=other", 0),
        ("only=failed&client=other", 0),
        ("only=failed&from=2026-11-24", 0),
        ("only=failed&to=2026-11-22", 0),
        ("only=debt", 0),
        ("status=stopped", 1),
    ):
        assert await listed(browser, query) == count, query
    lines = (await browser.get("/charges/export.csv?only=failed")).html.strip().splitlines()
    assert [line.split(";")[-1] for line in lines[1:]] == ["insufficient_balance"]


async def test_a_charge_that_never_began_is_a_failed_start_once(browser: Browser, world: World) -> None:
    await world.give(50_000)
    session_id = (await world.order(amount_tyiyn=10_000)).session.session_id
    assert await listed(browser, "only=failed") == 0
    await world.app.charging.stop_session(session_id, caller=None, actor="test")
    assert await listed(browser, "only=failed") == 1
    await world.sql("UPDATE evpower.start_attempts SET answer = 'failed'")
    assert await listed(browser, "only=failed") == 1, "one row for an attempt and its charge"


async def test_a_refused_start_elsewhere_is_no_row_of_an_operator(world: World) -> None:
    await world.give(100)
    await refused(world)
    browser = await Browser(world).sign_in("operator")
    assert await listed(browser, "only=failed") == 0


@pytest.mark.parametrize(
    ("query", "field", "reason"),
    [
        ("from=yesterday", "From", "is no day"),
        ("to=2026-13-01", "To", "is no day"),
        ("to=9999-12-31", "To", "is no day"),
        ("from=0001-01-01", "From", "is no day"),
        ("from=2026-11-23&to=2026-11-22", "To", "is before the first day"),
        ("over=much", "Beyond, kWh", "is no number"),
        ("over=1.2.3", "Beyond, kWh", "is no number"),
    ],
)
async def test_a_wrong_filter_gets_the_form_again(browser: Browser, query: str, field: str, reason: str) -> None:
    for path in ("/charges", "/charges/export.csv"):
        page = await browser.get(f"{path}?{query}&station=kept", 400)
        assert f"{field}: {reason}" in page.text
        assert 'value="kept"' in page.html
        assert page.html.count('aria-invalid="true"') == 1


async def test_a_price_that_moved_and_a_car_that_waited_are_on_a_charges_page(browser: Browser, world: World) -> None:
    await world.sql(moving.PLAN)
    await world.sql("UPDATE tariff_plans SET parking_cap = 30")
    await world.sql(
        "INSERT INTO tariff_rules (id, tariff_plan_id, name, tariff_type, price)"
        " VALUES ('F', 'P', 'idle', 'parking_fee', 3), ('D', 'P', 'day', 'per_kwh', 13.5)"
    )
    await world.sql("UPDATE tariff_rules SET priority = 1 WHERE id = 'N'")
    world.clock.time = moving.EVENING
    await world.give(500_00)
    session_id = (await world.order()).session.session_id
    await moving.charge_over_eleven(world, session_id)
    await world.app.settler.work_due()
    page = await browser.get(f"/charges/{session_id}")
    assert "4.300 kWh × 13.5 + 1.100 kWh × 9 + " in page.text
    assert "Price changed 23:00:00: 4.300 kWh by then, between 4.290 kWh at" in page.text
    assert "Idle fee: 3 som a minute, 20 min after the notice" in page.text
    await world.sql("UPDATE evpower.idle_fees SET ended_at = now(), minutes = 15, fee_tyiyn = 3000, taken_tyiyn = 0")
    assert "Idle fee: 15 min × 3 som" in (await browser.get(f"/charges/{session_id}")).text


async def test_where_formula_bill_and_ledger_differ_each_is_named(browser: Browser, world: World) -> None:
    session_id = await settled(world)
    await world.sql("UPDATE charging_sessions SET rate_per_kwh = 14")
    text = (await browser.get(f"/charges/{session_id}")).text
    assert "they differ: the formula makes 70.00 som, the bill is 67.50 som, the ledger sold 67.50 som" in text
    await world.sql("UPDATE charging_sessions SET rate_per_kwh = 13.5")


async def test_a_list_is_of_today_unless_something_is_asked_for(browser: Browser, world: World) -> None:
    await settled(world)
    assert await listed(browser, "") == 1
    await world.sql("UPDATE charging_sessions SET start_time = start_time - interval '1 day'")
    assert await listed(browser, "") == 0
    assert await listed(browser, f"station={STATION}") == 1
    assert await listed(browser, "from=2026-11-22&to=2026-11-22") == 1
    assert await listed(browser, "from=2026-11-23") == 0


async def test_a_page_goes_on_where_the_one_before_ended(
    browser: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charge_list, "PER_PAGE", 2)
    await world.give(50_000)
    for _ in range(3):
        session_id = (await world.order(amount_tyiyn=10_000)).session.session_id
        await world.charge(session_id, 1000)
    seen = []
    path = f"/charges?station={STATION}"
    while path:
        page = await browser.get(path)
        seen += re.findall(r'<td data-col="Charge"><a href="/charges/([^"]+)"', page.html)
        path = next((link for link in page.links if "cursor=" in link), "")
    assert len(seen) == len(set(seen)) == 3
    lines = (await browser.get(f"/charges/export.csv?station={STATION}")).html.strip().splitlines()
    assert [line.split(";")[0] for line in lines[1:]] == seen


async def test_pages_go_on_across_charges_and_failed_starts_of_one_moment(
    browser: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charge_list, "PER_PAGE", 2)
    await settled(world)
    for _ in range(4):
        await refused(world)
    await world.sql("UPDATE evpower.start_attempts SET attempted_at = (SELECT created_at FROM charging_sessions)")
    await world.sql("UPDATE charging_sessions SET start_time = created_at")
    rows, path = 0, "/charges?from=2000-01-01"
    while path:
        page = await browser.get(path)
        rows += page.html.count('<td data-col="Charge">')
        path = next((link for link in page.links if "cursor=" in link), "")
    assert rows == 5
    assert len((await browser.get("/charges/export.csv?from=2000-01-01")).html.strip().splitlines()) == 1 + 5
    for place in ("0001-01-01T00:00:00+00:00|start-1", "2026-11-23T00:00:00+00:00|start-x"):
        await browser.get(f"/charges?cursor={urlsafe_b64encode(place.encode()).decode()}")
    assert await listed(browser, f"station={STATION}&cursor=nonsense") == 2


async def test_columns_are_chosen_and_kept(browser: Browser, world: World) -> None:
    await settled(world)
    page = await browser.get("/charges?columns=location&columns=minutes&columns=nonsense")
    assert 'data-col="Location"' in page.html
    assert 'data-col="Driver"' not in page.html
    assert 'data-col="Location"' in (await browser.get("/charges")).html
    assert 'data-col="Driver"' in (await browser.get("/charges?columns=driver")).html


async def test_a_file_of_an_operator_has_their_own_stations_alone(world: World) -> None:
    await settled(world)
    browser = await Browser(world).sign_in("operator")
    assert len((await browser.get("/charges/export.csv?from=2026-01-01")).html.strip().splitlines()) == 1


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_charge_has_a_text_for_its_driver_in_every_language(
    browser: Browser, world: World, language: str
) -> None:
    session_id = await settled(world)
    await browser.post("/choices", language=language, next="/")
    html = (await browser.get(f"/charges/{session_id}")).html
    assert html.count("<textarea readonly") == 3
    for text in (
        "It cost 67.50 som; 200.00 som had been held, 132.50 som came back",
        "5.000 kWh",
        "Стоимость 67,50 сом",
        "Баасы 67,50 сом",
    ):
        assert text in html


async def test_a_curve_goes_as_far_as_its_charge_and_marks_what_was_not_believed(
    browser: Browser, world: World
) -> None:
    await world.give(50_000)
    session_id = (await world.order(energy_wh=5000)).session.session_id
    begun = await world.begin(await world.tag_of(session_id))
    for register_wh in (1500, 2000, 90_000_000, 2500):
        world.clock.advance(120)
        await world.meter(begun.wire_transaction_id, register_wh, power_w=15_000)
    html = (await browser.get(f"/charges/{session_id}")).html
    assert 'class="hole"' in html
    assert 'class="line limit"' in html
    assert 'class="line stop"' in html
    assert "1 readings not believed" in html
    power = re.search(r'class="line power" points="([^"]+)"', html)
    assert power is not None
    assert not power[1].endswith(",200"), "it goes on: its power has not ended"


async def test_a_balance_is_set_right_once_for_each_ticket(browser: Browser, world: World) -> None:
    session_id = await settled(world)
    before = await world.balance()
    path = f"/drivers/{CLIENT}/do/adjust"
    form = (await browser.get(f"{path}?back=/charges/{session_id}&ticket=T-1")).form(path)
    assert form["ticket"] == "T-1"
    given = {**form, "amount": "-20,50", "reason": "too much"}
    for key in (form["key"], form["key"], f"{KEY}2"):
        response = await browser.send(path, {**given, "key": key})
        assert response.status_code == 303
    assert await world.balance() == before - 2050
    page = await browser.get(response.headers["Location"])
    assert f"{before / 100:.2f} → {(before - 2050) / 100:.2f}" in page.text
    other = await browser.send(path, {**given, "key": f"{KEY}3", "amount": "5"})
    assert other.status_code == 409
    assert await world.balance() == before - 2050


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"amount": "", "reason": "r", "ticket": "t"}, "is needed"),
        ({"amount": "5", "reason": " ", "ticket": "t"}, "is needed"),
        ({"amount": "5", "reason": "r", "ticket": ""}, "is needed"),
        ({"amount": "five", "reason": "r", "ticket": "t"}, "is no sum"),
        ({"amount": "0", "reason": "r", "ticket": "t"}, "must be above 0"),
        ({"amount": "1.234", "reason": "r", "ticket": "t"}, "is no sum"),
    ],
)
async def test_a_wrong_adjustment_gets_the_form_again(
    browser: Browser, world: World, fields: dict[str, str], reason: str
) -> None:
    await world.give(100)
    response = await browser.send(f"/drivers/{CLIENT}/do/adjust", {"key": KEY, **fields})
    assert response.status_code == 400
    assert reason in browser.text
    assert "Nothing was done" in browser.text
    assert await world.balance() == 100
    assert await world.sql("SELECT * FROM evpower.operator_acts") == []


async def test_who_may_move_no_money_sees_no_button(world: World) -> None:
    session_id = await settled(world)
    await world.sql("UPDATE locations SET user_id = 'bek'")
    browser = await Browser(world).sign_in("operator", "bek")
    assert "do/adjust" not in (await browser.get(f"/charges/{session_id}")).html
    assert (await browser.post(f"/drivers/{CLIENT}/do/adjust", key=KEY, amount="5")).status_code == 403


async def test_an_administrator_moves_no_more_than_their_day_allows(world: World) -> None:
    await world.give(100)
    browser = await Browser(world).sign_in("admin", "bek")
    given = {"key": KEY, "amount": "5000,01", "reason": "r", "ticket": "t"}
    response = await browser.send(f"/drivers/{CLIENT}/do/adjust", given)
    assert response.status_code == 409
    assert "Превышен дневной лимит: 5000 сом" in browser.text
    assert await world.balance() == 100
