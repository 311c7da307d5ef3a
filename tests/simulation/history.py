"""One history: a database, a world, a street, its end, and what is said of it."""

from __future__ import annotations

import gc
import os
import random
import ssl
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache

import psycopg
import trio
import trio.testing
from psycopg import sql
from psycopg.conninfo import make_conninfo

from evpower.settings.config import Config
from evpower.settings.process import RedisSettings
from tests.simulation.aftermath import payment_problems, record_problems, unpaid_charges
from tests.simulation.check import Checker, Final
from tests.simulation.dangers import dangers
from tests.simulation.engine import Engine, InvariantBroken
from tests.simulation.furniture import furnish
from tests.simulation.guard import Guard
from tests.simulation.onlookers import onlookers
from tests.simulation.payers import payers
from tests.simulation.phones import Acknowledged
from tests.simulation.plan import REDIS_LOST, Plan
from tests.simulation.providers import ODENGI, Bank, moods
from tests.simulation.redis_server import URL, Redis
from tests.simulation.reservation_truth import reservation_problems
from tests.simulation.street import Street
from tests.simulation.truth import Truth
from tests.simulation.world import CONFIG, Deaths, Errors, World, errors_noted

#: Everything has a final state so long after the faults (design §5).
FINAL_WITHIN_S = 12 * 3600 + 600
LOOK_EVERY_S = 120.0
#: A charge whose stop is lost ends with the twelve hours. One seed in ten waits for them; in the others somebody
#: switches the stations off and on again.
WAITS_FOR_ALL = 10
REBOOTED_AFTER_S = 600.0
#: Between the last settlement and the end of the twelve hours, after the faults.
NOTHING_HAPPENS_S = (3600.0, 11 * 3600.0)
#: systemd starts it again at once, or a person does later.
AWAY_S = ((0.0, 3.0),) * 8 + ((3.0, 90.0),) * 3 + ((0.0, 900.0),)
#: A station has its line again, has delivered its queue, and was asked to stop what nobody pays for.
HEARS_WITHIN_S = 240.0
CHECK_NOW = "UPDATE evpower.top_up_orders SET next_check_at = %(now)s WHERE next_check_at IS NOT NULL"
#: What makes PostgreSQL's answers follow from what it was asked.
SETTINGS = {
    "deadlock_timeout": "1ms",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    # Each statement is planned once a connection.
    "plan_cache_mode": "force_generic_plan",
    "synchronize_seqscans": "off",
    "synchronous_commit": "off",
}


@dataclass
class Outcome:
    """What a run came to."""

    seed: int
    hours: float
    digest: str = ""
    problems: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    tail: list[str] = field(default_factory=list)
    statements: int = 0
    commits: int = 0
    lock_waits: int = 0
    virtual_s: float = 0.0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    lines: list[str] | None = None


@dataclass(frozen=True)
class Run:
    """Which history, and how it is looked at."""

    plan: Plan
    #: Stop there, in virtual seconds, and keep the database.
    until_s: float | None = None
    keep_lines: bool = False
    #: How long everything may take to come to its end.
    final_within_s: float = FINAL_WITHIN_S


def run_seed(run: Run, server: str, template: str) -> Outcome:
    """Play one history on a database of its own."""
    seed = run.plan.seed
    name = f"evpower_simulation_{seed}_{os.getpid()}"
    _make(server, name, template)
    outcome, began, cpu_s = Outcome(seed, run.plan.hours), time.monotonic(), time.process_time()
    _seed_trio(seed)
    ssl.create_default_context = _context  # type: ignore[assignment]  # nobody here speaks TLS, and each would read all certificates
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        conninfo = make_conninfo(server, dbname=name)
        trio.run(_play, run, conninfo, outcome, clock=trio.testing.MockClock(autojump_threshold=0))
    finally:
        gc.enable()
        outcome.wall_s, outcome.cpu_s = time.monotonic() - began, time.process_time() - cpu_s
        if run.until_s is None:
            _drop(server, name)
    return outcome


def _seed_trio(seed: int) -> None:
    """The order of tasks that are ready is sorted, then shuffled by these dice (as pytest-trio does for Hypothesis)."""
    trio._core._run._ALLOW_DETERMINISTIC_SCHEDULING = True  # type: ignore[misc]  # Final, and for this very use
    trio._core._run._r = random.Random(seed)
    trio.to_thread.run_sync = _at_once  # type: ignore[assignment]  # a real thread would end at a moment of its own


_context = cache(ssl.create_default_context)


async def _at_once(work: Callable[..., object], *arguments: object, **_: object) -> object:
    """A thread's work, while everybody waits."""
    await trio.lowlevel.checkpoint()
    return work(*arguments)


def _make(server: str, name: str, template: str) -> None:
    with psycopg.connect(server, autocommit=True) as admin:
        database = sql.Identifier(name)
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(database, sql.Identifier(template))
        )
        for setting, value in SETTINGS.items():
            admin.execute(
                sql.SQL("ALTER DATABASE {} SET {} = {}").format(database, sql.SQL(setting), sql.Literal(value))
            )


def _drop(server: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


async def _play(run: Run, conninfo: str, outcome: Outcome) -> None:
    engine = Engine(run.plan.seed, conninfo)
    engine.trace.lines = outcome.lines = [] if run.keep_lines else None
    try:
        with errors_noted(engine) as errors:
            await _history(run, engine, outcome, errors)
    except* InvariantBroken as broken:
        outcome.problems += [str(each) for each in leaves(broken)]
    except* Exception as crash:
        outcome.problems += [f"crashed: {''.join(traceback.format_exception(each)[-4:])}" for each in leaves(crash)]
    finally:
        outcome.digest, outcome.counts = engine.trace.value, engine.trace.counts
        outcome.tail, outcome.virtual_s = list(engine.trace.tail), trio.current_time()
        outcome.statements, outcome.commits, outcome.lock_waits = engine.statements, engine.commits, engine.lock_waits
        engine.close()


def leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """The plain exceptions of a group of groups."""
    return [
        leaf for each in group.exceptions for leaf in (leaves(each) if isinstance(each, BaseExceptionGroup) else [each])
    ]


async def _history(run: Run, engine: Engine, outcome: Outcome, errors: Errors) -> None:
    plan = run.plan
    world, truth, acknowledged = World(engine, plan.processes, config_of(plan), plan.pace), Truth(), Acknowledged()
    furnish(engine, plan)
    checker = Checker(engine)
    street = Street(plan, world, truth, acknowledged)
    bank = Bank(world) if plan.payments else None
    redis = Redis(engine) if REDIS_LOST in plan.onlookers else None
    async with _open(world, street, plan, bank) as tasks:
        tasks.start_soon(_watch_invariants, engine)
        tasks.start_soon(Guard(plan, world, street.stations, checker).run)
        with trio.move_on_at(run.until_s or float("inf")):
            await _live(street, world, bank, redis)
            await _come_to_rest(run, street, world, checker, outcome, bank)
        tasks.cancel_scope.cancel()
    if run.until_s is None:
        checker.ledger()
        outcome.problems += Final(plan, truth, acknowledged, checker).problems()
        outcome.problems += payment_problems(checker, bank)
        outcome.problems += record_problems(checker, plan, truth)
        outcome.problems += reservation_problems(checker, plan, acknowledged)
        outcome.problems += unexpected(errors)
    for row in checker.rows("SELECT id, status, energy, amount, debt_amount FROM charging_sessions ORDER BY id"):
        engine.trace.digest(repr(row))
    for row in checker.rows("SELECT id, balance, debt_amount FROM clients ORDER BY id"):
        engine.trace.digest(repr(row))
    engine.trace.counts["kept"] = len(acknowledged.kept)
    engine.trace.counts["sessions"] = len(checker.rows("SELECT id FROM charging_sessions"))


@asynccontextmanager
async def _open(world: World, street: Street, plan: Plan, bank: Bank | None) -> AsyncIterator[trio.Nursery]:
    async with trio.open_nursery() as tasks:
        if bank is not None:
            tasks.start_soon(bank.run)
        for place in world.places:
            if plan.deaths is not None:
                place.deaths = Deaths(plan.deaths, AWAY_S)
            tasks.start_soon(place.run)
        for each in street.stations:
            tasks.start_soon(each.run)
        yield tasks


async def _watch_invariants(engine: Engine) -> None:
    """End the run at the first broken one."""
    while True:
        if engine.broken is not None:
            raise engine.broken
        await trio.sleep(1)


async def _live(street: Street, world: World, bank: Bank | None, redis: Redis | None) -> None:
    """The time in which things go wrong."""
    plan = street.plan
    until_s = plan.hours * 3600
    with trio.move_on_at(until_s):
        async with trio.open_nursery() as visits:
            for at in street.stations:
                visits.start_soon(street.visitors, at, until_s)
            if plan.dangers:
                visits.start_soon(dangers, world, street.stations, until_s)
            if bank is not None:
                visits.start_soon(payers, plan, world, bank, street.acknowledged, until_s)
                visits.start_soon(moods, bank, world.engine, until_s)
            if plan.onlookers:
                visits.start_soon(onlookers, world, until_s)
            if redis is not None:
                visits.start_soon(redis.run, until_s)


async def _come_to_rest(
    run: Run, street: Street, world: World, checker: Checker, outcome: Outcome, bank: Bank | None
) -> None:
    """No more faults: everybody leaves, and everything must reach its end."""
    for place in world.places:
        place.deaths = None
        if place.serving is not None:
            place.serving.life.heal()
    for at in street.stations:
        at.heal()
    if bank is not None:
        bank.heal()
    # What a station did not hear of its charges yet, it hears now; and then the cable is pulled.
    await trio.sleep(HEARS_WITHIN_S)
    world.pace.calm()
    outcome.problems += unpaid_charges(checker, street.stations)
    for at in street.stations:
        await at.station.unplug()
        if at.is_charging:
            await at.station.stop(1)
    # The next question of the week's slow sweep, now: it finds what no call reported.
    await checker.run(CHECK_NOW, {"now": world.clock.now()})
    began, rebooted = trio.current_time(), False
    while trio.current_time() < began + run.final_within_s:
        await trio.sleep(LOOK_EVERY_S)
        queued = [at.plan.station_id for at in street.stations if len(at.station.hardware.outbox)]
        unfinished = checker.unfinished()
        if not queued and not unfinished:
            return
        world.pace.rest(began + NOTHING_HAPPENS_S[0] < trio.current_time() < began + NOTHING_HAPPENS_S[1])
        if trio.current_time() > began + REBOOTED_AFTER_S and not rebooted and run.plan.seed % WAITS_FOR_ALL:
            rebooted = True
            for at in street.stations:
                await at.station.reboot("PowerLoss")
    outcome.problems += [
        f"after {run.final_within_s:.0f} s: {each}" for each in (*unfinished, *map("{} queues".format, queued))
    ]


def unexpected(errors: Errors) -> list[str]:
    """Errors that no fault of ours explains."""
    return [f"logged {count} times: {what} {kind}" for (what, kind), count in errors.seen.items()]


def config_of(plan: Plan) -> Config:
    """With a provider, where money is paid in, and a Redis, where one is lost."""
    config = replace(CONFIG, odengi=ODENGI) if plan.payments else CONFIG
    return replace(config, redis=RedisSettings(url=URL)) if REDIS_LOST in plan.onlookers else config
