"""`make power SEEDS=1-1000 HOURS=24`: simulated sites, each out of its seed (tests/power/simulated_site.py)."""

from __future__ import annotations

import argparse
import sys

from tests.power.simulated_site import World

LONGEST_WAIT_S = 45 * 60
SAY_EVERY = 25


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Print each seed that breaks a promise, and the figures of all; 1 when one did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1-100", help="one, or the first and the last")
    parser.add_argument("--hours", type=float, default=24)
    arguments = parser.parse_args()
    first, _, last = arguments.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    broken = cars = commands = 0
    worst_da, longest_s, counted_s = -(10**9), 0.0, 0.0
    for done, seed in enumerate(seeds, 1):
        figures = World(seed, arguments.hours).run()
        cars, commands = cars + figures.cars, commands + figures.commands
        counted_s += figures.counted_over_s
        worst_da, longest_s = max(worst_da, figures.worst_da), max(longest_s, figures.longest_wait_s)
        if figures.over or figures.longest_wait_s > LONGEST_WAIT_S:
            broken += 1
            say(f"seed {seed}: {figures.over[:3]}, longest wait {figures.longest_wait_s / 60:.0f} min")
        if done % SAY_EVERY == 0 or done == len(seeds):
            say(f"{done} sites, {arguments.hours:g} hours each, {cars} cars, {commands} commands: {broken} broken")
    say(f"most above a limit: {worst_da / 10:.1f} A (0 is full); longest wait: {longest_s / 60:.1f} min")
    say(f"our own count above a limit: {counted_s / len(seeds) / arguments.hours / 36:.2f} % of the time")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
