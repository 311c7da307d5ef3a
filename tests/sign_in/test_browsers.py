"""A browser of staff is signed in by a code to the phone, and nobody else is (contract/operator-pages §1)."""

from __future__ import annotations

import pytest

from evpower.db.pool import Pool
from evpower.errors import Unauthorized
from evpower.sign_in.browsers import Browsers
from evpower.sign_in.errors import CodeExpired, SignedOut, WrongCode
from evpower.staff.service import Staff
from tests.worlds.sign_in import ADDRESS, PHONE, SignInWorld


@pytest.fixture
async def world(pool: Pool) -> SignInWorld:
    world = SignInWorld(pool)
    await world.sign_in.keys.look()
    return world


@pytest.fixture
def browsers(world: SignInWorld) -> Browsers:
    staff = Staff(world.pool, world.clock, world.ids)
    return Browsers(world.pool, world.clock, world.ids, world.codes, staff, world.random_bytes)


async def add_staff(world: SignInWorld) -> None:
    await Staff(world.pool, world.clock, world.ids).add({"id": "aida", "role": "admin", "phone": PHONE}, actor="test")


async def test_staff_sign_in_by_a_code(world: SignInWorld, browsers: Browsers) -> None:
    await add_staff(world)
    await world.codes.send(PHONE, ADDRESS)
    signed_in = await browsers.by_code(PHONE, world.code)
    browser = await browsers.browser(signed_in.cookie)
    assert browser.acting.actor == "operator:aida"
    with pytest.raises(CodeExpired):
        await browsers.by_code(PHONE, world.code)


async def test_a_wrong_code_is_counted_and_signs_nobody_in(world: SignInWorld, browsers: Browsers) -> None:
    await add_staff(world)
    await world.codes.send(PHONE, ADDRESS)
    wrong = "000000" if world.code != "000000" else "111111"
    for left in (2, 1, 0):
        with pytest.raises(WrongCode) as refused:
            await browsers.by_code(PHONE, wrong)
        assert refused.value.details["attempts_left"] == left
    with pytest.raises(CodeExpired):
        await browsers.by_code(PHONE, world.code)


async def test_a_stranger_with_a_right_code_is_not_let_in_and_no_client_is_made(
    world: SignInWorld, browsers: Browsers
) -> None:
    await world.codes.send(PHONE, ADDRESS)
    with pytest.raises(WrongCode):
        await browsers.by_code(PHONE, world.code)
    assert await world.sql("SELECT id FROM clients") == []
    assert await world.sql("SELECT id FROM evpower.sign_ins") == []


async def test_staff_who_were_switched_off_are_not_let_in(world: SignInWorld, browsers: Browsers) -> None:
    await add_staff(world)
    await world.sql("UPDATE users SET is_active = false")
    await world.codes.send(PHONE, ADDRESS)
    with pytest.raises(WrongCode):
        await browsers.by_code(PHONE, world.code)


async def test_a_cookie_is_no_refresh_token_and_a_refresh_token_no_cookie(
    world: SignInWorld, browsers: Browsers
) -> None:
    """A stolen cookie gives no token for other doors, nor a longer life."""
    await add_staff(world)
    await world.codes.send(PHONE, ADDRESS)
    cookie = (await browsers.by_code(PHONE, world.code)).cookie
    with pytest.raises(SignedOut):
        await world.sign_in.sign_ins.refresh(cookie, rotate=False)
    world.clock.advance(61)
    await world.codes.send(PHONE, ADDRESS)
    phone = await world.sign_in.sign_ins.sign_in(PHONE, world.code)
    with pytest.raises(Unauthorized):
        await browsers.browser(phone.refresh_token)
