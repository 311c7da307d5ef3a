"""Checks of the database and of Redis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evpower.doctor.finding import Finding, good, unknown, warning, wrong

OLDEST_MAJOR = 15
MIB = 2**20
SHOWN = 3


@dataclass(frozen=True)
class DatabaseFacts:
    """The database as it answered; `which` names it."""

    which: str
    major: int
    size_bytes: int
    pending: Sequence[str]
    #: Migrations in it that this EvPower does not know.
    unknown: Sequence[str]
    connections_max: int
    is_private: bool = False


def database(facts: DatabaseFacts, pool_size: int, *, server_runs: bool) -> list[Finding]:
    """Version, schema and room for our connections."""
    findings = []
    if facts.major < OLDEST_MAJOR:
        found = f"PostgreSQL {facts.major} at {facts.which}"
        findings.append(wrong("database", found, f"EvPower needs {OLDEST_MAJOR} or newer"))
    if facts.unknown:
        found = f"the schema of {facts.which} is newer than this EvPower: {_some(facts.unknown)}"
        findings.append(wrong("database", found, "install the newer EvPower, or restore the backup before its upgrade"))
    if facts.pending:
        found = f"{len(facts.pending)} migrations are not applied to {facts.which}: {_some(facts.pending)}"
        do = "restart the server" if server_runs else "evpower migrate, or start the server"
        findings.append(warning("database", found, do))
    if not facts.is_private and facts.connections_max <= pool_size + 1:
        found = f"max_connections is {facts.connections_max}; one process opens {pool_size} and one to listen on"
        findings.append(wrong("database", found, "raise PostgreSQL's max_connections, or lower database.pool_size"))
    if findings:
        return findings
    size = f"{facts.size_bytes / MIB:.0f} MiB"
    return [good("database", f"{facts.which}, PostgreSQL {facts.major}, {size}, schema up to date")]


def no_database(reason: str, *, is_set: bool) -> Finding:
    """The settings name one that does not answer, or none is there yet."""
    if is_set:
        do = "start PostgreSQL, or mend database.url; the server waits for it and cannot start without"
        return wrong("database", reason, do)
    return unknown("database", reason, "set database.url (EVPOWER_DATABASE_URL); a server without makes a private one")


def redis(is_set: bool, version: str, error: str) -> Finding:
    """What processes share for speed; nothing else depends on it."""
    if not is_set:
        return good("redis", "none is set: each process keeps its own list and counts")
    if error:
        return wrong(
            "redis", f"redis.url does not answer: {error}", "start it, or mend redis.url; charging goes on without"
        )
    return good("redis", f"answers, version {version}")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
