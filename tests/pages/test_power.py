"""A site with a limit as its page shows it: shares that move, who does not obey, a limit from outside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import trio

from evpower.errors import InvalidRequest
from evpower.identifiers import ConnectorId, StationId
from evpower.pages.live import Rows
from evpower.pages.power import sites
from evpower.pages.power.drawing import HEIGHT, WIDTH, color_of, draw_group
from evpower.pages.power.routes import read_limit
from evpower.pages.power.sites import SharedViews
from evpower.pages.power.stream import GroupStream
from evpower.power.service import GrantedTime, PowerMoment
from evpower.power.site import GroupId
from tests.pages.test_live import Stream, rows_of, seen
from tests.power.test_keeper import GROUP, MEMBERS, OTHER, Desk, desk
from tests.worlds.charging import ONE, STATION, TWO, World
from tests.worlds.pages import Browser

__all__ = ["desk"]

PAGE = "/network/power"
KEY = "0123456789abcdef"
AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
A, B = (StationId("S-1"), ConnectorId(1)), (StationId("S-1"), ConnectorId(2))


async def group_of(world: World) -> int:
    (row,) = await world.sql("SELECT id FROM evpower.power_groups")
    return int(row["id"])


async def test_two_cars_share_what_there_is_and_the_page_shows_it(
    desk: Desk, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sites, "READ_EVERY_S", 0)
    world, number = desk.world, await group_of(desk.world)
    await desk.settle()
    first = await desk.start(ONE)
    await desk.start(TWO, OTHER)
    await desk.settle()
    await desk.measure(first, ONE, 9.5)
    assert f"{PAGE}/{number}" in (await browser.get(PAGE)).links
    page = await browser.get(f"{PAGE}/{number}")
    assert "Limit 20.0 A Granted 20.0 A Measured 9.5 A" in page.text
    assert f"{STATION}/1 ● charging 32.0 A 10.0 A 9.5 A" in page.text
    assert f"{STATION}/2 ● charging 32.0 A 10.0 A" in page.text
    assert page.html.count("<polygon") == 2
    assert "nameplates" not in page.text
    assert "All connectors together could draw more" in page.text
    await world.sql("UPDATE evpower.power_group_members SET uncontrolled = 'refuses', uncontrolled_since = now()")
    assert f"Do not obey: 2 · {STATION}/1 32.0 A" in (await browser.get(f"{PAGE}/{number}")).text


async def test_a_limit_from_outside_is_set_once_and_a_wrong_one_comes_back_with_the_field(
    desk: Desk, browser: Browser
) -> None:
    number = await group_of(desk.world)
    page, action = await browser.get(f"{PAGE}/{number}"), f"{PAGE}/{number}/limit"
    form = {**page.form(action), "limit": "12,5", "unit": "a"}
    wrong = await browser.send(action, {**form, "limit": "much", "valid_until": "yesterday"})
    assert wrong.status_code == 400
    assert "a number from 0 on" in browser.text
    assert "a time that is still to come" in browser.text
    assert 'value="much"' in browser.text
    assert await desk.world.sql("SELECT 1 FROM evpower.power_groups WHERE outside_a IS NOT NULL") == []
    for _ in range(2):
        assert (await browser.send(action, form)).status_code == 303
    (row,) = await desk.world.sql("SELECT outside_a, outside_until FROM evpower.power_groups")
    assert (row["outside_a"], row["outside_until"]) == (Decimal("12.5"), desk.world.clock.now() + timedelta(hours=2))
    assert "Limit 12.5 A" in (await browser.get(f"{PAGE}/{number}")).text
    assert "limited a power group" in (await browser.get("/journal")).text


async def test_an_operator_sees_a_site_that_is_all_theirs_and_limits_nothing(world: World) -> None:
    (group,) = await world.sql(GROUP, 20, 5)
    await world.sql(MEMBERS, group["id"])
    browser = await Browser(world).sign_in("operator", "bek")
    address = f"{PAGE}/{group['id']}"
    assert address not in (await browser.get(PAGE)).links
    await browser.get(address, 404)
    await browser.get(f"{address}/live", 404)
    await world.app.staff.grant("bek", "EVP-LOC-001", actor="test")
    assert address in (await browser.get(PAGE)).links
    page = await browser.get(address)
    assert f"{address}/limit" not in [form[""] for form in page.forms]
    form = {"key": KEY, "limit": "6", "unit": "a", "valid_until": "2030-01-01T00:00"}
    assert (await browser.send(f"{address}/limit", form)).status_code == 403
    await browser.get(f"{PAGE}/77", 404)


async def test_what_moves_is_sent_with_the_age_of_the_picture(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites, "READ_EVERY_S", 0)
    world, number = desk.world, GroupId(await group_of(desk.world))
    async with seen(world) as picture:
        views, rows = SharedViews(world.app.power_groups, world.clock), rows_of(world)
        stream = watching(world, rows, views, number, Stream(world, rows, picture))
        assert (await anext(stream)).startswith(b": connected")
        with world.app.pictures.watched(), trio.fail_after(30):
            first = (await anext(stream)).decode()
            assert 'hx-target="#power-now"' in first
            assert 'hx-target="#bar-figures"' in first
            assert "event: tick" in first
            await world.app.power_groups.limit(number, read_limit(OUTSIDE, world.clock.now(), ZONE), actor="test")
            while 'hx-target="#power-now"' not in (batch := (await anext(stream)).decode()):
                pass
            assert "7.0\u202fA" in batch


ZONE = ZoneInfo("Asia/Bishkek")
OUTSIDE = {"limit": "7", "unit": "a", "valid_until": "2030-01-01T00:00"}


def watching(world: World, rows: Rows, views: SharedViews, number: GroupId, like: Stream) -> GroupStream:
    viewer = like.body._viewer
    return GroupStream(world.app.pictures, world.clock, like.body._ids, rows, viewer, {}, views, number)


@pytest.mark.parametrize(
    ("field", "value"),
    [("limit", "-1"), ("limit", "1.25"), ("limit", "6301"), ("limit", "NaN"), ("limit", ""), ("unit", "W")]
    + [("valid_until", each) for each in ("", "soon", "2026-11-26T17:59")],
)
def test_a_limit_that_cannot_be_is_refused_by_name(field: str, value: str) -> None:
    given = {**OUTSIDE, field: value}
    with pytest.raises(InvalidRequest) as refused:
        read_limit(given, AT, ZONE)
    assert [name for name, _ in refused.value.fields] == [field]


def test_a_limit_is_until_a_time_of_the_networks_zone() -> None:
    read = read_limit({"limit": "3,5", "unit": "kw", "valid_until": "2026-11-26T18:30"}, AT, ZONE)
    assert (read.limit_a, read.limit_kw) == (None, Decimal("3.5"))
    assert read.valid_until == AT + timedelta(minutes=30)


def minutes(after: float) -> datetime:
    return AT + timedelta(minutes=after)


def moment(after: float, limit_da: int = 400, measured_da: int = 100) -> PowerMoment:
    return PowerMoment(minutes(after), limit_da, 0, 0, measured_da)


def test_grants_stand_on_each_other_and_a_renewal_is_no_step() -> None:
    """20 A and 20 A below a limit of 40 A; then the first has all of it."""
    granted = [
        GrantedTime(A, 200, minutes(0), minutes(2)),
        GrantedTime(A, 200, minutes(2), minutes(5)),
        GrantedTime(A, 400, minutes(5), minutes(10)),
        GrantedTime(B, 200, minutes(0), minutes(5)),
    ]
    drawn = draw_group([A, B], granted, [moment(each) for each in range(11)], minutes(0), minutes(10))
    assert drawn is not None
    assert drawn.most_da == 440
    first, second = drawn.bands
    assert (first.name, second.name) == ("S-1/1", "S-1/2")
    half, full = round(HEIGHT * (1 - 200 / 440)), round(HEIGHT * (1 - 400 / 440))
    assert first.points == f"0,{half} 500,{half} 500,{full} {WIDTH},{full} {WIDTH},{HEIGHT} 0,{HEIGHT}"
    assert second.points.startswith(f"0,{full} ")
    assert first.label is not None
    assert second.label is None


def test_a_limit_is_a_step_and_nothing_is_drawn_where_nothing_is_known() -> None:
    moments = [moment(0), moment(1), moment(2, limit_da=200), moment(8), moment(9)]
    drawn = draw_group([], [], moments, minutes(0), minutes(10))
    assert drawn is not None
    first, second = drawn.limits
    high, low = round(HEIGHT * (1 - 400 / 440)), round(HEIGHT * (1 - 200 / 440))
    assert first == f"0,{high} 100,{high} 200,{high} 200,{low}"
    assert second == f"800,{high} 900,{high}"
    assert len(drawn.measured) == 2
    assert draw_group([A], [], [], minutes(0), minutes(10)) is None


def test_a_connector_keeps_its_colour_when_another_one_comes() -> None:
    late, both = GrantedTime(B, 200, minutes(5), minutes(10)), GrantedTime(A, 200, minutes(0), minutes(10))
    for granted in ([late], [late, both]):
        drawn = draw_group([A, B], granted, [], minutes(0), minutes(10))
        assert drawn is not None
        assert drawn.bands[-1].color == color_of(1)


def test_hundreds_of_connectors_are_a_picture_of_bounded_size() -> None:
    outlets = [(StationId(f"S-{number}"), ConnectorId(1)) for number in range(200)]
    granted = [
        GrantedTime(outlet, 60 + (number + minute) % 2 * 20, minutes(minute), minutes(minute + 1))
        for number, outlet in enumerate(outlets)
        for minute in range(180)
    ]
    drawn = draw_group(outlets, granted, [], minutes(0), minutes(180))
    assert drawn is not None
    assert sum(len(band.points) for band in drawn.bands) < 150_000
