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


def test_the_same_seeds_are_the_same_histories_in_another_process_and_order(server: Server) -> None:
    """Over every statement, reply and row."""
    one, another = (begin(server, "--seeds", seeds, "--hours", "0.05") for seeds in ("3,9,12", "12,9,3"))
    said, said_again = output(one), output(another)
    assert len(set(digests(said))) == 3, said
    assert digests(said) == digests(said_again)[::-1]


@pytest.mark.parametrize("seeds", ["1-10", "11-20", "21-30", "31-40", "41-50"])
def test_short_histories_are_as_they_must_be(server: Server, seeds: str) -> None:
    said = output(begin(server, "--seeds", seeds, "--hours", "0.05"))
    assert said.endswith("exit=0"), said
    assert len(digests(said)) == 10


def test_another_seed_is_another_history() -> None:
    assert draw(7, 1.0) == draw(7, 1.0)
    assert draw(7, 1.0) != draw(8, 1.0)


def test_the_seeds_that_failed_once_can_be_read() -> None:
    assert all(seed >= 0 and hours > 0 for seed, hours in kept())
