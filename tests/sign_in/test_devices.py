"""The devices of who signs out get no more messages (roadmap/history-favorites-push §3)."""

from __future__ import annotations

import jwt
import pytest

from evpower.db.pool import Pool
from evpower.identity.identity import Identity
from evpower.push.recipient import Device, Recipient
from evpower.sign_in.service import SignedIn
from tests.worlds.fakes import NOON
from tests.worlds.push import PushWorld, token
from tests.worlds.sign_in import ADDRESS, PHONE, SignInWorld


@pytest.fixture
async def world(pool: Pool) -> SignInWorld:
    world = SignInWorld(pool)
    await world.sign_in.keys.look()
    return world


async def phone(world: SignInWorld, name: str) -> SignedIn:
    """One more phone of the person, signed in and registered for messages."""
    await world.codes.send(PHONE, ADDRESS)
    signed_in = await world.sign_in.sign_ins.sign_in(PHONE, world.code)
    world.clock.advance(60)
    claims = jwt.decode(signed_in.access_token, options={"verify_signature": False})
    device = Device("fcm", token(name), sign_in_id=claims["sid"])
    await PushWorld(world.pool).push.devices.register(Recipient("client", signed_in.person.id), device)
    return signed_in


async def test_signing_out_takes_the_devices_of_that_sign_in(world: SignInWorld) -> None:
    one, _ = await phone(world, "1"), await phone(world, "2")
    await world.sign_in.sign_ins.sign_out(one.refresh_token)
    assert await PushWorld(world.pool).devices(Recipient("client", one.person.id)) == [token("2")]


async def test_signing_out_everywhere_takes_all_devices_of_the_person(world: SignInWorld) -> None:
    one, _ = await phone(world, "1"), await phone(world, "2")
    identity = Identity(one.person.id, "client", NOON, ours=True)
    await world.sign_in.sign_ins.sign_out_everywhere(identity)
    assert await PushWorld(world.pool).devices(Recipient("client", one.person.id)) == []
