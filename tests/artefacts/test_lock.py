"""dist/requirements.lock: all that EvPower needs, and no tool of development."""

from __future__ import annotations

from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from artefacts.lock import ROOT, asked_at_run_time, asked_by, needed_by, read_lock

WHOLE = (ROOT / "requirements.lock").read_text(encoding="utf-8")
LOCK = read_lock(WHOLE)
NEEDED = {each.name for each in needed_by(LOCK, asked_at_run_time())}


def test_the_whole_lock_is_read() -> None:
    assert "".join(each.text for each in LOCK.values()) == WHOLE


def test_every_requirement_of_what_is_needed_is_needed() -> None:
    """By the packages' own metadata, while the lock's comments say who asked for what."""
    for name in NEEDED:
        if not LOCK[name].applies("3.11"):
            continue
        for each in map(Requirement, requires(name) or ()):
            if each.marker is None or each.marker.evaluate({"extra": ""}):
                assert canonicalize_name(each.name) in NEEDED, (name, each)


def test_the_extras_of_our_own_dependencies_are_needed() -> None:
    assert {"psycopg", "psycopg-binary"} <= NEEDED


@pytest.mark.parametrize("extra", ["dev", "bench", "dist"])
def test_no_tool_is_in_it(extra: str) -> None:
    assert {canonicalize_name(name) for name in asked_by(extra)} & NEEDED == set()
    assert {canonicalize_name(name) for name in asked_by(extra)} <= LOCK.keys()


def test_what_belongs_to_another_system_does_not_apply() -> None:
    assert not LOCK["httpx2-jsfetch"].applies("3.13")
    assert LOCK["psycopg-binary"].applies("3.13")
