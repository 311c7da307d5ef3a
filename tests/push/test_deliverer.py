"""The worker that delivers: at least once, to each device that lacks it, by any process, until it is worth nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
import trio
import trio.lowlevel

from evpower.clock import ClockWatch
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.push import deliverer
from evpower.push.deliverer import LEASE, LOOK_EVERY_S, PushDeliverer, forget_messages
from evpower.push.delivery import DeliveryOutcome, Target
from evpower.push.events import EventName, PushEvent
from evpower.push.message import PushMessage
from evpower.push.recipient import Recipient
from tests.worlds.push import ME, OTHER, PushWorld, phone, token

SENT, GONE = DeliveryOutcome("sent"), DeliveryOutcome("ended", "unregistered")
LATER = DeliveryOutcome("later", "HTTP 503")


class Service:
    """Does with each message what the test wrote down for its device; then it sends."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, PushMessage]] = []
        self.outcomes: dict[str, deque[DeliveryOutcome | Exception | None]] = {}
        self.pool: Pool | None = None
        self.asking = trio.Event()

    def will(self, name: str, *outcomes: DeliveryOutcome | Exception | None) -> None:
        """None: it never answers."""
        self.outcomes.setdefault(token(name), deque()).extend(outcomes)

    async def deliver(self, target: Target, message: PushMessage) -> DeliveryOutcome:
        assert self.pool is None or self.pool.usage.in_use == 0, "a connection is held while a service is waited for"
        self.asked.append((target.address, message))
        self.asking.set()
        waiting = self.outcomes.get(target.address)
        outcome = waiting.popleft() if waiting else SENT
        if outcome is None:
            await trio.sleep_forever()
        if isinstance(outcome, Exception):
            raise outcome
        assert outcome is not None
        return outcome

    def names(self) -> list[str]:
        """Whom it was asked to send to, since the last look."""
        names = [address.removeprefix("device-").partition(":")[0] for address, _ in self.asked]
        self.asked.clear()
        return names


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
async def world(pool: Pool, service: Service) -> PushWorld:
    world = PushWorld(pool, services={"fcm": service})
    await world.push.devices.register(ME, phone("1"))
    return world


async def queue(
    world: PushWorld, key: str = "one", event: EventName = "charging_completed", recipient: Recipient = ME
) -> None:
    async with unit_of_work(world.pool) as uow:
        await world.push.outbox.enqueue(uow, PushEvent(event, key, recipient))


async def states(world: PushWorld) -> list[tuple[str, str | None]]:
    rows = await world.sql("SELECT state, end_reason FROM evpower.push_outbox ORDER BY id")
    return [(row["state"], row["end_reason"]) for row in rows]


async def until(rows: Callable[[], Awaitable[object]]) -> None:
    """The query finds something: looked for again and again, each look a turn of PostgreSQL's."""
    with trio.fail_after(10):
        while not await rows():
            pass


async def after(world: PushWorld, seconds: float) -> None:
    world.clock.advance(seconds)
    await world.push.deliverer.deliver_due()


async def test_a_message_is_delivered_once_to_every_device(world: PushWorld, service: Service) -> None:
    await world.push.devices.register(ME, phone("2", locale="en"))
    await queue(world)
    for _ in range(2):
        await world.push.deliverer.deliver_due()
    assert await states(world) == [("sent", None)]
    assert sorted(message.title for _, message in service.asked) == ["Charging is complete", "Зарядка завершена"]
    (row,) = await world.sql("SELECT DISTINCT last_ok_at, failures FROM evpower.push_targets")
    assert (row["last_ok_at"], row["failures"]) == (world.clock.now(), 0)


async def test_no_connection_is_held_while_a_service_is_waited_for(world: PushWorld, service: Service) -> None:
    service.pool = world.pool
    await queue(world)
    await world.push.deliverer.deliver_due()
    assert await states(world) == [("sent", None)]


async def test_a_device_that_is_gone_ends_and_the_next_event_makes_no_call(world: PushWorld, service: Service) -> None:
    service.will("1", GONE)
    await queue(world, "one")
    await queue(world, "two")
    await world.sql("UPDATE evpower.push_outbox SET due_at = due_at + interval '1 second' WHERE event_key = 'two'")
    await world.push.deliverer.deliver_due()
    assert service.names() == ["1"]
    (target,) = await world.sql("SELECT end_reason, ended_at FROM evpower.push_targets")
    assert target["end_reason"] == "unregistered"
    await queue(world, "three")
    await after(world, 1)
    assert service.names() == []
    assert await states(world) == [("dead", "unregistered"), ("dead", "no_device")]


async def test_what_failed_is_repeated_after_5_30_120_and_600_seconds_until_it_is_worthless(
    world: PushWorld, service: Service
) -> None:
    service.will("1", *[LATER] * 200)
    await queue(world)
    await after(world, 0)
    assert service.names() == ["1"]
    for pause_s in (5, 30, 120, 600, 600):
        await after(world, pause_s - 1)
        assert service.names() == []
        await after(world, 1)
        assert service.names() == ["1"]
    assert await states(world) == [("queued", None)]
    for _ in range(24 * 6 + 1):
        await after(world, 600)
    assert await states(world) == [("expired", "HTTP 503")]
    assert 140 < len(service.names()) < 145
    (target,) = await world.sql("SELECT failures, ended_at FROM evpower.push_targets")
    assert target["failures"] > 140
    assert target["ended_at"] is None


async def test_what_the_service_asks_for_comes_first(world: PushWorld, service: Service) -> None:
    service.will("1", DeliveryOutcome("later", "HTTP 429", 77))
    await queue(world)
    await after(world, 0)
    await after(world, 76)
    assert service.names() == ["1"]
    await after(world, 1)
    assert service.names() == ["1"]
    assert await states(world) == [("sent", None)]


async def test_a_wait_beyond_its_worth_ends_it_at_once(world: PushWorld, service: Service) -> None:
    service.will("1", DeliveryOutcome("later", "HTTP 429", 600))
    await queue(world, event="charging_started")
    await after(world, 0)
    assert await states(world) == [("expired", "HTTP 429")]


async def test_only_the_device_that_lacks_it_is_tried_again(world: PushWorld, service: Service) -> None:
    await world.push.devices.register(ME, phone("2"))
    service.will("2", LATER)
    await queue(world)
    await after(world, 0)
    assert sorted(service.names()) == ["1", "2"]
    assert await states(world) == [("queued", None)]
    await after(world, 5)
    assert service.names() == ["2"]
    assert await states(world) == [("sent", None)]


async def test_what_reached_one_device_is_sent_when_the_other_never_takes_it(
    world: PushWorld, service: Service
) -> None:
    await world.push.devices.register(ME, phone("2"))
    service.will("2", DeliveryOutcome("dead", "HTTP 413"))
    await queue(world)
    await after(world, 0)
    assert await states(world) == [("sent", None)]


async def test_what_no_device_takes_is_dead_with_its_reason(world: PushWorld, service: Service) -> None:
    service.will("1", DeliveryOutcome("dead", "too_large"))
    await queue(world)
    await after(world, 0)
    assert await states(world) == [("dead", "too_large")]
    assert await world.devices() == [token("1")]


async def test_what_is_worth_nothing_any_more_is_not_sent(world: PushWorld, service: Service) -> None:
    await queue(world, event="charging_started")
    await after(world, 600)
    assert await states(world) == [("expired", None)]
    assert service.asked == []


async def test_what_is_due_is_sent_also_while_the_wall_clock_is_in_doubt(world: PushWorld, service: Service) -> None:
    """A jump ahead makes nothing worthless."""
    await queue(world, event="charging_started")
    world.clock.jump(86_400)
    await world.push.deliverer.deliver_due()
    assert service.names() == ["1"]


async def test_a_claim_that_died_is_taken_up_after_its_lease(world: PushWorld, service: Service) -> None:
    """As after a kill between the service's answer and the row's end: it may come twice, and is not lost."""
    service.will("1", None)
    await queue(world)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.push.deliverer.deliver_due)
        await service.asking.wait()
        nursery.cancel_scope.cancel()
    assert await states(world) == [("queued", None)]
    await after(world, LEASE.total_seconds() - 1)
    assert service.names() == ["1"]
    await after(world, 1)
    assert service.names() == ["1"]
    assert await states(world) == [("sent", None)]


async def test_two_processes_deliver_each_message_once(world: PushWorld, service: Service) -> None:
    for number in range(30):
        await queue(world, str(number), "payment_confirmed")
    watch = ClockWatch(world.clock, world.clock.steady_s)
    other = PushDeliverer(world.pool, watch, world.push.outbox, {"fcm": service})
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.push.deliverer.deliver_due)
        nursery.start_soon(other.deliver_due)
    assert len(service.asked) == 30
    assert await states(world) == [("sent", None)] * 30


async def test_a_fault_of_ours_in_one_message_leaves_the_others(world: PushWorld, service: Service) -> None:
    service.will("1", RuntimeError("a fault"))
    await queue(world, "one")
    await queue(world, "two", "payment_confirmed")
    await world.push.deliverer.deliver_due()
    assert sorted(await states(world)) == [("queued", None), ("sent", None)]


async def test_a_device_that_moved_while_it_was_asked_for_is_not_ended(world: PushWorld, service: Service) -> None:
    """Who registered it meanwhile has a good one."""

    class Moving(Service):
        async def deliver(self, target: Target, message: PushMessage) -> DeliveryOutcome:
            world.clock.advance(1)
            await world.push.devices.register(OTHER, phone("1"))
            world.clock.advance(1)
            return GONE

    moving = PushWorld(world.pool, services={"fcm": Moving()})
    moving.clock = world.clock
    watch = ClockWatch(world.clock, world.clock.steady_s)
    await queue(world)
    await PushDeliverer(world.pool, watch, world.push.outbox, {"fcm": Moving()}).deliver_due()
    assert await world.devices(OTHER) == [token("1")]


async def test_a_person_gets_twenty_an_hour_and_payments_and_errors_beside_them(
    world: PushWorld, service: Service
) -> None:
    for number in range(25):
        await queue(world, str(number))
    await world.push.devices.register(OTHER, phone("other"))
    await queue(world, "other", recipient=OTHER)
    exempt: tuple[EventName, ...] = ("payment_confirmed", "charging_error", "low_balance_warning")
    for event in exempt:
        await queue(world, event, event)
    await world.push.deliverer.deliver_due()
    assert service.names().count("1") == 23
    ends = await states(world)
    assert ends.count(("dead", "too_many")) == 5
    assert ends[25:] == [("sent", None)] * 4
    await queue(world, "too early")
    await after(world, 3599)
    assert (await states(world))[-1] == ("dead", "too_many")
    world.clock.advance(1)
    await queue(world, "an hour later")
    await after(world, 0)
    assert (await states(world))[-1] == ("sent", None)


async def test_a_kind_that_is_not_set_up_is_not_tried(pool: Pool, service: Service) -> None:
    world = PushWorld(pool, services={"webpush": service})
    await world.push.devices.register(ME, phone("1"))
    await queue(world)
    await world.push.deliverer.deliver_due()
    assert (await states(world), service.asked) == ([("dead", "no_device")], [])


async def test_the_worker_is_woken_by_the_commit(world: PushWorld, service: Service) -> None:
    async with trio.open_nursery() as nursery:
        await nursery.start(world.push.deliverer.run)
        began_at = trio.current_time()
        await queue(world)
        with trio.fail_after(10):
            await service.asking.wait()
        assert trio.current_time() - began_at < LOOK_EVERY_S
        nursery.cancel_scope.cancel()


async def test_the_worker_finds_what_nobody_woke_it_for(
    world: PushWorld, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another process queued, and what is to be tried again."""
    monkeypatch.setattr(deliverer, "LOOK_EVERY_S", 0.02)
    service.will("1", LATER)
    async with trio.open_nursery() as nursery:
        await nursery.start(world.push.deliverer.run)
        await queue(PushWorld(world.pool))
        await until(lambda: world.sql("SELECT 1 FROM evpower.push_targets WHERE failures = 1"))
        world.clock.advance(5)
        await until(lambda: world.sql("SELECT 1 FROM evpower.push_outbox WHERE state = 'sent'"))
        nursery.cancel_scope.cancel()
    assert len(service.asked) == 2


async def test_a_service_that_never_answers_is_given_up(
    world: PushWorld, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliverer, "CALL_WITHIN_S", 0.02)
    service.will("1", None)
    await queue(world)
    with trio.fail_after(10):
        await world.push.deliverer.deliver_due()
    assert await states(world) == [("queued", None)]
    assert await world.sql("SELECT failures FROM evpower.push_targets") == [{"failures": 1}]


async def test_what_became_of_messages_is_counted(world: PushWorld, service: Service) -> None:
    service.will("1", SENT, LATER, GONE)
    for number in range(3):
        await queue(world, str(number))
        await world.push.deliverer.deliver_due()
        world.clock.advance(1)
    assert world.push.deliverer.outcomes == {("fcm", "sent"): 1, ("fcm", "later"): 1, ("fcm", "ended"): 1}


async def test_what_ended_a_week_ago_is_forgotten_and_what_waits_is_not(world: PushWorld) -> None:
    await queue(world, "sent")
    await world.push.deliverer.deliver_due()
    await world.push.devices.register(ME, phone("2"))
    await world.sql(
        "UPDATE evpower.push_targets SET ended_at = %s, end_reason = 'gone' WHERE address = %s",
        world.clock.now(),
        token("2"),
    )
    await queue(world, "waits")
    world.clock.advance(7 * 86_400)
    await forget_messages(world.pool, world.clock.now())
    assert len(await states(world)) == 2
    await forget_messages(world.pool, world.clock.now() + timedelta(seconds=1))
    assert await states(world) == [("queued", None)]
    assert [row["address"] for row in await world.sql("SELECT address FROM evpower.push_targets")] == [token("1")]
