"""What a check found, in a shape that scripts may rely on; its sentences are those of `evpower/texts/doctor`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from evpower.texts.catalogue import Catalogue

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
class Sentence:
    """A key of the catalogue and what fills its places."""

    key: str
    places: Mapping[str, Value]


#: What fills a place: a name, a number, the reason that another program gave, or a part that has a key of its own.
Value: TypeAlias = str | int | Sentence


def sentence(key: str, /, **places: Value) -> Sentence:
    """The only way to make one: a test reads every key and its places out of these calls."""
    return Sentence(key, places)


def in_words(value: Value, texts: Catalogue) -> str:
    """A sentence in a language. Raises KeyError for a key that the catalogue has not."""
    if not isinstance(value, Sentence):
        return str(value)
    return texts(value.key, **{name: in_words(each, texts) for name, each in value.places.items()})


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `do` says what to do about it, and is None when there is nothing to do."""

    check: str
    state: State
    found: Sentence
    do: Sentence | None = None


def good(check: str, found: Sentence) -> Finding:
    return Finding(check, "good", found)


def warning(check: str, found: Sentence, do: Sentence) -> Finding:
    return Finding(check, "warning", found, do)


def wrong(check: str, found: Sentence, do: Sentence) -> Finding:
    return Finding(check, "wrong", found, do)


def unknown(check: str, found: Sentence, do: Sentence | None = None) -> Finding:
    return Finding(check, "unknown", found, do)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """By check, each check's own findings as they came."""
    return sorted(findings, key=lambda finding: CHECKS.index(finding.check))


def is_ok(findings: Iterable[Finding]) -> bool:
    """Whether nothing is wrong; warnings and what could not be looked at do not count."""
    return not any(finding.state == "wrong" for finding in findings)
