"""A few short histories in every run of the tests; `make simulate SEEDS=1-100` plays more, and longer ones."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.__main__ import kept
from tests.simulation.plan import draw

ROOT = Path(__file__).parents[2]
#: Far beyond the few seconds that they take: a machine may be busy.
WITHIN_S = 800
pytestmark = pytest.mark.timeout(WITHIN_S + 60)


def begin(server: str, *options: str) -> subprocess.Popen[str]:
    """`make simulate` in a process of its own, on the tests' PostgreSQL."""
    environment = {**os.environ, "EVPOWER_TEST_DATABASE_URL": server, "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "tests.simulation", *options]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def output(process: subprocess.Popen[str]) -> str:
    """All it said, with its exit code."""
    said, _ = process.communicate(timeout=WITHIN_S)
    return f"{said}exit={process.returncode}"


def digests(said: str) -> list[str]:
    return re.findall(r"digest=(\w+)", said)


@pytest.mark.parametrize("seed", [3, 9, 12])
def test_the_same_seed_is_the_same_history_in_another_process(postgres_server: str, seed: int) -> None:
    """Over every statement, reply and row."""
    options = ("--seeds", str(seed), "--hours", "0.05")
    one, another = begin(postgres_server, *options), begin(postgres_server, *options)
    said, said_again = output(one), output(another)
    assert len(digests(said)) == 1, said
    assert digests(said) == digests(said_again)


@pytest.mark.parametrize("seeds", ["1", "2", "4", "5", "6", "7", "8", "10"])
def test_a_short_history_is_as_it_must_be(postgres_server: str, seeds: str) -> None:
    said = output(begin(postgres_server, "--seeds", seeds, "--hours", "0.12"))
    assert said.endswith("exit=0"), said
    assert len(digests(said)) == 1


def test_another_seed_is_another_history() -> None:
    assert draw(7, 1.0) == draw(7, 1.0)
    assert draw(7, 1.0) != draw(8, 1.0)


def test_the_seeds_that_failed_once_can_be_read() -> None:
    assert all(seed >= 0 and hours > 0 for seed, hours in kept())
