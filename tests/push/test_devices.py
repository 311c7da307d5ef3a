"""Devices of people: whose each one is, how many there may be, and when they go."""

from __future__ import annotations

import pytest

from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.push.devices import forget_person, forget_sign_in
from evpower.push.errors import DeviceNotFound
from evpower.push.recipient import Device, Preferences
from tests.worlds.push import ENDPOINT, ME, OTHER, OWNER, KnownTokens, PushWorld, phone, token


@pytest.fixture
async def world(pool: Pool) -> PushWorld:
    return PushWorld(pool)


async def test_a_device_that_is_registered_again_moves_to_that_person(world: PushWorld) -> None:
    """Phones change hands."""
    devices = world.push.devices
    first = await devices.register(ME, phone())
    assert await devices.register(OTHER, phone()) == first
    assert (await world.devices(ME), await world.devices(OTHER)) == ([], [token()])


async def test_a_device_that_moved_has_reached_its_new_person_never_yet(world: PushWorld) -> None:
    await world.push.devices.register(ME, phone())
    await world.sql("UPDATE evpower.push_targets SET last_ok_at = now(), failures = 3")
    await world.push.devices.register(ME, phone())
    (row,) = await world.sql("SELECT last_ok_at IS NULL AS never, failures FROM evpower.push_targets")
    assert (row["never"], row["failures"]) == (False, 0)
    await world.push.devices.register(OTHER, phone())
    (row,) = await world.sql("SELECT last_ok_at IS NULL AS never FROM evpower.push_targets")
    assert row["never"]


async def test_a_device_that_had_ended_is_taken_up_again(world: PushWorld) -> None:
    await world.push.devices.register(ME, phone())
    await world.sql("UPDATE evpower.push_targets SET ended_at = now(), end_reason = 'unregistered'")
    assert await world.devices() == []
    await world.push.devices.register(ME, phone())
    assert await world.devices() == [token()]


async def test_of_eleven_devices_the_least_recently_reached_goes(world: PushWorld) -> None:
    for number in range(10):
        await world.push.devices.register(ME, phone(str(number)))
        world.clock.advance(1)
    # All were reached, the fourth before the others.
    await world.sql("UPDATE evpower.push_targets SET last_ok_at = registered_at")
    await world.sql("UPDATE evpower.push_targets SET last_ok_at = '2020-01-01Z' WHERE address = %s", token("3"))
    await world.push.devices.register(OTHER, phone("other"))
    assert len(await world.devices()) == 10
    await world.push.devices.register(ME, phone("new"))
    assert await world.devices() == [token(name) for name in "012456789"] + [token("new")]
    (ended,) = await world.sql("SELECT address, end_reason FROM evpower.push_targets WHERE ended_at IS NOT NULL")
    assert (ended["address"], ended["end_reason"]) == (token("3"), "too_many")


async def test_a_device_that_was_never_reached_goes_first(world: PushWorld) -> None:
    for number in range(10):
        await world.push.devices.register(ME, phone(str(number)))
    await world.sql("UPDATE evpower.push_targets SET last_ok_at = '2020-01-01Z' WHERE address <> %s", token("5"))
    await world.push.devices.register(ME, phone("new"))
    assert token("5") not in await world.devices()
    assert token("new") in await world.devices()


async def test_another_persons_device_cannot_be_unregistered(world: PushWorld) -> None:
    await world.push.devices.register(ME, phone())
    for other in (OTHER, OWNER):
        with pytest.raises(DeviceNotFound):
            await world.push.devices.unregister(other, token())
    await world.push.devices.unregister(ME, token())
    assert await world.devices() == []
    with pytest.raises(DeviceNotFound):
        await world.push.devices.unregister(ME, token())


async def test_a_client_and_a_member_of_staff_of_one_id_are_two_people(world: PushWorld) -> None:
    await world.push.devices.register(OWNER, phone())
    await world.push.devices.choose(OWNER, {"system_alerts": False})
    client = type(ME)("client", OWNER.owner_id)
    assert await world.devices(client) == []
    assert await world.push.devices.preferences(client) == Preferences()


async def test_the_devices_of_a_sign_in_go_with_it(world: PushWorld) -> None:
    await world.push.devices.register(ME, phone("1", sign_in_id="one"))
    await world.push.devices.register(ME, phone("2", sign_in_id="two"))
    await world.push.devices.register(ME, phone("3"))
    async with unit_of_work(world.pool) as uow:
        await forget_sign_in(uow.conn, "one")
    assert await world.devices() == [token("2"), token("3")]


async def test_all_devices_of_a_person_go_with_all_sign_ins(world: PushWorld) -> None:
    await world.push.devices.register(ME, phone("1", sign_in_id="one"))
    await world.push.devices.register(ME, phone("2"))
    await world.push.devices.register(OTHER, phone("3"))
    async with unit_of_work(world.pool) as uow:
        await forget_person(uow.conn, KnownTokens().identities["mine"])
    assert (await world.devices(ME), await world.devices(OTHER)) == ([], [token("3")])


async def test_what_is_not_chosen_stays_as_it_was(world: PushWorld) -> None:
    devices = world.push.devices
    assert await devices.preferences(ME) == Preferences(True, True, False, True)
    assert await devices.choose(ME, {"promotions": True}) == Preferences(True, True, True, True)
    assert await devices.choose(ME, {"charging_updates": False}) == Preferences(False, True, True, True)
    assert await devices.preferences(ME) == Preferences(False, True, True, True)
    assert await devices.preferences(OTHER) == Preferences()


async def test_a_subscription_is_kept_with_its_keys(world: PushWorld) -> None:
    device = Device("webpush", ENDPOINT, "ky", p256dh=b"\4" + b"k" * 64, auth=b"a" * 16)
    await world.push.devices.register(ME, device)
    (row,) = await world.sql("SELECT p256dh, auth, locale FROM evpower.push_targets")
    assert (bytes(row["p256dh"]), bytes(row["auth"]), row["locale"]) == (device.p256dh, device.auth, "ky")
