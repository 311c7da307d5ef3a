"""The search for a smaller history that fails."""

from __future__ import annotations

import argparse
import shlex

from tests.simulation.narrowing import Narrowing, add_options, chosen, shrink


def test_the_search_ends_at_what_cannot_be_left_out() -> None:
    """Something that needs one pair and two stations, and nothing else."""
    seed, pair = 4, "meter lies x debt"

    def fails(one: Narrowing) -> bool:
        return pair in one.plan().pairs and len(one.plan().stations) >= 2

    found = shrink(Narrowing(seed, 1.0), fails)
    plan = found.plan()
    assert (plan.pairs, plan.deaths, plan.payments, plan.dangers, plan.processes) == ((pair,), None, False, False, "A")
    assert 2 <= len(plan.stations) <= 3
    assert plan.hours < 0.05


def test_the_command_plays_the_same_plan() -> None:
    parser = argparse.ArgumentParser()
    add_options(parser)
    narrow = Narrowing(4, 0.5, ("plain", "card x online"), 2, deaths=False, payments=False, one_process=True)
    _, _, arguments = narrow.command().partition("ARGS=")
    (inner,) = shlex.split(arguments)
    assert chosen(parser.parse_args(shlex.split(inner)), 4, 0.5) == narrow
