"""What is installed is what was locked: every version and every byte of it (safe by default 13)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
#: `name==version ; marker \\`, and its hashes on the lines below.
LOCKED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[\w,]+\])?==(\S+)(.*(?:\n[ \t]+--hash=.*)*)", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")


def locked() -> dict[str, str]:
    """What follows each name in the lock."""
    return {canonicalize_name(name): rest for name, _, rest in LOCKED.findall(LOCK)}


def test_every_dependency_has_its_hashes() -> None:
    assert len(locked()) > 40
    assert [name for name, rest in locked().items() if not HASH.search(rest)] == []


def test_the_lock_has_nothing_but_locked_versions() -> None:
    """No address of a file, no editable, no option, no index: what pip is told to install is named and hashed."""
    rest = LOCKED.sub("", LOCK)
    assert [line for line in rest.splitlines() if line.strip() and not line.lstrip().startswith("#")] == []


def test_every_dependency_of_ours_is_locked_to_a_version_that_it_allows() -> None:
    project = PROJECT["project"]
    asked = [*project["dependencies"], *(each for extra in project["optional-dependencies"].values() for each in extra)]
    versions = {canonicalize_name(name): version for name, version, _ in LOCKED.findall(LOCK)}
    for each in map(Requirement, asked):
        assert each.specifier.contains(versions[canonicalize_name(each.name)]), each
