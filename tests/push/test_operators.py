"""What operators see of messages, and what they can do (roadmap/history-favorites-push §5)."""

from __future__ import annotations

import pytest

from evpower.db.pool import Pool
from evpower.http.operators.people.push import push_admin_routes
from evpower.http.wire.caller import Resolve
from evpower.identifiers import ClientId
from evpower.push.devices import PushRules
from tests.http.fakes import Phone
from tests.http.operators.test_operators_work import client_of
from tests.worlds.fakes import NOON
from tests.worlds.push import ME, OTHER, PushWorld, phone

INSERT = """
INSERT INTO evpower.push_outbox
    (event_key, owner_type, owner_id, event, payload, queued_at, due_at, expires_at, state, ended_at, end_reason)
SELECT gen_random_uuid(), 'client', 'x', 'test', '{}', n, n, n, %s, CASE %s WHEN 'queued' THEN NULL ELSE n END, %s
FROM (SELECT %s::timestamptz - %s * interval '1 hour' AS n) t
"""


def door(world: PushWorld, resolve: Resolve = ClientId) -> Phone:
    return client_of(push_admin_routes(world.push, resolve))


@pytest.fixture
async def world(pool: Pool) -> PushWorld:
    return PushWorld(pool)


async def test_the_status_counts_a_day_by_reason(world: PushWorld) -> None:
    await world.push.devices.register(ME, phone("1"))
    await world.push.devices.register(ME, phone("2"))
    for state, hours, reason in (
        ("queued", 0, None),
        ("sent", 1, None),
        ("sent", 25, None),
        ("expired", 1, "HTTP 503"),
        ("dead", 1, "no_device"),
        ("dead", 2, "no_device"),
        ("dead", 2, "too_many"),
        ("dead", 25, "too_large"),
    ):
        await world.sql(INSERT, state, state, reason, world.clock.now(), hours)
    await world.sql("UPDATE evpower.push_targets SET ended_at = %s, end_reason = 'gone' WHERE id = 2", NOON)
    answer = await door(world).get("/push")
    body = (await answer.get_json())["data"]
    assert body.pop("oldest_queued_at").startswith("2026-")
    assert body == {
        "queued": 1,
        "sent_24h": 1,
        "expired_24h": 1,
        "dead_24h": {"no_device": 2, "too_many": 1},
        "devices": {"fcm": 1},
        "ended_devices_24h": {"gone": 1},
    }


async def test_a_test_is_sent_to_a_clients_devices(world: PushWorld) -> None:
    await world.push.devices.register(ME, phone("1"))
    for recipient, sent_to in ((ME, 1), (OTHER, 0)):
        answer = await door(world).post(f"/push/test/{recipient.owner_id}")
        assert (await answer.get_json())["data"] == {"client_id": recipient.owner_id, "sent_to": sent_to}
    assert await world.sql("SELECT owner_id, event FROM evpower.push_outbox") == [
        {"owner_id": ME.owner_id, "event": "test"}
    ]


async def test_a_test_to_an_id_that_was_merged_is_the_survivors(world: PushWorld) -> None:
    await world.push.devices.register(ME, phone("1"))
    merged = door(world, resolve=lambda client_id: ClientId({"old": ME.owner_id}.get(client_id, client_id)))
    answer = await merged.post("/push/test/old")
    assert (await answer.get_json())["data"] == {"client_id": ME.owner_id, "sent_to": 1}


async def test_what_is_not_set_up_is_404(pool: Pool) -> None:
    off = door(PushWorld(pool, PushRules()))
    assert (await off.get("/push")).status_code == 404
    assert (await off.post(f"/push/test/{ME.owner_id}")).status_code == 404
