"""Signing in and staying signed in: who it is, the tokens, refreshing, reuse (roadmap/identity §2, §6.4, §6.6)."""

from __future__ import annotations

from typing import Any

import jwt
import psycopg
import pytest
import trio

from evpower.clock import random_bytes
from evpower.db.pool import Pool
from evpower.errors import Forbidden, ServiceUnavailable
from evpower.identifiers import PhoneNumber
from evpower.sign_in.errors import CodeExpired, SignedOut, WrongCode
from evpower.sign_in.service import Refreshed, SignedIn
from tests.sign_in.test_phone_codes import until_blocked_by_a_lock
from tests.worlds.by_hand import by_hand
from tests.worlds.sign_in import ADDRESS, OTHER_PHONE, PHONE, SignInWorld

FRESH = 60 * 24 * 3600


@pytest.fixture
async def world(pool: Pool) -> SignInWorld:
    world = SignInWorld(pool)
    await world.sign_in.keys.look()
    return world


async def sign_in(world: SignInWorld, phone: PhoneNumber = PHONE) -> SignedIn:
    await world.codes.send(phone, ADDRESS)
    return await world.sign_in.sign_ins.sign_in(phone, world.code)


async def refresh(world: SignInWorld, token: str | None, *, rotate: bool = False) -> Refreshed:
    assert token is not None
    return await world.sign_in.sign_ins.refresh(token, rotate=rotate)


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


async def test_an_unknown_phone_becomes_a_client(world: SignInWorld) -> None:
    signed_in = await sign_in(world)
    assert signed_in.is_new
    [client] = await world.sql("SELECT id, phone, balance, status, created_at FROM clients")
    person = signed_in.person
    assert client == {
        "id": person.id,
        "phone": PHONE,
        "balance": 0,
        "status": "active",
        "created_at": person.created_at,
    }
    assert person.created_at == world.clock.now()


async def test_a_known_phone_is_its_client(world: SignInWorld) -> None:
    await world.sql("INSERT INTO clients (id, phone, name, balance) VALUES ('6f1c', %s, 'Айбек', 12.5)", PHONE)
    signed_in = await sign_in(world)
    assert not signed_in.is_new
    person = signed_in.person
    assert (person.id, person.kind, person.name, person.balance_tyiyn) == ("6f1c", "client", "Айбек", 1250)
    assert len(await world.sql("SELECT 1 FROM clients")) == 1


async def test_a_phone_of_staff_signs_in_as_staff_although_it_is_a_clients_too(world: SignInWorld) -> None:
    await world.sql("INSERT INTO clients (id, phone) VALUES ('client', %s)", PHONE)
    await world.sql("INSERT INTO users (id, phone, role) VALUES ('ann', %s, 'operator')", PHONE)
    person = (await sign_in(world)).person
    assert (person.id, person.kind, person.role) == ("ann", "staff", "operator")


async def test_disabled_staff_is_refused_and_the_code_is_used_up(world: SignInWorld) -> None:
    await world.sql("INSERT INTO users (id, phone, role, is_active) VALUES ('ann', %s, 'admin', false)", PHONE)
    with pytest.raises(Forbidden):
        await sign_in(world)
    with pytest.raises(CodeExpired):
        await world.sign_in.sign_ins.sign_in(PHONE, world.code)
    assert await world.sql("SELECT 1 FROM evpower.sign_ins") == []
    assert await world.sql("SELECT 1 FROM clients") == []


@pytest.mark.parametrize("status", ["blocked", "inactive"])
async def test_a_client_who_may_not_charge_may_sign_in_and_see_why(world: SignInWorld, status: str) -> None:
    """To stop a charge that runs, and to restore the account (contract/rest-api §1.8)."""
    await world.sql("INSERT INTO clients (id, phone, status) VALUES ('6f1c', %s, %s)", PHONE, status)
    assert (await sign_in(world)).person.status == status


async def test_the_access_token_says_what_the_app_reads(world: SignInWorld) -> None:
    signed_in = await sign_in(world)
    claims = claims_of(signed_in.access_token)
    [row] = await world.sql("SELECT id, person_id, kind FROM evpower.sign_ins")
    issued_at = int(world.clock.now().timestamp())
    assert row == {"id": claims["sid"], "person_id": claims["sub"], "kind": "client"}
    assert claims.pop("jti") not in (claims["sid"], claims["sub"])
    assert claims == {
        "sub": signed_in.person.id,
        "type": "client",
        "phone": PHONE,
        "sid": row["id"],
        "iat": issued_at,
        "exp": issued_at + 3600,
    }
    header = jwt.get_unverified_header(signed_in.access_token)
    assert header == {"alg": "ES256", "typ": "JWT", "kid": world.sign_in.keys.key_set()[0]["kid"]}


async def test_a_token_of_staff_says_the_role(world: SignInWorld) -> None:
    await world.sql("INSERT INTO users (id, phone, role) VALUES ('ann', %s, 'superadmin')", PHONE)
    claims = claims_of((await sign_in(world)).access_token)
    assert (claims["sub"], claims["type"], claims["role"]) == ("ann", "admin", "superadmin")


async def test_a_wrong_code_makes_nobody_and_says_how_many_tries_are_left(world: SignInWorld) -> None:
    await world.codes.send(PHONE, ADDRESS)
    wrong = f"{(int(world.code) + 1) % 1_000_000:06}"
    with pytest.raises(WrongCode) as refused:
        await world.sign_in.sign_ins.sign_in(PHONE, wrong)
    assert refused.value.details == {"attempts_left": 2}
    assert await world.sql("SELECT 1 FROM clients") == await world.sql("SELECT 1 FROM evpower.sign_ins") == []


async def test_of_two_phones_that_bring_one_code_at_once_one_signs_in(world: SignInWorld) -> None:
    await world.codes.send(PHONE, ADDRESS)
    outcomes = []

    async def bring() -> None:
        try:
            outcomes.append((await world.sign_in.sign_ins.sign_in(PHONE, world.code)).is_new)
        except CodeExpired:
            outcomes.append(False)

    async with trio.open_nursery() as phones:
        for _ in range(5):
            phones.start_soon(bring)
    assert sorted(outcomes) == [False, False, False, False, True]
    assert len(await world.sql("SELECT 1 FROM clients")) == len(await world.sql("SELECT 1 FROM evpower.sign_ins")) == 1


async def test_without_a_key_nobody_signs_in_and_the_code_stays_good(world: SignInWorld, pool: Pool) -> None:
    keyless = SignInWorld(pool)
    await keyless.codes.send(PHONE, ADDRESS)
    with pytest.raises(ServiceUnavailable):
        await keyless.sign_in.sign_ins.sign_in(PHONE, keyless.code)
    assert await world.sql("SELECT 1 FROM clients") == []
    await keyless.sign_in.keys.look()
    assert (await keyless.sign_in.sign_ins.sign_in(PHONE, keyless.code)).is_new


async def test_no_token_is_in_the_database_the_log_or_a_repr(
    world: SignInWorld, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    signed_in = await sign_in(world)
    rows = await world.sql("SELECT * FROM evpower.refresh_tokens"), await world.sql("SELECT * FROM evpower.sign_ins")
    for secret in (signed_in.refresh_token, signed_in.access_token):
        assert secret not in repr(rows) + caplog.text + repr(signed_in)
    assert f"signed in: client={signed_in.person.id}" in caplog.text


async def test_a_refresh_gives_a_new_access_token_and_no_new_refresh_token(world: SignInWorld) -> None:
    signed_in = await sign_in(world)
    world.clock.advance(3600)
    for _ in range(2):
        refreshed = await refresh(world, signed_in.refresh_token)
        assert refreshed.refresh_token is None
        before, after = claims_of(signed_in.access_token), claims_of(refreshed.access_token)
        assert (after["sub"], after["sid"], after["iat"]) == (before["sub"], before["sid"], before["iat"] + 3600)
        assert after["jti"] != before["jti"]


async def test_a_refresh_puts_the_end_off_by_sixty_days_from_then(world: SignInWorld) -> None:
    signed_in = await sign_in(world)
    world.clock.advance(FRESH - 1)
    await refresh(world, signed_in.refresh_token)
    world.clock.advance(FRESH - 1)
    await world.sign_in.keys.look()
    await refresh(world, signed_in.refresh_token)
    world.clock.advance(FRESH)
    with pytest.raises(SignedOut) as refused:
        await refresh(world, signed_in.refresh_token)
    assert refused.value.details == {}


async def test_a_refresh_within_a_day_writes_nothing(world: SignInWorld) -> None:
    signed_in = await sign_in(world)
    world.clock.advance(86_399)
    [before] = await world.sql("SELECT xmin::text FROM evpower.refresh_tokens")
    await refresh(world, signed_in.refresh_token)
    assert await world.sql("SELECT xmin::text FROM evpower.refresh_tokens") == [before]
    world.clock.advance(1)
    await refresh(world, signed_in.refresh_token)
    assert await world.sql("SELECT xmin::text FROM evpower.refresh_tokens") != [before]


async def test_a_refresh_works_while_nothing_can_be_written(
    world: SignInWorld, caplog: pytest.LogCaptureFixture
) -> None:
    signed_in = await sign_in(world)
    world.clock.advance(10 * 86_400)
    await world.sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE disk_full; END $$;"
        "CREATE TRIGGER full_disk BEFORE UPDATE ON evpower.refresh_tokens EXECUTE FUNCTION refuse()"
    )
    assert (await refresh(world, signed_in.refresh_token)).access_token
    assert "the end of a refresh token was not put off" in caplog.text


@pytest.mark.parametrize("text", ["", "x", "a" * 43, "A" * 44, "é" * 43, "\0" * 43, "a.b.c"])
async def test_what_is_no_refresh_token_is_refused(world: SignInWorld, text: str) -> None:
    await sign_in(world)
    with pytest.raises(SignedOut):
        await refresh(world, text)


async def test_a_refresh_reads_the_persons_row(world: SignInWorld) -> None:
    await world.sql("INSERT INTO users (id, phone, role) VALUES ('ann', %s, 'operator')", PHONE)
    signed_in = await sign_in(world)
    await world.sql("UPDATE users SET role = 'admin'")
    assert claims_of((await refresh(world, signed_in.refresh_token)).access_token)["role"] == "admin"


async def test_staff_that_was_disabled_is_refused_at_the_next_refresh(world: SignInWorld) -> None:
    await world.sql("INSERT INTO users (id, phone, role) VALUES ('ann', %s, 'operator')", PHONE)
    signed_in = await sign_in(world)
    await world.sql("UPDATE users SET is_active = false")
    with pytest.raises(SignedOut):
        await refresh(world, signed_in.refresh_token)


async def test_who_asks_for_a_new_refresh_token_gets_one_that_works(world: SignInWorld) -> None:
    first = (await sign_in(world)).refresh_token
    second = (await refresh(world, first, rotate=True)).refresh_token
    third = (await refresh(world, second, rotate=True)).refresh_token
    assert len({first, second, third}) == 3
    assert (await refresh(world, third)).refresh_token is None


async def test_a_token_used_again_within_ten_seconds_has_the_same_successor(world: SignInWorld) -> None:
    first = (await sign_in(world)).refresh_token
    second = (await refresh(world, first, rotate=True)).refresh_token
    world.clock.advance(10)
    assert (await refresh(world, first, rotate=True)).refresh_token == second
    assert (await refresh(world, first)).refresh_token == second
    assert (await refresh(world, second)).access_token


async def test_a_token_used_again_after_eleven_seconds_ends_the_sign_in_for_both(
    world: SignInWorld, caplog: pytest.LogCaptureFixture
) -> None:
    first = (await sign_in(world)).refresh_token
    second = (await refresh(world, first, rotate=True)).refresh_token
    world.clock.advance(11)
    for token in (first, second):
        with pytest.raises(SignedOut) as refused:
            await refresh(world, token, rotate=True)
        assert refused.value.details == {"reason": "reuse"}
    assert [row["end_cause"] for row in await world.sql("SELECT end_cause FROM evpower.sign_ins")] == ["reuse"]
    assert "cause=reuse of a refresh token" in caplog.text


async def test_a_second_repeat_does_not_make_the_ten_seconds_longer(world: SignInWorld) -> None:
    first = (await sign_in(world)).refresh_token
    await refresh(world, first, rotate=True)
    world.clock.advance(6)
    await refresh(world, first, rotate=True)
    world.clock.advance(5)
    with pytest.raises(SignedOut):
        await refresh(world, first, rotate=True)


async def test_two_rotations_at_once_have_the_same_successor(world: SignInWorld) -> None:
    first, successors = (await sign_in(world)).refresh_token, []

    async def rotate() -> None:
        successors.append((await refresh(world, first, rotate=True)).refresh_token)

    async with trio.open_nursery() as phones:
        for _ in range(4):
            phones.start_soon(rotate)
    assert len(set(successors)) == 1
    assert len(await world.sql("SELECT 1 FROM evpower.refresh_tokens")) == 2


async def test_a_successor_cannot_be_computed_without_the_secret(world: SignInWorld, pool: Pool) -> None:
    first = (await sign_in(world)).refresh_token
    second = (await refresh(world, first, rotate=True)).refresh_token
    stranger = SignInWorld(pool, secret=b"x" * 32, random_bytes=random_bytes)
    await stranger.sign_in.keys.look()
    assert (await refresh(stranger, first, rotate=True)).refresh_token != second


async def test_signing_out_ends_this_phones_sign_in_alone_and_may_be_repeated(world: SignInWorld) -> None:
    first = await sign_in(world)
    world.clock.advance(60)
    second = await sign_in(world)
    assert not second.is_new
    for _ in range(2):
        await world.sign_in.sign_ins.sign_out(first.refresh_token)
    with pytest.raises(SignedOut) as refused:
        await refresh(world, first.refresh_token)
    assert refused.value.details == {"reason": "logout"}
    assert (await refresh(world, second.refresh_token)).access_token


async def test_signing_out_what_is_not_signed_in_succeeds(world: SignInWorld) -> None:
    for text in ("", "x", "A" * 43):
        await world.sign_in.sign_ins.sign_out(text)


async def test_each_phone_has_a_client_of_its_own(world: SignInWorld) -> None:
    assert (await sign_in(world)).person.id != (await sign_in(world, OTHER_PHONE)).person.id


@pytest.mark.parametrize("vouched_for", [True, False])
async def test_a_first_sign_in_beside_who_writes_the_same_number_from_outside(
    world: SignInWorld, vouched_for: bool
) -> None:
    """The row appears between the look for the phone and the insert: it is the person, or gives the number up."""
    await world.codes.send(PHONE, ADDRESS)
    signed_in: list[SignedIn] = []

    async def enter() -> None:
        signed_in.append(await world.sign_in.sign_ins.sign_in(PHONE, world.code))

    async with by_hand(world.pool) as outside, trio.open_nursery() as phones:
        await outside.execute("BEGIN")
        await outside.execute("INSERT INTO clients (id, phone) VALUES ('outside', %s)", (PHONE,))
        if not vouched_for:
            await outside.execute("INSERT INTO evpower.unverified_phones VALUES ('outside')")
        phones.start_soon(enter)
        await until_blocked_by_a_lock(world)
        await outside.execute("COMMIT")
    [person] = [each.person for each in signed_in]
    assert (person.id == "outside", signed_in[0].is_new) == (vouched_for, not vouched_for)
    assert await world.sql("SELECT id FROM clients WHERE phone = %s", PHONE) == [{"id": person.id}]


async def test_a_refresh_is_counted_by_what_became_of_it(world: SignInWorld) -> None:
    sign_ins, signed_in = world.sign_in.sign_ins, await sign_in(world)
    await refresh(world, signed_in.refresh_token)
    await refresh(world, signed_in.refresh_token, rotate=True)
    world.clock.advance(11)
    for token in (signed_in.refresh_token, signed_in.refresh_token, "no token", "A" * 43):
        with pytest.raises(SignedOut):
            await refresh(world, token, rotate=True)
    assert sign_ins.refreshes == {"refreshed": 1, "rotated": 1, "reuse": 2, "unknown": 2}


async def test_a_refresh_that_could_not_be_answered_is_counted_too(world: SignInWorld) -> None:
    signed_in = await sign_in(world)
    await world.sql("ALTER TABLE evpower.refresh_tokens RENAME TO gone")
    try:
        with pytest.raises(psycopg.errors.UndefinedTable):
            await refresh(world, signed_in.refresh_token)
    finally:
        # The next tests have the same tables.
        with trio.move_on_after(5, shield=True):
            await world.sql("ALTER TABLE evpower.gone RENAME TO refresh_tokens")
    assert world.sign_in.sign_ins.refreshes == {"failed": 1}
