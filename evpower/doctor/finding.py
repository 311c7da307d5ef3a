"""What a check found, in a shape that scripts may rely on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

#: `unknown`: it could not be looked at, and `found` says why.
State = Literal["good", "warning", "wrong", "unknown"]

#: Every check, in the order it is shown; docs/doctor.md has a section for each.
CHECKS = (
    "file",
    "settings",
    "secrets",
    "database",
    "redis",
    "clock",
    "certificates",
    "disk",
    "file-limits",
    "providers",
    "proxies",
    "stations",
    "cards",
    "clients",
)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `do` says what to do about it, and is empty when there is nothing to do."""

    check: str
    state: State
    found: str
    do: str = ""


def good(check: str, found: str) -> Finding:
    return Finding(check, "good", found)


def warning(check: str, found: str, do: str) -> Finding:
    return Finding(check, "warning", found, do)


def wrong(check: str, found: str, do: str) -> Finding:
    return Finding(check, "wrong", found, do)


def unknown(check: str, found: str, do: str = "") -> Finding:
    return Finding(check, "unknown", found, do)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """By check, each check's own findings as they came."""
    return sorted(findings, key=lambda finding: CHECKS.index(finding.check))


def is_ok(findings: Iterable[Finding]) -> bool:
    """Whether nothing is wrong; warnings and what could not be looked at do not count."""
    return not any(finding.state == "wrong" for finding in findings)
