"""SIGKILL at every commit of a transaction's events: none is answered and missing, none counts twice (ocpp201 §8, 7).

The journal commits what it takes as one; the commits tried here are those around it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from evpower.reports.transaction_event import ReportedEvent
from tests.worlds.charging import World
from tests.worlds.events import EventWorld


class Died(BaseException):
    """The process is gone."""


class Dying:
    """Of this task, the n-th commit is the last thing the process does, or the first it does not."""

    def __init__(self, world: World, commit: int, *, before: bool) -> None:
        self._connection = world.pool.connection
        self._task = trio.lowlevel.current_task()
        self.left = commit
        self._before = before

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        async with self._connection() as conn:
            yield _DyingConnection(conn, self) if trio.lowlevel.current_task() is self._task else conn

    @asynccontextmanager
    async def transaction(self, conn: Any) -> AsyncIterator[None]:
        async with conn.transaction():
            yield
            self.left -= 1
            if self.left == 0 and self._before:
                raise Died
        if self.left == 0:
            raise Died


class _DyingConnection:
    def __init__(self, conn: Any, dying: Dying) -> None:
        self._conn = conn
        self._dying = dying

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conn, name)

    def transaction(self) -> Any:
        return self._dying.transaction(self._conn)


async def story(charger: EventWorld) -> list[ReportedEvent]:
    """What the charger will report: its cable first, an event that is overtaken, its end."""
    await charger.give(500_00)
    session_id = (await charger.order(energy_wh=20_000)).session.session_id
    tag = await charger.tag_of(session_id)
    wire_id = charger.new_id()
    events = [charger.event(wire_id, "Started", 1_000), charger.event(wire_id, "Updated", 1_000, id_tag=tag)]
    charger.clock.advance(1800)
    third = charger.event(wire_id, "Updated", 9_000)
    return [*events, charger.event(wire_id, "Updated", 10_000), third, charger.event(wire_id, "Ended", 11_000)]


async def told(charger: EventWorld, events: list[ReportedEvent], dying: Dying) -> bool:
    """The charger reports them one after the other, and again what was not answered; whether the process died."""
    died = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charger.pool, "connection", dying.connection)
        answered = 0
        try:
            for event in events:
                await charger.tell(event)
                answered += 1
        except Died:
            died = True
    for event in events[answered:]:
        await charger.tell(event)
    return died


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("commit", range(1, 14))
async def test_a_death_at_any_commit_leaves_one_bill_and_every_event(world: World, commit: int, before: bool) -> None:
    charger = EventWorld(world)
    events = await story(charger)
    await told(charger, events, Dying(world, commit, before=before))
    await charger.app.settler.work_due()
    assert await charger.sql("SELECT amount::float, status FROM charging_sessions") == [
        {"amount": 135.0, "status": "stopped"}
    ]
    assert await charger.kept_numbers() == list(range(len(events)))
    assert await charger.sql("SELECT FROM evpower.transaction_events WHERE applied_at IS NULL") == []
    assert await charger.statement() == [("charge_reserve", -270, 230), ("charge_refund", 135, 365)]


async def test_the_deaths_reach_the_end_of_the_story(world: World) -> None:
    """And no further: thirteen commits are all there are."""
    charger = EventWorld(world)
    dying = Dying(world, 1_000, before=True)
    assert not await told(charger, await story(charger), dying)
    assert 1_000 - dying.left == 13
