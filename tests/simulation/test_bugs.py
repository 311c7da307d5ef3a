"""Each planted bug is found, in a history narrowed to what it needs: from the seed that found it first."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.simulation.bugs import BUGS
from tests.simulation.bugs.found import HUNTS
from tests.simulation.playing import WITHIN_S, Server, begin

pytestmark = pytest.mark.timeout(WITHIN_S + 60)


@pytest.fixture(scope="module")
def hunter(postgres_server: str, template: str) -> Iterator[subprocess.Popen[str]]:
    """One process that has everything ready: each bug is planted in a fork of it."""
    server: Server = postgres_server, template
    with begin(server, "--listen", stdin=subprocess.PIPE) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.mark.parametrize("bug", HUNTS)
def test_a_planted_bug_is_found(hunter: subprocess.Popen[str], bug: str) -> None:
    assert hunter.stdin is not None
    assert hunter.stdout is not None
    hunter.stdin.write(f"{bug}\n")
    hunter.stdin.flush()
    assert HUNTS[bug].report in hunter.stdout.readline()


def test_every_planted_bug_is_looked_for() -> None:
    assert HUNTS.keys() == BUGS.keys()
    assert all(hunt.report for hunt in HUNTS.values())
