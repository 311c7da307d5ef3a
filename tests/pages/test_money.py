"""The page of money: each figure equals the ledger's and says so; what waits is decided once; the day's file (§7)."""

from __future__ import annotations

import csv
import html
import io
from datetime import date
from zoneinfo import ZoneInfo

import pytest
import trio

from evpower.billing.books.day_book import day_of, month_of
from evpower.pages.frame.accounting_file import csv_rows
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import CLIENT, World
from tests.worlds.pages import Browser

BISHKEK = ZoneInfo("Asia/Bishkek")
KEY = "0123456789abcdef"
TOP_UP = """
INSERT INTO balance_topups (id, invoice_id, order_id, client_id, requested_amount, status, odengi_status,
    payment_provider, created_at, paid_amount, paid_at)
OVERRIDING SYSTEM VALUE VALUES (7, 'inv-7', 'tu_7', %s, 100, 'processing', 0, 'ODENGI', %s, NULL, NULL)
"""
ORDER = """
INSERT INTO evpower.top_up_orders (topup_id, number, method, phase, phase_at, amount_tyiyn, next_check_at)
VALUES (7, 7, 'qr', %s, %s, 10000, %s)
"""
PARKED = """
INSERT INTO evpower.parked_payments (topup_id, provider, reason, trans_id, amount_tyiyn, currency, parked_at)
VALUES (7, 'ODENGI', 'other_sum', 't-7', 9000, 'KGS', %s) RETURNING id
"""


def plain(text: str) -> str:
    return html.unescape(text).replace("\N{NARROW NO-BREAK SPACE}", " ")


async def settled(world: World, energy_wh: int = 5000) -> str:
    await world.give(50_000)
    session_id = (await world.order(amount_tyiyn=20_000)).session.session_id
    await world.charge(session_id, energy_wh)
    return session_id


async def parked(world: World, phase: str = "review") -> int:
    """A payment of another sum than was ordered."""
    await world.give(100)
    now = world.clock.now()
    async with by_hand(world.pool) as conn:
        await conn.execute(TOP_UP, (CLIENT, now))
        await conn.execute(ORDER, (phase, now, now if phase == "processing" else None))
        if phase == "processing":
            return 0
        row = await (await conn.execute(PARKED, (now,))).fetchone()
    assert row is not None
    return int(row["id"])


async def decide(browser: Browser, number: int, key: str = KEY, **form: str) -> int:
    fields = {"key": key, "act": "credit", "amount": "90", "reason": "seen in the cabinet", **form}
    return (await browser.send(f"/money/parked/{number}", fields)).status_code


async def acts(world: World) -> list[tuple[str, str, str]]:
    rows = await world.sql("SELECT act, target, outcome FROM evpower.operator_acts ORDER BY acted_at, key")
    return [(row["act"], row["target"], row["outcome"]) for row in rows]


async def test_revenue_of_the_day_equals_the_ledger_and_says_so(browser: Browser, world: World) -> None:
    await settled(world)
    page = await browser.get("/money")
    assert "Equals the ledger's account revenue: 67.50" in plain(page.html)
    assert "✘" not in page.text
    assert "Equals the ledger's account held: 0.00" in plain(page.html)


async def test_a_bill_that_the_ledger_does_not_have_differs_on_its_day_alone(browser: Browser, world: World) -> None:
    session_id = await settled(world)
    await world.sql("UPDATE charging_sessions SET amount = amount + 1 WHERE id = %s", session_id)
    page = await browser.get("/money")
    assert "rows say 68.50" in plain(page.text)
    assert page.text.count("Differs from the ledger's account revenue") == 2
    page = await browser.get("/money?day=2026-11-22")
    assert page.text.count("Differs from the ledger's account revenue") == 1  # the month's alone
    await world.sql("UPDATE charging_sessions SET amount = amount - 1 WHERE id = %s", session_id)


async def test_what_charges_hold_is_beside_the_account_held(browser: Browser, world: World) -> None:
    await world.give(50_000)
    await world.order(amount_tyiyn=20_000)
    assert "Equals the ledger's account held: 200.00" in plain((await browser.get("/money")).html)


async def test_a_parked_payment_says_why_and_what_to_do_and_is_credited_once(browser: Browser, world: World) -> None:
    number = await parked(world)
    page = await browser.get("/money")
    assert "Another sum was paid than was ordered." in page.text
    assert "Look into the provider's cabinet" in page.text
    before = await world.balance()
    assert await decide(browser, number) == 303
    assert await decide(browser, number) == 303
    assert await world.balance() - before == 9000
    assert await acts(world) == [("payment_credit", f"{number}", "done")]
    page = await browser.get("/money")
    assert "No payment waits" in page.text
    assert "ODENGI (1)" in page.text
    assert "Equals the ledger's account provider:ODENGI: 90.00" in plain(page.html)


async def test_two_people_who_decide_at_once_move_money_once(browser: Browser, world: World) -> None:
    number = await parked(world)
    before = await world.balance()
    assert await decide(browser, number, key=KEY + "1") == 303
    assert await decide(browser, number, key=KEY + "2") == 400
    assert "nothing was done" in browser.text
    assert await world.balance() - before == 9000


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"reason": ""}, "Reason"),
        ({"amount": ""}, "Sum, som"),
        ({"amount": "0"}, "Sum, som"),
        ({"amount": "-5"}, "Sum, som"),
        ({"amount": "1,234"}, "Sum, som"),
        ({"amount": "NaN"}, "Sum, som"),
        ({"act": "steal"}, "Decision"),
    ],
)
async def test_a_wrong_form_comes_again_with_its_field_and_nothing_is_done(
    browser: Browser, world: World, form: dict[str, str], field: str
) -> None:
    number = await parked(world)
    before = await world.balance()
    assert await decide(browser, number, **form) == 400
    assert f"{field}:" in browser.text
    assert 'value="seen in the cabinet"' in browser.text or form.get("reason") == ""
    assert (await world.balance(), await acts(world)) == (before, [])


@pytest.mark.parametrize("number", ["0", "999999", "x", "-1"])
async def test_a_decision_about_nothing_is_404(browser: Browser, number: str) -> None:
    fields = {"key": KEY, "act": "dismiss", "reason": "no"}
    assert (await browser.send(f"/money/parked/{number}", fields)).status_code == 404


async def test_an_operator_sees_no_money(world: World) -> None:
    browser = await Browser(world).sign_in("operator")
    await browser.get("/money", 403)
    assert await decide(browser, await parked(world)) == 403
    assert "admin" in browser.text
    assert await acts(world) == []


async def test_an_administrator_moves_no_more_than_the_daily_limit(world: World) -> None:
    number = await parked(world)
    browser = await Browser(world).sign_in("admin")
    before = await world.balance()
    assert await decide(browser, number, amount="5000,01") == 403
    assert await world.balance() == before
    assert await decide(browser, number, key=KEY + "2", amount="5000") == 303


async def test_an_undecided_top_up_is_asked_about_at_once(browser: Browser, world: World) -> None:
    await parked(world, "processing")
    page = await browser.get("/money")
    form = page.form("/money/ask")
    assert form["order"] == "tu_7"
    assert (await browser.send("/money/ask", form)).status_code == 303
    (order,) = await world.sql("SELECT due_why FROM evpower.top_up_orders")
    assert order["due_why"] == "forced"
    assert await acts(world) == [("ask_provider", "tu_7", "done")]


async def test_the_ledger_is_checked_in_the_background(browser: Browser, world: World) -> None:
    await settled(world)
    form = (await browser.get("/money")).form("/money/check")
    assert (await browser.send("/money/check", form)).status_code == 303
    assert "Being checked since" in (await browser.get("/money")).text
    async with trio.open_nursery() as nursery:
        await nursery.start(world.app.ledger_checks.run)
        with trio.fail_after(20):
            while await world.app.ledger_checks.last() is None or world.app.ledger_checks.asked_at is not None:
                await world.at_rest()
        nursery.cancel_scope.cancel()
    page = await browser.get("/money")
    assert "✔ Nothing contradicts." in page.text
    (entries,) = await world.sql("SELECT count(*) AS entries FROM evpower.ledger_entries")
    assert f"{entries['entries']} entries" in page.text


async def test_what_a_check_found_is_shown(browser: Browser, world: World) -> None:
    session_id = await settled(world)
    await world.sql("UPDATE charging_sessions SET amount = amount + 1 WHERE id = %s", session_id)
    await world.app.ledger_checks.check_now()
    page = await browser.get("/money")
    assert "settled sessions whose revenue is not their amount: 1" in page.text
    await world.sql("UPDATE charging_sessions SET amount = amount - 1 WHERE id = %s", session_id)


@pytest.mark.parametrize(("language", "figure"), [("ru", "67,50"), ("ky", "67,50"), ("en", "67.50")])
async def test_the_day_file_has_every_posting_as_accountants_read_it(
    browser: Browser, world: World, language: str, figure: str
) -> None:
    await settled(world)
    browser.client.set_cookie("localhost", "evpower_language", language)
    response = await browser.client.get("/money/day.csv")
    body: bytes = await response.get_data(as_text=False)
    assert body.startswith(b"\xef\xbb\xbf")
    header, *lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig")), delimiter=";"))
    (postings,) = await world.sql("SELECT count(*) AS count FROM evpower.ledger_postings")
    assert (len(header), len(lines)) == (10, postings["count"])
    assert [line[4] for line in lines if line[3] == "revenue"] == [figure]
    assert "attachment" in response.headers["Content-Disposition"]
    empty = await (await browser.client.get("/money/day.csv?day=2026-11-22")).get_data(as_text=True)
    assert len(empty.splitlines()) == 1


def test_a_text_of_a_file_is_no_formula() -> None:
    assert csv_rows([["=1+1", "@x", "-1+2", "-12,50", 3, None, "a;b"]]) == "'=1+1;'@x;'-1+2;-12,50;3;;\"a;b\"\r\n"


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01"])
async def test_a_day_that_is_none_is_refused(browser: Browser, day: str) -> None:
    await browser.get(f"/money?day={day}", 400)


def test_a_day_and_a_month_are_those_of_the_time_zone() -> None:
    day, month = day_of(date(2026, 12, 31), BISHKEK), month_of(date(2026, 12, 31), BISHKEK)
    assert (day.since.isoformat(), day.until.isoformat()) == ("2026-12-30T18:00:00+00:00", "2026-12-31T18:00:00+00:00")
    assert (month.since.isoformat(), month.until.isoformat()) == (
        "2026-11-30T18:00:00+00:00",
        "2026-12-31T18:00:00+00:00",
    )
