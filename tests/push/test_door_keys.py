"""The doors of devices and messages obey an Idempotency-Key (roadmap/common.md; billing-rules §8)."""

from __future__ import annotations

from typing import Any

import pytest

from evpower.db.pool import Pool
from evpower.http.wire.idempotency import body_hash
from evpower.idempotency.claim import RUNS_AT_MOST_S, IdempotencyClaim
from evpower.identifiers import ClientId
from tests.push.test_door import DOORS, MINE, REGISTER, STAFF, SUBSCRIPTION, a_member_of_staff, asked
from tests.worlds.push import DEVICES, ME, NOTIFICATIONS, PushWorld


@pytest.fixture
async def world(pool: Pool) -> PushWorld:
    return PushWorld(pool)


#: Without `user_type`, by which the tests tell one request from another.
WRITING = [
    (method, path, {name: value for name, value in body.items() if name != "user_type"})
    for method, path, body in DOORS
    if method != "GET"
]


@pytest.mark.parametrize("as_whom", [MINE, STAFF], ids=["client", "staff"])
@pytest.mark.parametrize(("method", "path", "body"), WRITING, ids=[path for _, path, _ in WRITING])
async def test_a_key_is_obeyed_by_every_door_that_writes(
    world: PushWorld, method: str, path: str, body: dict[str, Any], as_whom: dict[str, str]
) -> None:
    """Roadmap, common page: the same request again has the first answer, another one under its key is refused."""
    keyed = {**as_whom, "Idempotency-Key": "key-1"}
    for setup in (("devices/register", REGISTER), ("notifications/subscribe", {"subscription": SUBSCRIPTION})):
        await asked(world, "POST", f"/api/v1/{setup[0]}", setup[1], as_whom)
    first = await asked(world, method, path, body, keyed)
    assert first[0] == 200
    await world.sql("DELETE FROM evpower.push_targets")
    assert await asked(world, method, path, body, keyed) == first
    assert await world.sql("SELECT 1 FROM evpower.push_targets") == []
    assert len(await world.sql("SELECT 1 FROM evpower.push_outbox")) == (1 if path.endswith("/test") else 0)
    another = {**body, "user_type": "owner" if as_whom is STAFF else "client"}
    status, answer = await asked(world, method, path, another, keyed)
    assert (status, answer["error"]) == (409, "invalid_request")


async def test_a_test_whose_answer_was_lost_is_not_sent_again(world: PushWorld) -> None:
    """The key is kept with the message; its answer is stored later, and a death between the two loses that alone."""
    await asked(world, "POST", f"{DEVICES}/register", REGISTER, MINE)
    path = f"{NOTIFICATIONS}/test"
    claim = IdempotencyClaim(ClientId(ME.owner_id), "key-1", "POST", path, body_hash({}))
    assert await world.push.test(ME, claim) == 1
    world.clock.advance(RUNS_AT_MOST_S)
    status, answer = await asked(world, "POST", path, {}, {**MINE, "Idempotency-Key": "key-1"})
    assert (status, answer["sent_to"]) == (200, 1)
    assert len(await world.sql("SELECT 1 FROM evpower.push_outbox")) == 1


async def test_a_client_and_staff_of_one_id_have_keys_of_their_own(world: PushWorld) -> None:
    await a_member_of_staff(world)
    headers = {"Authorization": "Bearer foreign staff", "Idempotency-Key": "key-1"}
    for user_type in ("owner", "client"):
        body = {"promotions": True, "user_type": user_type}
        assert (await asked(world, "PUT", f"{NOTIFICATIONS}/preferences", body, headers))[0] == 200
    assert len(await world.sql("SELECT 1 FROM evpower.push_preferences")) == 2
