"""Deaths placed exactly: the server stands still inside a COMMIT, or waits for a provider, and there SIGKILL finds it.

A deferred trigger is the last thing PostgreSQL runs before a commit. Ours counts the commits of the payments' tables,
and the armed one waits there for a lock the test holds. The server dies; then its commit is lost, as if the death had
been a moment earlier, or goes through with nobody left to hear of it, as if it had been a moment later. The server
itself knows nothing of this.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString, Protocol

import psycopg
import trio

from evpower.simulator.providers.sandbox import Sandbox
from evpower.simulator.providers.surroundings.faults import Fault, Provider
from tests.e2e.process import Server, poll
from tests.e2e.street import WITHIN_S

#: The lock in `PREPARE`.
LOCK = 20251124
#: Every commit of a payment's path writes one of them.
TABLES: Sequence[LiteralString] = (
    "public.balance_topups",
    "evpower.top_up_orders",
    "evpower.top_up_refunds",
    "evpower.provider_events",
    "evpower.ledger_entries",
    "evpower.idempotency_keys",
)
PREPARE = """
CREATE SCHEMA crash;
CREATE SEQUENCE crash.commits_left INCREMENT -1 MINVALUE -1000000 MAXVALUE 1000000;
CREATE FUNCTION crash.at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('crash.counted', true) = pg_current_xact_id()::text THEN
        RETURN NULL;
    END IF;
    PERFORM set_config('crash.counted', pg_current_xact_id()::text, true);
    IF nextval('crash.commits_left') = 0 THEN
        PERFORM pg_advisory_xact_lock(20251124);
    END IF;
    RETURN NULL;
END $$;
"""
TRIGGER = """
CREATE CONSTRAINT TRIGGER crash AFTER INSERT OR UPDATE ON {} DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION crash.at_commit()
"""
STANDING = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted"
ALIVE = "SELECT FROM pg_stat_activity WHERE pid = %s"
#: Longer than a lease and than the grace of an order its provider does not know, shorter than an invoice's life.
TIME_PASSES: Sequence[LiteralString] = (
    """
    UPDATE public.balance_topups SET created_at = created_at - interval '150 s',
        qr_expires_at = qr_expires_at - interval '150 s', invoice_expires_at = invoice_expires_at - interval '150 s'
    WHERE status = 'processing'
    """,
    """
    UPDATE evpower.top_up_orders SET next_check_at = next_check_at - interval '150 s',
        leased_until = leased_until - interval '150 s' WHERE next_check_at IS NOT NULL
    """,
    "UPDATE evpower.top_up_refunds SET next_check_at = next_check_at - interval '150 s' WHERE state = 'open'",
)


class Commits:
    """Counts the commits of some tables, and stops the server in one of them."""

    def __init__(self, database: psycopg.Connection[Any], tables: Sequence[LiteralString] = TABLES) -> None:
        self._database = database
        self._armed_for = 0
        database.execute(PREPARE)
        for table in tables:
            database.execute(TRIGGER.format(table))
        self._hold()

    def arm(self, number: int) -> None:
        """The `number`-th commit from now is the one."""
        self._armed_for = number
        self._database.execute("SELECT setval('crash.commits_left', %s)", [number])

    @property
    def count(self) -> int:
        """How many there were since `arm`."""
        row = self._database.execute("SELECT last_value FROM crash.commits_left").fetchone()
        assert row is not None
        return self._armed_for - int(row[0])

    async def reached(self) -> int:
        """Return when the server stands in the commit; the PostgreSQL process it waits for."""

        async def look() -> int | None:
            row = self._database.execute(STANDING, [LOCK]).fetchone()
            return None if row is None else int(row[0])

        pid: int = await poll(look, 0.01)
        return pid

    async def end(self, pid: int, *, kept: bool) -> None:
        """With the server dead: let its commit through, or not; return when PostgreSQL is done with it."""
        if not kept:
            self._database.execute("SELECT pg_terminate_backend(%s)", [pid])
        self._database.execute("SELECT pg_advisory_unlock(%s)", [LOCK])

        async def is_gone() -> bool:
            return self._database.execute(ALIVE, [pid]).fetchone() is None

        await poll(is_gone, 0.01)
        self._hold()

    def let_time_pass(self) -> None:
        """Two and a half minutes, for every payment that is still open."""
        for statement in TIME_PASSES:
            self._database.execute(statement)

    def rows(self, query: LiteralString, *parameters: object) -> list[Any]:
        """What a query finds."""
        return self._database.execute(query, parameters).fetchall()

    def _hold(self) -> None:
        self._database.execute("SELECT pg_advisory_lock(%s)", [LOCK])


@contextmanager
def counted_commits(database_url: str, tables: Sequence[LiteralString] = TABLES) -> Iterator[Commits]:
    """For a migrated database; it is not like the others afterwards and will not be lent again."""
    with psycopg.connect(database_url, autocommit=True) as database:
        yield Commits(database, tables)


@dataclass(frozen=True)
class Bank:
    """A started server, its providers, and its commits."""

    server: Server
    sandbox: Sandbox
    commits: Commits


class Moment(Protocol):
    """When the server dies."""

    @property
    def name(self) -> str:
        """For a failing test."""
        ...

    def prepare(self, bank: Bank) -> None:
        """Before the story begins."""
        ...

    async def kill(self, bank: Bank) -> None:
        """Wait for the moment, and kill; what the dead server had under way is over when this returns."""
        ...


@dataclass(frozen=True)
class AtCommit:
    """Around a commit: it is the last thing the process does, or the first it does not."""

    number: int
    what: str
    kept: bool

    @property
    def name(self) -> str:
        return f"{'after' if self.kept else 'before'} the commit of {self.what}"

    def prepare(self, bank: Bank) -> None:
        bank.commits.arm(self.number)

    async def kill(self, bank: Bank) -> None:
        pid = await bank.commits.reached()
        await bank.server.kill()
        await bank.commits.end(pid, kept=self.kept)


@dataclass(frozen=True)
class WhileAsked:
    """A provider has done what it was asked, and has not answered."""

    provider: Provider
    command: str

    @property
    def name(self) -> str:
        return f"while {self.provider} is asked to {self.command}"

    def prepare(self, bank: Bank) -> None:
        bank.sandbox.faults.add(Fault(provider=self.provider, kind="hang", command=self.command))

    async def kill(self, bank: Bank) -> None:
        asked = bank.sandbox.received
        await asked.wait_until(lambda: any(each.fault == "hang" for each in asked.entries(command=self.command)))
        await bank.server.kill()


def around(commits: Sequence[str]) -> list[Moment]:
    """Before and after each of a path's commits, in their order."""
    return [AtCommit(number, what, kept) for number, what in enumerate(commits, 1) for kept in (False, True)]


async def die_and_rise(bank: Bank, moment: Moment) -> None:
    """Kill the server at its moment, let time pass, and start it again."""
    with trio.fail_after(2 * WITHIN_S):
        await moment.kill(bank)
        bank.commits.let_time_pass()
        await bank.server.start()
