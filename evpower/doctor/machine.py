"""Checks of the machine: its clock, the room on its disk, how many files a process may have open."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evpower.doctor.finding import Finding, good, sentence, unknown, warning, wrong

#: Prices go by the clock, and signatures of providers and tokens by seconds.
APART_WARNING_S = 2.0
APART_WRONG_S = 30.0
DISK_WARNING_SHARE = 0.10
DISK_WRONG_BYTES = 512 * 2**20
MIB = 2**20


@dataclass(frozen=True)
class ClockFacts:
    """How far the database's clock is ahead of ours, whether the kernel's is kept by NTP, a jump the server saw."""

    database_ahead_s: float | None
    synchronized: bool | None
    jumped_s: float | None = None


def clock(facts: ClockFacts) -> list[Finding]:
    """Whether this machine's clock can be believed."""
    findings = []
    if facts.jumped_s is not None:
        found = sentence("clock.jumped", seconds=f"{facts.jumped_s:.0f}")
        findings.append(wrong("clock", found, sentence("clock.set_right")))
    if facts.synchronized is False:
        findings.append(warning("clock", sentence("clock.not_kept"), sentence("clock.install")))
    apart = None if facts.database_ahead_s is None else abs(facts.database_ahead_s)
    if apart is not None and apart >= APART_WARNING_S:
        judged = wrong if apart >= APART_WRONG_S else warning
        found = sentence("clock.apart", seconds=f"{facts.database_ahead_s:+.1f}")
        findings.append(judged("clock", found, sentence("clock.keep_both")))
    if findings:
        return findings
    compared = sentence("clock.not_asked") if apart is None else sentence("clock.near", seconds=f"{apart:.1f}")
    if facts.synchronized:
        return [good("clock", sentence("clock.kept", compared=compared))]
    return [unknown("clock", sentence("clock.unread", compared=compared))]


def disk(place: Path, free_bytes: int | None, total_bytes: int) -> Finding:
    """Room where EvPower writes by itself; None: it cannot be looked at."""
    if free_bytes is None:
        return unknown("disk", sentence("disk.unseen", place=str(place)), sentence("disk.as_root"))
    found = sentence("disk.room", free=free_bytes // MIB, place=str(place), total=total_bytes // MIB)
    do = sentence("disk.make_room")
    if free_bytes < DISK_WRONG_BYTES:
        return wrong("disk", found, do)
    return warning("disk", found, do) if free_bytes < total_bytes * DISK_WARNING_SHARE else good("disk", found)


def file_limits(
    hard: int | None, needed: int, stations: int | None, connections_max: int, *, of_server: bool
) -> list[Finding]:
    """Whether every socket that is allowed for finds a descriptor, and every station a place. `hard` None: no limit.

    Without `of_server` it is the limit of this shell.
    """
    whose = sentence("file-limits.server") if of_server else sentence("file-limits.shell")
    findings = []
    if stations is not None and stations > connections_max:
        found = sentence("file-limits.stations", stations=stations, most=connections_max)
        findings.append(wrong("file-limits", found, sentence("file-limits.raise")))
    if hard is not None and hard < needed:
        found = sentence("file-limits.few", whose=whose, hard=hard, needed=needed)
        judged = wrong if stations is not None and stations > hard else warning
        findings.append(judged("file-limits", found, sentence("file-limits.set", needed=needed)))
    if findings:
        return findings
    if hard is None:
        return [good("file-limits", sentence("file-limits.any", whose=whose, needed=needed))]
    return [good("file-limits", sentence("file-limits.enough", whose=whose, hard=hard, needed=needed))]
