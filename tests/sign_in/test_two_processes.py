"""What one process ends or changes of sign-ins, another one hears of, long before it would look by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from evpower.clock import random_bytes
from evpower.errors import InvalidToken
from tests.worlds.charging import World
from tests.worlds.sign_in import ADDRESS, PHONE, SignInWorld
from tests.worlds.two_processes import hears

WITHIN_S = 20


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    with trio.fail_after(WITHIN_S):
        while not await condition():  # noqa: ASYNC110 - another process has no event
            await trio.sleep(0.01)


async def test_another_process_hears_of_a_changed_key_and_of_who_signed_out(
    world: World, nursery: trio.Nursery
) -> None:
    """`world` is a whole application; both have the same secret, as processes of one installation do."""
    here, there = SignInWorld(world.pool, random_bytes=random_bytes), world.app.sign_in
    await here.sign_in.keys.look()
    await nursery.start(there.keys.run)
    await nursery.start(there.revocations.run)
    await hears(world, nursery)

    await here.codes.send(PHONE, ADDRESS)
    signed_in = await here.sign_in.sign_ins.sign_in(PHONE, here.code)
    identity = await here.verifier.verify(signed_in.access_token)
    assert not there.revocations.refused(identity)
    await here.sign_in.sign_ins.sign_out(signed_in.refresh_token)

    async def is_refused_there() -> bool:
        return there.revocations.refused(identity)

    await until(is_refused_there)
    kid = await here.sign_in.keys.rotate(at_once=False, actor="operator ann")

    async def is_known_there() -> bool:
        return kid in {key["kid"] for key in there.keys.key_set()}

    await until(is_known_there)


async def test_a_person_is_known_in_a_process_that_hears_nothing_as_soon_as_it_looks(world: World) -> None:
    here = SignInWorld(world.pool, random_bytes=random_bytes)
    await here.sign_in.keys.look()
    await here.codes.send(PHONE, ADDRESS)
    signed_in = await here.sign_in.sign_ins.sign_in(PHONE, here.code)
    deaf = SignInWorld(world.pool, random_bytes=random_bytes)
    try:
        await deaf.verifier.verify(signed_in.access_token)
    except InvalidToken:
        await deaf.sign_in.keys.look()
    assert (await deaf.verifier.verify(signed_in.access_token)).subject == signed_in.person.id
