"""Planted bugs: each in a process of its own, forked from one that has everything ready."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass

from tests.simulation.bugs import BUGS
from tests.simulation.bugs.found import HUNTS
from tests.simulation.history import Outcome, Run, run_seed

#: So many histories are tried before a bug counts as not found.
TRY_MOST = 12
#: A charge whose stop is lost ends after twelve hours; whatever a bug leaves undone is seen long before.
FINAL_WITHIN_S = 1800.0


@dataclass(frozen=True)
class Ground:
    """Where histories are played."""

    server: str
    template: str

    def plays(self, bug: str, seed: int) -> str:
        """What the history of this seed reports with the bug in it; empty when it finds nothing."""
        with tempfile.TemporaryFile("w+") as report:
            if (child := os.fork()) == 0:
                try:
                    BUGS[bug]()
                    run = Run(HUNTS[bug].at(seed).plan(), final_within_s=FINAL_WITHIN_S)
                    outcome = run_seed(run, self.server, self.template)
                    report.write(told(outcome))
                except Exception:
                    report.write(f"the bug is not planted: {traceback.format_exc()}")
                finally:
                    report.flush()
                    os._exit(0)
            os.waitpid(child, 0)
            report.seek(0)
            return report.read()

    def hunt(self, bug: str, first: int = 1) -> Iterator[tuple[int, str]]:
        """Seed after seed until one finds it, with what it reports."""
        for seed in range(first, first + TRY_MOST):
            report = self.plays(bug, seed)
            yield seed, report
            if HUNTS[bug].report in report and report:
                return


def told(outcome: Outcome) -> str:
    """Its problems, each a line."""
    return "\n".join(outcome.problems)


def hunt_all(ground: Ground, bugs: list[str]) -> int:
    """Print for each bug how many seeds it needed; how many were not found."""
    missed = 0
    for bug in bugs:
        seed, report = 0, ""
        for seed, report in ground.hunt(bug):
            sys.stdout.write(f"  {seed}: {report[:100]}\n")
            sys.stdout.flush()
        missed += not report
        found = f"found by seed {seed}: {report.splitlines()[0][:150]}" if report else f"NOT FOUND in {TRY_MOST} seeds"
        sys.stdout.write(f"{bug}: {found}\n")
        sys.stdout.flush()
    return missed


def listen(ground: Ground) -> None:
    """For the tests: a bug's name by line; what the last history of its hunt reports comes back, as one line.

    The hunt begins at the seed that is known. A change of the product moves what follows in a history, and may take
    two things apart that met there: the seeds after it are tried then.
    """
    for line in sys.stdin:
        bug = line.strip()
        *_, (_, report) = ground.hunt(bug, HUNTS[bug].where.seed)
        sys.stdout.write(f"{report.replace(chr(10), ' | ')}\n")
        sys.stdout.flush()
