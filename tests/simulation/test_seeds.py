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
HOURS = "0.15"


def simulate(server: str, *options: str) -> subprocess.CompletedProcess[str]:
    """`make simulate` in a process of its own, on the tests' PostgreSQL."""
    environment = {**os.environ, "EVPOWER_TEST_DATABASE_URL": server, "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "tests.simulation", *options]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False)


def digests(output: str) -> list[str]:
    return re.findall(r"digest=(\w+)", output)


def test_the_same_seed_is_the_same_history_in_another_process(postgres_server: str) -> None:
    """Over every statement, reply and row; also alone, and not as the third of three."""
    three = simulate(postgres_server, "--seeds", "3,9,12", "--hours", "0.05")
    one = simulate(postgres_server, "--seeds", "12", "--hours", "0.05")
    again = simulate(postgres_server, "--seeds", "3,9", "--hours", "0.05")
    assert len(digests(three.stdout)) == 3, three.stdout + three.stderr
    assert digests(three.stdout) == [*digests(again.stdout), *digests(one.stdout)]
    assert len(set(digests(three.stdout))) == 3


@pytest.mark.parametrize("seeds", ["1,2", "3,4", "5,6", "7,8"])
def test_short_histories_are_as_they_must_be(postgres_server: str, seeds: str) -> None:
    played = simulate(postgres_server, "--seeds", seeds, "--hours", HOURS)
    assert played.returncode == 0, played.stdout + played.stderr
    assert len(digests(played.stdout)) == 2


def test_the_seeds_that_failed_once_can_be_read() -> None:
    assert all(seed >= 0 and hours > 0 for seed, hours in kept())


def test_a_plan_follows_from_its_seed_alone() -> None:
    assert draw(7, 1.0) == draw(7, 1.0)
    assert draw(7, 1.0) != draw(8, 1.0)
