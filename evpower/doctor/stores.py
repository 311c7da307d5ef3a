"""Checks of the database and of Redis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evpower.doctor.finding import Finding, Sentence, Value, good, sentence, unknown, warning, wrong

OLDEST_MAJOR = 15
MIB = 2**20
SHOWN = 3


@dataclass(frozen=True)
class DatabaseFacts:
    """The database as it answered; `which` names it."""

    which: Value
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
        found = sentence("database.old", major=facts.major, which=facts.which)
        findings.append(wrong("database", found, sentence("database.upgrade", oldest=OLDEST_MAJOR)))
    if facts.unknown:
        found = sentence("database.newer", which=facts.which, names=_some(facts.unknown))
        findings.append(wrong("database", found, sentence("database.install_newer")))
    if facts.pending:
        names = _some(facts.pending)
        found = sentence("database.pending", count=len(facts.pending), which=facts.which, names=names)
        do = sentence("database.restart") if server_runs else sentence("database.migrate")
        findings.append(warning("database", found, do))
    if not facts.is_private and facts.connections_max <= pool_size + 1:
        found = sentence("database.connections", most=facts.connections_max, pool=pool_size)
        findings.append(wrong("database", found, sentence("database.raise_connections")))
    if findings:
        return findings
    size = f"{facts.size_bytes / MIB:.0f}"
    return [good("database", sentence("database.good", which=facts.which, major=facts.major, size=size))]


def no_database(reason: Sentence, *, is_set: bool) -> Finding:
    """The settings name one that does not answer, or none is there yet."""
    if is_set:
        return wrong("database", reason, sentence("database.start"))
    return unknown("database", reason, sentence("database.set"))


def redis(is_set: bool, version: str, error: str) -> Finding:
    """What processes share for speed; nothing else depends on it."""
    if not is_set:
        return good("redis", sentence("redis.none"))
    if error:
        return wrong("redis", sentence("redis.away", error=error), sentence("redis.start"))
    return good("redis", sentence("redis.good", version=version))


def _some(names: Sequence[str]) -> Value:
    first = ", ".join(names[:SHOWN])
    return sentence("database.names", first=first, count=len(names) - SHOWN) if len(names) > SHOWN else first
