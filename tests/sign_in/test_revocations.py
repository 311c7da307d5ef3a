"""Tokens that end before their time: signed out, blocked, deleted, disabled (roadmap/identity §2)."""

from __future__ import annotations

from datetime import timedelta

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from evpower.clock import random_bytes
from evpower.db.pool import Pool
from evpower.errors import InvalidToken, Unauthorized
from evpower.identifiers import PhoneNumber
from evpower.identity.identity import Identity
from evpower.sign_in.errors import SignedOut
from evpower.sign_in.service import SignedIn, forget_sign_ins
from tests.worlds.fakes import SetClock
from tests.worlds.sign_in import ADDRESS, OTHER_PHONE, PHONE, SignInWorld

HOUR = 3600


class Process(SignInWorld):
    """One process of an installation, with what checks tokens."""

    def __init__(self, pool: Pool, clock: SetClock | None = None) -> None:
        super().__init__(pool, random_bytes=random_bytes, clock=clock)
        self.revocations = self.sign_in.revocations

    async def look(self) -> None:
        await self.sign_in.keys.look()
        await self.revocations.look()

    async def enters(self, phone: PhoneNumber = PHONE) -> SignedIn:
        self.clock.advance(60)
        await self.codes.send(phone, ADDRESS)
        return await self.sign_in.sign_ins.sign_in(phone, self.code)

    async def lets_in(self, signed_in: SignedIn) -> bool:
        try:
            return (await self.verifier.verify(signed_in.access_token)).subject == signed_in.person.id
        except InvalidToken:
            return False

    async def refreshes(self, signed_in: SignedIn) -> str:
        """`yes`, or why not."""
        try:
            await self.sign_in.sign_ins.refresh(signed_in.refresh_token, rotate=False)
        except SignedOut as refused:
            return str(refused.details["reason"])
        return "yes"

    def foreign(self, signed_in: SignedIn, *, issued_s_ago: float | None = 0) -> Identity:
        """The same person with a token of another issuer."""
        now = self.clock.now()
        issued_at = None if issued_s_ago is None else now - timedelta(seconds=issued_s_ago)
        return Identity(signed_in.person.id, "client", now + timedelta(hours=1), issued_at=issued_at)


@pytest.fixture
async def here(pool: Pool) -> Process:
    process = Process(pool)
    await process.look()
    return process


@pytest.fixture
async def there(here: Process) -> Process:
    """Another process of the same installation."""
    process = Process(here.pool, here.clock)
    await process.look()
    return process


async def set_status(world: SignInWorld, status: str) -> None:
    world.clock.advance(0.01)
    await world.sql("UPDATE clients SET status = %s, updated_at = %s", status, world.clock.now())


async def test_signing_out_ends_the_access_token_at_once_here_and_soon_there(here: Process, there: Process) -> None:
    signed_in, other = await here.enters(), await here.enters(OTHER_PHONE)
    assert await here.lets_in(signed_in)
    assert await there.lets_in(signed_in)
    await here.sign_in.sign_ins.sign_out(signed_in.refresh_token)
    assert not await here.lets_in(signed_in)
    await there.look()
    assert not await there.lets_in(signed_in)
    assert await here.lets_in(other)
    assert await there.lets_in(other)


async def test_signing_out_everywhere_ends_every_phone_of_the_person_and_nobody_elses(here: Process) -> None:
    first, second, other = await here.enters(), await here.enters(), await here.enters(OTHER_PHONE)
    identity = await here.verifier.verify(first.access_token)
    await here.sign_in.sign_ins.sign_out_everywhere(identity)
    assert [await here.lets_in(each) for each in (first, second, other)] == [False, False, True]
    assert [await here.refreshes(each) for each in (first, second, other)] == ["logout_all", "logout_all", "yes"]


async def test_a_stolen_refresh_token_ends_the_access_tokens_too(here: Process) -> None:
    signed_in = await here.enters()
    await here.sign_in.sign_ins.refresh(signed_in.refresh_token, rotate=True)
    here.clock.advance(11)
    with pytest.raises(SignedOut):
        await here.sign_in.sign_ins.refresh(signed_in.refresh_token, rotate=True)
    assert not await here.lets_in(signed_in)


@pytest.mark.parametrize("status", ["blocked", "inactive"])
async def test_a_client_who_is_blocked_or_deleted_by_whichever_door_is_signed_out(here: Process, status: str) -> None:
    signed_in, other = await here.enters(), await here.enters(OTHER_PHONE)
    await here.sql("UPDATE clients SET status = %s, updated_at = %s WHERE phone = %s", status, here.clock.now(), PHONE)
    await here.look()
    assert [await here.lets_in(each) for each in (signed_in, other)] == [False, True]
    assert await here.refreshes(signed_in) == "revoked"


async def test_a_blocked_client_may_sign_in_anew_also_in_the_same_second(here: Process) -> None:
    await here.enters()
    here.clock.advance(60.9)
    await set_status(here, "blocked")
    await here.codes.send(PHONE, ADDRESS)
    again = await here.sign_in.sign_ins.sign_in(PHONE, here.code)
    await here.look()
    assert await here.lets_in(again)
    assert again.person.status == "blocked"


async def test_being_unblocked_ends_nothing(here: Process) -> None:
    await here.enters()
    await set_status(here, "blocked")
    again = await here.enters()
    await set_status(here, "active")
    await here.sql("UPDATE clients SET name = 'Айбек'")
    await here.look()
    assert await here.lets_in(again)


async def test_a_token_of_another_issuer_from_before_the_block_is_refused_and_a_later_one_is_not(here: Process) -> None:
    signed_in = await here.enters()
    before, without_time = here.foreign(signed_in, issued_s_ago=1), here.foreign(signed_in, issued_s_ago=None)
    assert not here.revocations.refused(before)
    await set_status(here, "blocked")
    await here.look()
    assert here.revocations.refused(before)
    assert here.revocations.refused(without_time)
    assert not here.revocations.refused(here.foreign(signed_in))


@pytest.mark.parametrize("change", ["is_active = false", "phone = '+996700000001'", None], ids=str)
async def test_staff_that_is_disabled_renumbered_or_removed_is_signed_out(here: Process, change: str | None) -> None:
    await here.sql("INSERT INTO users (id, phone, role) VALUES ('ann', %s, 'admin')", PHONE)
    signed_in = await here.enters()
    await here.sql("DELETE FROM users" if change is None else f"UPDATE users SET {change}")
    await here.look()
    assert not await here.lets_in(signed_in)
    assert await here.refreshes(signed_in) == "revoked"


async def test_what_else_changes_of_staff_ends_nothing(here: Process) -> None:
    await here.sql("INSERT INTO users (id, phone, role) VALUES ('ann', %s, 'admin')", PHONE)
    signed_in = await here.enters()
    await here.sql("UPDATE users SET email = 'ann@example.kg', role = 'operator', is_active = true")
    await here.look()
    assert await here.lets_in(signed_in)


async def test_what_has_ended_is_kept_as_long_as_a_token_lives(here: Process, there: Process) -> None:
    signed_in = await here.enters()
    await here.sign_in.sign_ins.sign_out(signed_in.refresh_token)
    here.clock.advance(HOUR + 30)
    await there.look()
    assert not await there.lets_in(signed_in)
    here.clock.advance(HOUR)
    await there.look()
    assert there.revocations._sign_ins == frozenset()


async def test_what_ends_while_the_rows_are_read_is_not_forgotten(here: Process) -> None:
    signed_in = await here.enters()
    sid = (await here.verifier.verify(signed_in.access_token)).family
    assert sid is not None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(here.revocations.look)
        await wait_all_tasks_blocked()
        here.revocations.end([sid])
    assert not await here.lets_in(signed_in)


async def test_every_end_is_told_to_every_process_at_its_commit(here: Process) -> None:
    signed_in = await here.enters()
    async with here.pool.connection() as conn:
        told: list[str] = []
        conn.add_notify_handler(lambda notify: told.append(notify.payload))
        await conn.execute("LISTEN evpower")
        await here.sign_in.sign_ins.sign_out(signed_in.refresh_token)
        await conn.execute("SELECT 1")
        assert [text.split(" ", 1)[1] for text in told] == ["sign-in -"]
        await set_status(here, "blocked")
        await conn.execute("SELECT 1")
        assert [text.split(" ", 1)[1] for text in told] == ["sign-in -"] * 2
        await conn.execute("UNLISTEN evpower")


async def test_me_is_the_row_and_not_the_token(here: Process) -> None:
    signed_in = await here.enters()
    identity = await here.verifier.verify(signed_in.access_token)
    await here.sql("UPDATE clients SET status = 'blocked', name = 'Айбек'")
    person = await here.sign_in.sign_ins.me(identity)
    assert (person.status, person.name) == ("blocked", "Айбек")


async def test_me_with_a_token_of_another_issuer_is_created_or_is_staff(here: Process) -> None:
    now = here.clock.now()
    identity = Identity("6f1c", "client", now + timedelta(hours=1), issued_at=now)
    assert (await here.sign_in.sign_ins.me(identity)).status == "active"
    assert len(await here.sql("SELECT 1 FROM clients WHERE id = '6f1c'")) == 1
    await here.sql("INSERT INTO users (id, role) VALUES ('6f1c', 'operator')")
    assert (await here.sign_in.sign_ins.me(identity)).role == "operator"


async def test_me_without_a_row_is_nobody(here: Process) -> None:
    signed_in = await here.enters()
    identity = await here.verifier.verify(signed_in.access_token)
    await here.sql("DELETE FROM clients")
    with pytest.raises(Unauthorized):
        await here.sign_in.sign_ins.me(identity)


async def test_what_nobody_is_signed_in_by_is_forgotten(here: Process) -> None:
    await here.enters()
    here.clock.advance(30 * 86_400)
    await set_status(here, "blocked")
    await here.enters()
    here.clock.advance(31 * 86_400)
    await forget_sign_ins(here.pool, here.clock.now())
    assert len(await here.sql("SELECT 1 FROM evpower.sign_ins")) == 1
    assert len(await here.sql("SELECT 1 FROM evpower.refresh_tokens")) == 1
    assert await here.sql("SELECT 1 FROM evpower.revoked_people") == []
