"""`make simulate`: histories by their seeds, and what each came to."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.simulation.bugs import BUGS
from tests.simulation.bugs.found import HUNTS
from tests.simulation.dangers import DANGERS
from tests.simulation.history import Outcome, Run, run_seed
from tests.simulation.hunting import Ground, hunt_all, listen
from tests.simulation.narrowing import Narrowing, add_options, chosen, shrink
from tests.simulation.plan import ONLOOKERS, PAIRS, PAYERS, RESERVERS
from tests.simulation.world import BEGINS_AT
from tests.worlds.postgres import migrated_template, running_server

#: So many histories must have every pair (point 4 of the plan).
ALL_PAIRS_WITHIN = 100


def main() -> int:
    """Exit code 1 when a history was not as it must be."""
    options = _options()
    if options.bug:
        BUGS[options.bug]()
    failed, played, pairs = 0, 0, Counter[str]()
    with running_server() as server, migrated_template(server, BEGINS_AT) as template:
        if options.listen:
            listen(Ground(server, template))
            return 0
        if options.bugs is not None:
            return min(1, hunt_all(Ground(server, template), options.bugs.split(",") if options.bugs else list(HUNTS)))
        for seed, hours in _seeds(options.seeds, options.hours):
            wanted = chosen(options, seed, hours)
            run = Run(wanted.plan(), until_s=options.until, keep_lines=bool(options.lines))
            outcome = run_seed(run, server, template)
            _show(outcome, options, wanted)
            if outcome.problems and options.shrink:

                def fails(narrower: Narrowing) -> bool:
                    return bool(run_seed(Run(narrower.plan()), server, template).problems)

                sys.stdout.write(f"  the smallest that fails: {shrink(wanted, fails).command()}\n")
            failed, played = failed + bool(outcome.problems), played + 1
            pairs.update({name: count for name, count in outcome.counts.items() if name.startswith(("pair", "danger"))})
            if outcome.problems and options.first:
                break
    missing = _show_pairs(pairs, played) if played > 1 else []
    return 1 if failed or (missing and played >= ALL_PAIRS_WITHIN) else 0


def _show_pairs(pairs: Counter[str], played: int) -> list[str]:
    """How often which misfortunes met; those that never did."""
    expected = [f"pair {name}" for name in (*PAIRS, *PAYERS, *RESERVERS, *ONLOOKERS)]
    expected += [f"danger {name}" for name, _ in DANGERS]
    sys.stdout.write(f"of {played} histories:\n")
    sys.stdout.writelines(f"  {pairs[name]:6} {name}\n" for name in dict.fromkeys(expected))
    return [name for name in expected if not pairs[name]]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make simulate")
    parser.add_argument("--seeds", default="1", help="7, or 1-100, or 3,9,12")
    parser.add_argument("--hours", type=float, default=1.5)
    parser.add_argument("--until", type=float, help="stop at this virtual second and keep the database")
    parser.add_argument("--bug", choices=sorted(BUGS), help="a planted one (bugs.py)")
    parser.add_argument("--bugs", nargs="?", const="", help="look for every planted bug, or for these, by commas")
    parser.add_argument("--listen", action="store_true", help="for the tests of planted bugs")
    parser.add_argument("--first", action="store_true", help="end with the first history that fails")
    parser.add_argument("--lines", help="write every event to this file")
    parser.add_argument("--shrink", action="store_true", help="look for a smaller history that fails")
    add_options(parser)
    parser.add_argument("--tail", action="store_true", help="the last events of every history")
    return parser.parse_args()


def _seeds(text: str, hours: float) -> Iterator[tuple[int, float]]:
    if text == "kept":
        yield from kept()
        return
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from ((seed, hours) for seed in range(int(first), int(last or first) + 1))


def kept() -> list[tuple[int, float]]:
    """Seeds that failed once, and their hours."""
    lines = Path(__file__).with_name("seeds.txt").read_text().splitlines()
    words = [line.split() for line in lines if line and not line.startswith("#")]
    return [(int(seed), float(hours)) for seed, hours, *_ in words]


def _show(outcome: Outcome, options: argparse.Namespace, played: Narrowing) -> None:
    out = sys.stdout
    interesting = ("sessions", "kept", "death", "started", "stopped", "error", "deadlock", "5xx")
    counts = " ".join(f"{name}={outcome.counts[name]}" for name in interesting)
    out.write(
        f"seed={outcome.seed} {counts} statements={outcome.statements} commits={outcome.commits} "
        f"lock_waits={outcome.lock_waits} virtual_s={outcome.virtual_s:.0f} cpu_s={outcome.cpu_s:.1f} "
        f"wall_s={outcome.wall_s:.1f} digest={outcome.digest} {'FAILED' if outcome.problems else 'clean'}\n"
    )
    if outcome.problems or options.tail:
        out.writelines(f"    {line}\n" for line in outcome.tail)
        out.writelines(f"  ! {problem}\n" for problem in outcome.problems)
        out.write(f"  {played.command()}\n")
    if options.lines and outcome.lines is not None:
        Path(options.lines).write_text("\n".join(outcome.lines))
    out.flush()


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])
    logging.raiseExceptions = False
    sys.exit(main())
