"""`python -m benchmarks.health`: silent failures found, and false marks, in a simulated network."""

from __future__ import annotations

from tests.health.simulated_network import SimulatedFigures, measure, passed_over_by_chance

SEEDS = range(1, 7)


def main() -> None:
    """Print both figures."""
    whole = SimulatedFigures()
    for seed in SEEDS:
        whole.add(measure(seed))
    false_marks, looked_at = passed_over_by_chance(1, visits=5_000)
    print(f"planted {whole.planted}, good connector-days {whole.healthy_days:.0f}")
    for starts in range(1, 7):
        print(f"found within {starts} failed starts: {100 * whole.found_within(starts):.1f} %")
    print(f"false marks per 1,000 connector-days: {whole.false_marks_per_1000_days:.2f} ({whole.false_marks})")
    print("starts after a repair until good:", dict(sorted(whole.good_after.items())))
    print(f"passed over by chance: {false_marks} of {looked_at} connector-visits")


if __name__ == "__main__":
    main()
