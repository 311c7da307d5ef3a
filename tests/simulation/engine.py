"""What makes a run repeatable: PostgreSQL's answers, trio's order and the deaths of processes follow from the seed.

A statement is driven synchronously inside trio's thread: nothing else runs meanwhile, so virtual time cannot move while
one is in flight, and only one is in flight at a time. One that PostgreSQL makes wait for a lock is parked, and goes on
as soon as the statement that held it up has ended. A process dies before or after a COMMIT: its connections end at the
server, whatever it says later is refused, and its tasks are cancelled.
"""

from __future__ import annotations

import gc
import hashlib
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random as Dice
from typing import Any

import psycopg
import trio

#: The cycle collector runs at statements, because asynchronous generators end wherever it strikes.
COLLECT_EVERY = 5000
TERMINATED_WITHIN_S = 30.0
STILL_THERE = "SELECT FROM pg_stat_get_activity(NULL) WHERE pid = ANY(%(pids)s) LIMIT 1"
#: The last events that a failure shows.
TAIL = 50
#: An error so long after a misfortune may still come of it: the waits of the product and of phones are shorter.
ECHO_S = 60.0


class InvariantBroken(Exception):
    """What must never be was found; the message says what."""


@dataclass(eq=False)
class Life:
    """One run of a process, from its start to its death; `frozen` is an Event while nothing of it may run."""

    name: str
    alive: bool = True
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    died: trio.Event = field(default_factory=trio.Event)
    #: Every connection that it opened.
    connections: list[psycopg.AsyncConnection[Any]] = field(default_factory=list)
    commits: int = 0
    #: Dies at this one of its commits; `after`: once it is durable, else before it is sent.
    dies_at_commit: int | None = None
    dies_after: bool = False
    thawed: trio.Event | None = None

    def heal(self) -> None:
        """It dies no more, and goes on if it stood still."""
        self.dies_at_commit = None
        self.thaw()

    def thaw(self) -> None:
        if self.thawed is not None:
            self.thawed.set()
            self.thawed = None


class Trace:
    """A digest over every event, and the last of them in words."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.tail: deque[str] = deque(maxlen=TAIL)
        self.counts: Counter[str] = Counter()
        #: Everything, for a comparison of two runs; None: not kept.
        self.lines: list[str] | None = None

    def note(self, kind: str, *what: object) -> None:
        """Something happened that a reader wants to see."""
        line = f"{trio.current_time():12.3f} {kind} {' '.join(map(str, what))}"
        self.counts[kind] += 1
        self.tail.append(line)
        self.digest(line)

    def digest(self, line: str) -> None:
        """Something happened that only the comparison needs."""
        self._digest.update(line.encode())
        if self.lines is not None:
            self.lines.append(line)

    @property
    def value(self) -> str:
        return self._digest.hexdigest()[:16]


class Engine:
    """The one place that decides what happens next between us and PostgreSQL."""

    def __init__(self, seed: int, conninfo: str) -> None:
        self.seed = seed
        self.conninfo = conninfo
        self.trace = Trace()
        self.monitor = psycopg.connect(conninfo, autocommit=True, application_name="simulation")
        self.monitor.add_notify_handler(lambda _: self._note_news())
        self.monitor.execute("LISTEN evpower")
        self._news = False
        self.statements = 0
        self.commits = 0
        self.lock_waits = 0
        #: Whether something of money may have changed since the last look.
        self.money_moved = False
        #: What every commit is followed by, and those that notify somebody.
        self.after_commit: list[Callable[[], None]] = []
        self.after_news: list[Callable[[], None]] = []
        #: A check of a commit that found something wrong: the run ends by it, at its next step.
        self.broken: InvariantBroken | None = None
        self._troubled_until = -1.0

    def random(self, what: str) -> Dice:
        """Dice of its own for each purpose: one more throw of one changes no other."""
        return Dice(f"{self.seed}/{what}")

    def close(self) -> None:
        self.monitor.close()

    def count_statement(self) -> None:
        self.statements += 1
        if self.statements % COLLECT_EVERY == 0:
            gc.collect()

    def committed(self, *, wrote: bool) -> None:
        """A transaction is durable; one that wrote nothing notifies nobody."""
        self.commits += 1
        if not wrote:
            return
        # Our own backend has had the signal of this commit's notifications before it answers us.
        self.monitor.execute("SELECT")
        news, self._news = self._news, False
        for react in (*self.after_commit, *(self.after_news if news else ())):
            try:
                react()
            except InvariantBroken as error:
                self.broken = self.broken or error

    def _note_news(self) -> None:
        self._news = True

    def struck(self, for_s: float = 0.0) -> None:
        """A misfortune of a process or its database begins, and lasts so long: it explains errors."""
        self._troubled_until = max(self._troubled_until, trio.current_time() + for_s + ECHO_S)

    @property
    def is_troubled(self) -> bool:
        """Whether what is too slow, or gone, has its reason."""
        return trio.current_time() <= self._troubled_until

    def blockers(self, pid: int) -> set[int]:
        """Which backends this one waits for."""
        row = self.monitor.execute("SELECT pg_blocking_pids(%s)", [pid]).fetchone()
        assert row is not None
        return set(row[0])

    def lose_connections(self, life: Life, dice: Dice) -> None:
        """PostgreSQL ends one of its connections, or all of them."""
        open_ones = [each for each in life.connections if not each.closed]
        self.trace.note("connections lost", life.name)
        self.struck()
        self.terminate(open_ones if dice.random() < 0.3 else open_ones[:1])

    def terminate(self, connections: Sequence[psycopg.AsyncConnection[Any]]) -> None:
        """Have PostgreSQL end them; when it returns their transactions are rolled back, and their locks are free.

        PostgreSQL's own wait for it looks every tenth of a second.
        """
        values = {"pids": [each.info.backend_pid for each in connections]}
        self.monitor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%(pids)s::int[]) pid", values)
        until = time.monotonic() + TERMINATED_WITHIN_S
        while self.monitor.execute(STILL_THERE, values).fetchone() is not None:
            assert time.monotonic() < until, "PostgreSQL does not end a connection"
            time.sleep(0.001)

    def kill(self, life: Life) -> None:
        """SIGKILL: the kernel closes its sockets, and PostgreSQL rolls back before anything else happens."""
        self.trace.note("death", life.name, f"commit {life.commits}", "after" if life.dies_after else "before")
        self.struck()
        life.alive = False
        life.dies_at_commit = None
        open_ones = [each for each in life.connections if not each.closed]
        self.terminate(open_ones)
        for each in open_ones:
            each.close_now()  # type: ignore[attr-defined]
        life.connections.clear()
        life.died.set()
        life.scope.cancel()
