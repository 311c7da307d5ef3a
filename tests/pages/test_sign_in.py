"""Who is let in to the pages, and who is not (contract/operator-pages §1, roadmap/identity §3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import pytest

from evpower.errors import DatabaseUnavailable, NotFound
from evpower.pages.frame.visitor import COOKIE
from evpower.settings.config import Config
from evpower.sign_in.browsers import COOKIE_LIFETIME, LINK_LIFETIME
from evpower.sign_in.service import forget_sign_ins
from evpower.staff.totp import code_of, step_of
from tests.worlds.charging import World
from tests.worlds.pages import Browser

LINK = "/sign-in/"


async def link_of(world: World, name: str) -> str:
    return LINK + await world.app.browsers.make_link(name, actor="test")


async def test_a_stranger_is_asked_to_sign_in_and_comes_back_to_where_they_were_going(world: World) -> None:
    response = await Browser(world).client.get("/?a=b")
    assert (response.status_code, response.headers["Location"]) == (303, "/sign-in?next=/%3Fa%3Db")


async def test_the_cookie_is_read_by_no_script_and_sent_by_no_other_site(world: World) -> None:
    browser = Browser(world)
    await world.app.staff.add({"id": "aida", "role": "admin"}, actor="test")
    cookie = (await browser.post(await link_of(world, "aida"))).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert f"Max-Age={12 * 3600}" in cookie


async def test_a_link_signs_in_once(world: World) -> None:
    await world.app.staff.add({"id": "aida", "role": "admin"}, actor="test")
    link = await link_of(world, "aida")
    assert (await Browser(world).post(link)).status_code == 303
    assert (await Browser(world).post(link)).status_code == 401


async def test_looking_at_a_link_does_not_use_it_up(world: World) -> None:
    """A preview in a chat looks at every link."""
    await world.app.staff.add({"id": "aida", "role": "admin"}, actor="test")
    link = await link_of(world, "aida")
    for _ in range(2):
        await Browser(world).get(link)
    assert (await Browser(world).post(link)).status_code == 303


@pytest.mark.parametrize("token", ["x", "A" * 43, "é", "%00"])
async def test_what_is_no_link_signs_nobody_in(world: World, token: str) -> None:
    assert (await Browser(world).post(LINK + token)).status_code == 401


async def test_a_link_runs_out(world: World) -> None:
    await world.app.staff.add({"id": "aida", "role": "admin"}, actor="test")
    link = await link_of(world, "aida")
    world.clock.advance(LINK_LIFETIME.total_seconds())
    assert (await Browser(world).post(link)).status_code == 401


async def test_a_cookie_ends_after_twelve_hours_of_use(browser: Browser, world: World) -> None:
    world.clock.advance(COOKIE_LIFETIME.total_seconds() - 1)
    await browser.get("/")
    await forget_sign_ins(world.pool, world.clock.now())
    await browser.get("/")
    world.clock.advance(1)
    assert (await browser.client.get("/")).status_code == 303


async def test_who_signed_out_is_out(browser: Browser) -> None:
    assert (await browser.post("/sign-out")).headers["Location"] == "/sign-in"
    assert (await browser.client.get("/")).status_code == 303


async def test_a_cookie_that_was_copied_is_worthless_after_signing_out(world: World) -> None:
    browser, thief = await Browser(world).sign_in(), Browser(world)
    thief.client.set_cookie("localhost", COOKIE, browser.cookie)
    await thief.get("/")
    await browser.post("/sign-out")
    assert (await thief.client.get("/")).status_code == 303


async def test_who_was_switched_off_sees_nothing_more(browser: Browser, world: World) -> None:
    await world.app.staff.change("aida", {"is_active": False}, actor="test")
    assert (await browser.client.get("/")).status_code == 303


async def test_nobody_is_made_staff_by_a_link(world: World) -> None:
    """A client's phone is no member of the staff; a link for an id that is none is refused."""
    await world.give(100)
    with pytest.raises(NotFound):
        await world.app.browsers.make_link("client-1", actor="test")


@pytest.mark.parametrize("origin", [{}, {"Origin": "null"}, {"Origin": "https://evil.example"}])
async def test_a_form_of_another_site_does_nothing(browser: Browser, origin: dict[str, str]) -> None:
    assert (await browser.post("/sign-out", sent_from=origin)).status_code == 403
    await browser.get("/")


async def test_from_elsewhere_than_allowed_not_even_the_sign_in_is_shown(world: World) -> None:
    config = Config()
    config = replace(config, http=replace(config.http, admin_allow=(ip_network("192.0.2.0/24"),)))
    await Browser(world, config).get("/sign-in", 403)


async def test_a_second_factor_is_shown_before_a_write_where_it_is_asked_for(world: World) -> None:
    second_factor = world.app.second_factor
    second_factor.is_required = True
    browser = await Browser(world).sign_in("admin")
    enrolled = await second_factor.enrol("aida", actor="test")
    secret = (await world.sql("SELECT secret FROM evpower.staff_totp"))[0]["secret"]
    await second_factor.confirm("aida", code_of(secret, step_of(world.clock.now())))
    assert enrolled.secret
    refused = await browser.post("/charges/x/stop", key="k" * 20)
    assert (refused.status_code, refused.headers["Location"]) == (303, "/second-factor?next=/")
    world.clock.advance(timedelta(minutes=1).total_seconds())
    assert (await browser.post("/second-factor", code="000000", next="/")).status_code == 403
    shown = await browser.post("/second-factor", code=code_of(secret, step_of(world.clock.now())), next="/charges")
    assert (shown.status_code, shown.headers["Location"]) == (303, "/charges")
    assert (await browser.post("/charges/x/stop", key="k" * 20)).status_code == 404


async def test_without_sms_a_code_is_not_asked_for(world: World) -> None:
    page = await Browser(world).get("/sign-in")
    assert [form for form in page.forms if "phone" in form] == []


async def test_while_postgresql_is_away_who_was_let_in_lately_goes_on_reading(
    browser: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last picture stays, with its time; nobody new is let in, and nothing is done."""
    await browser.get("/")

    async def away(*_: object) -> None:
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(world.app.browsers, "browser", away)
    monkeypatch.setattr(world.app.pictures, "look", away)
    world.clock.advance(800)
    page = await browser.get("/")
    assert "as of 12:00:00" in page.text
    world.clock.advance(200)
    await browser.get("/", 503)
    stranger = Browser(world)
    stranger.client.set_cookie("localhost", COOKIE, "A" * 43)
    await stranger.get("/", 503)
