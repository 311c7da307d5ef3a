"""Forecasts on the operators' pages: a location's week, how good they were (roadmap/forecast-navigation §6)."""

from __future__ import annotations

from datetime import date

from evpower.forecast.backtest import DayScores, ScoreSum
from evpower.pages.forecast.drawing import SIDE, heat_map, reliability, skill_lines
from evpower.settings.config import Config
from evpower.settings.phones import ForecastSettings
from tests.forecast.test_door import with_past
from tests.forecast.test_nightly import past
from tests.worlds.charging import World
from tests.worlds.pages import Browser

__all__ = ["past"]

PAGE, HERE = "/network/forecast", "/network/forecast/EVP-LOC-001"


async def test_the_week_of_a_location_is_seen_and_forecast(world: World, browser: Browser) -> None:
    """Free until noon, half free after it."""
    await with_past(world, 21)
    await world.sql(
        "INSERT INTO evpower.turned_away VALUES ('EVP-LOC-001', %s, 4, 3), ('EVP-LOC-001', %s, 90, 90)",
        world.clock.now(),
        world.clock.now().replace(year=2025),
    )
    page = await browser.get(HERE)
    assert page.html.count("<rect") == 2 * 168
    assert ">100</text>" in page.html
    assert ">50</text>" in page.html
    assert "starts refused while nothing was free 4 waits for a free connector 3" in page.text
    assert HERE in (await browser.get(PAGE)).links


async def test_scores_are_a_table_and_two_diagrams(past: World) -> None:
    await past.app.forecast_nightly.work()
    browser = await Browser(past).sign_in()
    page = await browser.get(PAGE)
    assert "Days that are scored: 4" in page.text
    assert page.html.count("<circle") >= 2
    assert page.html.count('<polyline class="line ahead-') == 4
    assert "24 h" in page.text


async def test_before_there_is_a_past_nothing_is_drawn(browser: Browser) -> None:
    assert "the network has to be watched for a week" in (await browser.get(PAGE)).text
    page = await browser.get(HERE)
    assert "the network has to be watched for a week" in page.text
    assert "<rect" not in page.html
    await browser.get(f"{PAGE}/EVP-LOC-404", 404)


async def test_an_operator_sees_their_own_weeks_and_no_scores(world: World) -> None:
    await world.sql("INSERT INTO locations (id, name, address) VALUES ('OTHER', 'Other', 'a')")
    browser = await Browser(world).sign_in("operator")
    await world.sql(
        "INSERT INTO evpower.staff_locations (user_id, location_id, granted_by, granted_at) SELECT id,"
        " 'EVP-LOC-001', 'x', %s FROM users",
        world.clock.now(),
    )
    page = await browser.get(PAGE)
    assert "How good they were" not in page.text
    assert "Other" not in page.text
    await browser.get(HERE)
    await browser.get(f"{PAGE}/OTHER", 404)


async def test_switched_off_the_page_says_so(world: World) -> None:
    browser = await Browser(world, Config(forecast=ForecastSettings(enabled=False))).sign_in()
    for path in (PAGE, HERE):
        assert "switched off" in (await browser.get(path)).text


def test_hours_lie_in_their_place() -> None:
    cells = heat_map([0.254] + [None] * 167)
    assert [(each.x, each.y, each.percent) for each in cells[:2]] == [(34, 20, 25), (34, 42, None)]
    assert (cells[24].x, cells[24].y) == (34 + 40, 20)
    assert (cells[-1].x, cells[-1].y) == (34 + 6 * 40, 20 + 23 * 22)


def test_what_comes_true_as_often_as_it_says_lies_on_the_diagonal() -> None:
    scores = DayScores()
    scores.served[15, 5] = ScoreSum(100, 25)
    scores.served[60, 10] = ScoreSum(25, 20)
    first, second = reliability(scores)
    assert (first.x, first.y) == (SIDE // 4, SIDE * 3 // 4)
    assert first.radius > second.radius
    assert (second.predicted, second.observed) == (50, 80)


def test_skill_is_a_line_over_days_and_stays_within_the_picture() -> None:
    days = {date(2026, 11, 19 + n): {15: skill} for n, skill in enumerate((0.5, 0.0, -9.0))}
    (line,) = skill_lines(days)
    assert (line.horizon_min, line.points) == (15, "0,0 300,100 600,200")
    assert skill_lines({date(2026, 11, 19): {15: 1.0}}) == ()
