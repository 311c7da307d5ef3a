"""A few short histories in every run of the tests; `make simulate SEEDS=1-100` plays more, and longer ones."""

from __future__ import annotations

import re

import pytest

from tests.simulation.__main__ import kept
from tests.simulation.plan import draw
from tests.simulation.playing import WITHIN_S, Server, begin, output

pytestmark = pytest.mark.timeout(WITHIN_S + 60)


def digests(said: str) -> list[str]:
    return re.findall(r"digest=(\w+)", said)


@pytest.mark.parametrize("seed", [3, 9, 12])
def test_the_same_seed_is_the_same_history_in_another_process(server: Server, seed: int) -> None:
    """Over every statement, reply and row."""
    options = ("--seeds", str(seed), "--hours", "0.05")
    one, another = begin(server, *options), begin(server, *options)
    said, said_again = output(one), output(another)
    assert len(digests(said)) == 1, said
    assert digests(said) == digests(said_again)


@pytest.mark.parametrize("seeds", ["1-3", "4-6"])
def test_short_histories_are_as_they_must_be(server: Server, seeds: str) -> None:
    said = output(begin(server, "--seeds", seeds, "--hours", "0.12"))
    assert said.endswith("exit=0"), said
    assert len(digests(said)) == 3


def test_another_seed_is_another_history() -> None:
    assert draw(7, 1.0) == draw(7, 1.0)
    assert draw(7, 1.0) != draw(8, 1.0)


def test_the_seeds_that_failed_once_can_be_read() -> None:
    assert all(seed >= 0 and hours > 0 for seed, hours in kept())
