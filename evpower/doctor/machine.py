"""Checks of the machine: its clock, the room on its disk, how many files a process may have open."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evpower.doctor.finding import Finding, good, unknown, warning, wrong

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
        found = f"the clock jumped by {facts.jumped_s:.0f} s: time limits act on nothing for ten minutes"
        findings.append(wrong("clock", found, "set it right within them (docs/operating.md, when the clock jumps)"))
    if facts.synchronized is False:
        do = "install systemd-timesyncd or chrony, and let it reach a time server"
        findings.append(warning("clock", "the kernel's clock is not kept by NTP", do))
    apart = None if facts.database_ahead_s is None else abs(facts.database_ahead_s)
    if apart is not None and apart >= APART_WARNING_S:
        judged = wrong if apart >= APART_WRONG_S else warning
        found = f"the database's clock is {facts.database_ahead_s:+.1f} s from this machine's"
        findings.append(judged("clock", found, "keep both machines by NTP"))
    if findings:
        return findings
    kept = "kept by NTP" if facts.synchronized else "NTP's state cannot be read"
    compared = "the database's was not asked" if apart is None else f"{apart:.1f} s from the database's"
    return [(good if facts.synchronized else unknown)("clock", f"{kept}; {compared}")]


def disk(place: Path, free_bytes: int | None, total_bytes: int) -> Finding:
    """Room where EvPower writes by itself; None: it cannot be looked at."""
    if free_bytes is None:
        return unknown("disk", f"{place} cannot be looked at", "run the doctor as root, or make the directory")
    found = f"{free_bytes // MIB} MiB are free at {place}, of {total_bytes // MIB}"
    do = "delete old logs and dumps, never files of PostgreSQL (docs/operating.md, the disk is full)"
    if free_bytes < DISK_WRONG_BYTES:
        return wrong("disk", found, do)
    return warning("disk", found, do) if free_bytes < total_bytes * DISK_WARNING_SHARE else good("disk", found)


def file_limits(hard: int | None, needed: int, stations: int | None, connections_max: int, whose: str) -> list[Finding]:
    """Whether every socket that is allowed for finds a descriptor, and every station a place. `hard` None: no limit."""
    findings = []
    if stations is not None and stations > connections_max:
        found = f"{stations} stations are expected and ocpp.max_connections is {connections_max}"
        findings.append(wrong("file-limits", found, "raise ocpp.max_connections above the number of stations"))
    if hard is not None and hard < needed:
        found = f"{whose} may have {hard} files open and may need {needed} (ocpp.max_connections and others)"
        judged = wrong if stations is not None and stations > hard else warning
        findings.append(judged("file-limits", found, f"LimitNOFILE={needed} in the unit, or ulimit -n {needed}"))
    if findings:
        return findings
    allowed = "any number of" if hard is None else str(hard)
    return [good("file-limits", f"{whose} may have {allowed} files open, {needed} may be needed")]
