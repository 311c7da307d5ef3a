"""Who writes another's number into its own row of `clients` is not found by it (field ruling 6.8, identity §2)."""

from __future__ import annotations

import jwt
import pytest
import trio

from evpower.db.pool import Pool
from tests.worlds.sign_in import ADDRESS, AUTH, PHONE, SignInWorld, body_of


@pytest.fixture
async def world(pool: Pool) -> SignInWorld:
    """A client has written the number, and nobody vouched for it."""
    world = SignInWorld(pool)
    await world.sign_in.keys.look()
    await world.sql("INSERT INTO clients (id, phone, balance) VALUES ('thief', %s, 0)", PHONE)
    await world.sql("INSERT INTO evpower.unverified_phones VALUES ('thief')")
    return world


async def test_the_numbers_owner_signs_in_as_somebody_new(world: SignInWorld, caplog: pytest.LogCaptureFixture) -> None:
    door = world.door()
    await door.post(f"{AUTH}/send-otp", json={"phone": PHONE})
    body = await body_of(await door.post(f"{AUTH}/verify-otp", json={"phone": PHONE, "code": world.code}))
    client = body["user"]
    assert body["is_new_user"]
    assert (client["id"] != "thief", client["phone"]) == (True, PHONE)
    held = await world.sql("SELECT id FROM clients WHERE phone = %s", PHONE)
    assert held == [{"id": client["id"]}]
    [line] = [each for each in caplog.messages if "unverified phone taken" in each]
    assert f"from=thief, to={client['id']}" in line
    assert PHONE not in line


async def test_an_operator_sees_whose_row_had_it(world: SignInWorld) -> None:
    await world.codes.send(PHONE, ADDRESS)
    await world.sign_in.sign_ins.sign_in(PHONE, world.code)
    displaced = await world.sql("SELECT client_id, phone, reason FROM evpower.displaced_phones")
    assert displaced == [{"client_id": "thief", "phone": PHONE, "reason": "unverified"}]


async def test_the_owner_comes_back_as_the_same_client(world: SignInWorld) -> None:
    signed_in = []
    for _ in range(2):
        await world.codes.send(PHONE, ADDRESS)
        signed_in.append(await world.sign_in.sign_ins.sign_in(PHONE, world.code))
        world.clock.advance(60)
    assert [each.is_new for each in signed_in] == [True, False]
    assert signed_in[0].person.id == signed_in[1].person.id


async def test_a_sign_in_that_fails_takes_nothing(world: SignInWorld, caplog: pytest.LogCaptureFixture) -> None:
    """The number is taken in the unit of work that signs in."""
    await world.sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE disk_full; END $$;"
        "CREATE TRIGGER full_disk BEFORE INSERT ON evpower.refresh_tokens EXECUTE FUNCTION refuse()"
    )
    await world.codes.send(PHONE, ADDRESS)
    with pytest.raises(Exception, match="disk"), trio.fail_after(10):
        await world.sign_in.sign_ins.sign_in(PHONE, world.code)
    assert await world.sql("SELECT id, phone FROM clients") == [{"id": "thief", "phone": PHONE}]
    assert "unverified phone taken" not in caplog.text


async def test_a_token_bears_no_number_that_its_bearer_wrote(world: SignInWorld) -> None:
    """Staff are known by this claim, and what a token claims Supabase's readers may write."""
    await world.codes.send(PHONE, ADDRESS)
    signed_in = await world.sign_in.sign_ins.sign_in(PHONE, world.code)
    for claimed in (PHONE, None):
        if claimed is None:
            await world.sql("INSERT INTO evpower.unverified_phones VALUES (%s)", signed_in.person.id)
        refreshed = await world.sign_in.sign_ins.refresh(signed_in.refresh_token, rotate=False)
        claims = jwt.decode(refreshed.access_token, options={"verify_signature": False})
        assert claims["phone"] == claimed
        assert (await world.verifier.verify(refreshed.access_token)).phone == claimed
