"""Parts of requirements.lock: what an installation needs, without the tools of development."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
#: `name==version ; marker \\`, its hashes, and who asks for it, on the lines below.
ENTRY = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[\w,]+\])?==(?P<version>[^\s;]+)(?: ; (?P<marker>[^\\\n]+?))? \\\n"
    r"(?P<below>(?:[ \t]+.*\n)+)",
    re.MULTILINE,
)
ASKER = re.compile(r"^ +#(?: via)? +([A-Za-z0-9._-]+)", re.MULTILINE)


@dataclass(frozen=True)
class Locked:
    """One entry of the lock, as it is written there."""

    name: str
    version: str
    marker: str | None
    askers: frozenset[str]
    text: str

    def applies(self, python: str) -> bool:
        """Whether it is installed by CPython `python`, such as "3.12", on Linux."""
        environment = {"python_version": python, "python_full_version": f"{python}.9", **LINUX}
        return self.marker is None or Marker(self.marker).evaluate(environment)


LINUX = {
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "os_name": "posix",
    "sys_platform": "linux",
    "platform_system": "Linux",
}


def read_lock(text: str) -> dict[str, Locked]:
    """The entries by name."""
    found = (_entry(match) for match in ENTRY.finditer(text))
    return {each.name: each for each in found}


def needed_by(lock: dict[str, Locked], names: Iterable[str]) -> list[Locked]:
    """What these are, with all that they ask for, in the order of the lock."""
    needed: set[str] = {canonicalize_name(name) for name in names}
    while more := {each.name for each in lock.values() if each.askers & needed} - needed:
        needed |= more
    return [each for each in lock.values() if each.name in needed]


def asked_at_run_time() -> Iterator[str]:
    """The names in `dependencies` of pyproject.toml."""
    yield from (Requirement(each).name for each in _project()["dependencies"])


def asked_by(extra: str) -> Iterator[str]:
    """The names in an extra of pyproject.toml."""
    yield from (Requirement(each).name for each in _project()["optional-dependencies"][extra])


def _project() -> dict[str, dict[str, list[str]]]:
    project: dict[str, dict[str, list[str]]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return project


def _entry(match: re.Match[str]) -> Locked:
    askers = frozenset(canonicalize_name(name) for name in ASKER.findall(match["below"]))
    return Locked(canonicalize_name(match["name"]), match["version"], match["marker"], askers, match[0])
