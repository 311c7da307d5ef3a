"""One or two processes of EvPower, life after life, on one database and one clock that jumps over idle time."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import psycopg
import trio

from evpower.clock import ClockWatch
from evpower.cluster import processes, remote_commands
from evpower.db.pool import open_pool
from evpower.errors import DatabaseUnavailable
from evpower.events import ChargingBegan, Event, SessionEnded, SessionReserved, SessionSettled
from evpower.favorites import watches
from evpower.http.wire.access import HttpTraffic
from evpower.identifiers import ProcessId
from evpower.ocpp.door.failed_logins import FailedLogins
from evpower.ocpp.door.server import Door
from evpower.outgoing_http import Transport
from evpower.payments.gateways.providers import open_gateways
from evpower.server import loop_lag
from evpower.server.doors import people_app, station_server
from evpower.server.metrics.graph import server_figures
from evpower.server.process import Process, build_process
from evpower.server.supervisor import start_workers
from evpower.settings.config import Config
from evpower.settings.http import HttpSettings
from evpower.sign_in.means import SignInMeans
from evpower.webhooks import deliverer
from tests.simulation.connection import DEAD, Locks, SimulatedConnection
from tests.simulation.engine import Engine, InvariantBroken, Life
from tests.simulation.network import Away, MemoryListener, PeopleDoor
from tests.simulation.pace import Pace

#: When every history begins: noon of a Monday in Bishkek.
BEGINS_AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
POOL_SIZE = 6
ADMIN_SHUTDOWN = "57P01"
#: Looks at rows that no history has, or that are not money.
IDLE_LOOKS_EVERY_S = 60.0
#: What another process has asked comes by a notification; the look for what was lost of them. One process asks itself
#: nothing.
POLL_EVERY_S = 5.0
RENEW_EVERY_S, RENEW_ALONE_EVERY_S = 10.0, processes.LEASE.total_seconds() * 0.8
#: Every address: what limits requests by real CPU time has no place here.
ANYBODY = (ip_network("0.0.0.0/0"),)
CONFIG = Config(http=HttpSettings(public_url="https://evpower.test", rate_limit_exempt=ANYBODY))


class SimulatedClock:
    """The machine's wall clock: virtual time, and by how much it is wrong."""

    def __init__(self) -> None:
        self.wrong_s = 0.0

    def now(self) -> datetime:
        return BEGINS_AT + timedelta(seconds=trio.current_time() + self.wrong_s)


class SeededIds:
    """Identifiers that a seed repeats."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def new(self) -> str:
        return f"{self._dice.getrandbits(128):032x}"

    def new_id_tag(self) -> str:
        return f"EV{self._dice.getrandbits(56):014X}"


#: The phases in which a session cannot be, once the event is published.
PUBLISHED: Mapping[type[Event], tuple[str, ...]] = {
    SessionReserved: (),
    ChargingBegan: ("reserved", "starting"),
    SessionEnded: ("reserved", "starting", "charging", "stopping"),
    SessionSettled: ("reserved", "starting", "charging", "stopping", "ended"),
}
IN_ROWS = "SELECT FROM evpower.session_phases WHERE session_id = %(id)s AND phase <> ALL(%(before)s)"


@dataclass(frozen=True)
class Serving:
    """What a life that is ready can be reached by."""

    life: Life
    process: Process
    chargers: MemoryListener
    people: PeopleDoor


@dataclass(frozen=True)
class Deaths:
    """How a process dies and comes back: a commit in `commits` is its last one; a drawn one of `away_s` is its rest."""

    commits: tuple[int, int]
    away_s: tuple[tuple[float, float], ...]


class Place:
    """Where one process runs, dies and is started again."""

    def __init__(self, name: str, world: World) -> None:
        self.name = name
        self.serving: Serving | None = None
        self.started = trio.Event()
        self.deaths: Deaths | None = None
        self._world = world
        self._dice = world.engine.random(f"place {name}")
        self._lives = 0
        self._away_s: float | None = None

    def reach(self) -> Serving:
        """Raises Away."""
        if self.serving is None or not self.serving.life.alive:
            raise Away
        return self.serving

    def fall(self, away_s: float) -> None:
        """Die now, and be away for so long."""
        if self.serving is not None and self.serving.life.alive:
            self._away_s = away_s
            self._world.engine.kill(self.serving.life)

    async def run(self) -> None:
        """Life after life, until cancelled."""
        while True:
            self._lives += 1
            life = Life(f"{self.name}{self._lives}")
            if self.deaths is not None:
                life.dies_at_commit = self._dice.randint(*self.deaths.commits)
                life.dies_after = self._dice.random() < 0.5
            try:
                with life.scope:
                    await self._live(life)
            except* Exception:
                if life.alive:
                    raise
            self.serving = None
            self.started = trio.Event()
            away_s, self._away_s = self._away_s, None
            if away_s is None and self.deaths is not None:
                away_s = self._dice.uniform(*self._dice.choice(self.deaths.away_s))
            engine = self._world.engine
            engine.struck(away_s or 0.0)
            await trio.sleep(away_s or 0.0)
            engine.struck()

    async def _live(self, life: Life) -> None:
        world, engine = self._world, self._world.engine
        process_id = ProcessId(world.ids.new())
        connect = SimulatedConnection.opener(engine, life, world.locks)
        clock = world.clock
        async with (
            open_pool(engine.conninfo, size=POOL_SIZE, process_id=process_id, connect=connect) as pool,
            open_gateways(world.config, clock, world.transport) as gateways,
            trio.open_nursery() as workers,
        ):
            process = build_process(
                world.config,
                process_id,
                pool,
                gateways,
                clock,
                ClockWatch(clock, trio.current_time),
                world.ids,
                workers,
                sign_in_means=SignInMeans(b"s" * 32, sms=None),
                random_bytes=self._dice.randbytes,
            )
            process.app.bus.listen(world.must_be_in_rows)
            await start_workers(workers, process)
            server, chargers = station_server(process, FailedLogins()), MemoryListener()
            await workers.start(server.serve, [Door(chargers, anonymous=True)])
            traffic = HttpTraffic()
            figures = server_figures(process, server, traffic)
            app = people_app(process, figures, (), traffic, cpu_s=lambda: 0.0)
            self.serving = Serving(life, process, chargers, PeopleDoor(app, life, workers))
            self.started.set()
            engine.trace.note("ready", life.name)
            await trio.sleep_forever()


class World:
    """Everything that the processes share."""

    def __init__(self, engine: Engine, names: str = "A", config: Config = CONFIG, pace: float = 1.0) -> None:
        self.engine = engine
        self.pace = Pace(pace, RENEW_EVERY_S if len(names) > 1 else RENEW_ALONE_EVERY_S)
        self.config = replace(config)
        self.clock = SimulatedClock()
        self.ids = SeededIds(engine.random("ids"))
        self.locks = Locks()
        self._proxy = engine.random("proxy")
        self.transport: Transport | None = None
        self.places = [Place(name, self) for name in names]
        remote_commands.POLL_EVERY_S = POLL_EVERY_S if len(names) > 1 else IDLE_LOOKS_EVERY_S
        deliverer.LOOK_EVERY_S = watches.LOOK_EVERY_S = loop_lag.LOOK_EVERY_S = IDLE_LOOKS_EVERY_S
        engine.after_news.append(self._spread_news)
        #: What was notified is on its way, and arrives when the hold ends.
        self.is_news_held = False

    def a_place(self) -> Place:
        """As a proxy in front of them chooses: one that is there, if one is."""
        there = [place for place in self.places if place.serving is not None]
        return self._proxy.choice(there or self.places)

    def must_be_in_rows(self, event: Event) -> None:
        """What is published has been committed: whoever is told reads the rows (design §6)."""
        if not isinstance(event, SessionReserved | ChargingBegan | SessionEnded | SessionSettled) or self.engine.broken:
            return
        values = {"id": event.session_id, "before": list(PUBLISHED[type(event)])}
        if self.engine.monitor.execute(IN_ROWS, values).fetchone() is None:
            self.engine.broken = InvariantBroken(f"published, and not in the rows: {event}")

    async def hold_news(self, seconds: float) -> None:
        """No notification arrives for so long."""
        self.is_news_held = True
        await trio.sleep(seconds)
        self.is_news_held = False
        self._spread_news()

    def _spread_news(self) -> None:
        """What listens is woken, and reads what its own connection was sent."""
        if self.is_news_held:
            return
        for place in self.places:
            if place.serving is not None:
                for connection in place.serving.life.connections:
                    if isinstance(connection, SimulatedConnection):
                        connection.news.set()


class Errors(logging.Handler):
    """Counts what the application logs as an error; what carries an exception is an event of the history."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(logging.WARNING)
        self._engine = engine
        self.seen: dict[tuple[str, str], int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        kind = type(error).__name__ if error is not None else ""
        if is_of_a_fault(error or _named_in(record), self._engine):
            return
        if record.levelno >= logging.ERROR or kind:
            key = (f"{record.name}: {record.msg}", kind)
            self.seen[key] = self.seen.get(key, 0) + 1
            self._engine.trace.note("error", f"{record.getMessage()} {error!r}")


def _named_in(record: logging.LogRecord) -> BaseException | None:
    """The exception that a line gives as its reason, without its traceback."""
    arguments = record.args if isinstance(record.args, tuple) else ()
    return next((each for each in arguments if isinstance(each, BaseException)), None)


def is_of_a_fault(error: BaseException | None, engine: Engine) -> bool:
    """Whether it comes of a death, of a connection that PostgreSQL ended, or of a process that stood still.

    Time never passes while a statement is in flight: what is too slow here stood still, or waited for one that did.
    When nothing of the kind happened in the last minute, nothing is explained.
    """
    if error is None or not engine.is_troubled:
        return False
    if isinstance(error, BaseExceptionGroup) and any(is_of_a_fault(each, engine) for each in error.exceptions):
        return True
    if isinstance(error, psycopg.OperationalError) and error.sqlstate in (None, ADMIN_SHUTDOWN):
        return True
    if isinstance(error, trio.TooSlowError | DatabaseUnavailable) or str(error) == DEAD:
        return True
    return is_of_a_fault(error.__cause__, engine) or is_of_a_fault(error.__context__, engine)


@contextmanager
def errors_noted(engine: Engine) -> Iterator[Errors]:
    """While the block lasts, nothing is printed and every error is counted."""
    root, handler = logging.getLogger(), Errors(engine)
    before, level = root.handlers[:], root.level
    root.handlers[:], root.level = [handler], logging.WARNING
    try:
        yield handler
    finally:
        root.handlers[:], root.level = before, level
