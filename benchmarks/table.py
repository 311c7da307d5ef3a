"""The tables that are printed: a name, ours, the peer's, and ours / the peer's."""

from __future__ import annotations


def head(title: str, peer: str) -> None:
    print(f"\n{title}")
    _row("", "ours", peer, "ratio")


def line(name: str, ours: float, peer: float, form: str) -> None:
    _row(name, format(ours, form), format(peer, form), f"{ours / peer:.3f}")


def verdict(name: str, ratio: float, *, at_least: float = 0.0, at_most: float = float("inf")) -> None:
    """Whether a ratio is what it should be."""
    bound = f"at least {at_least:g}" if at_least else f"at most {at_most:g}"
    print(f"{name}: {ratio:.3f}, {bound} expected: {'as expected' if at_least <= ratio <= at_most else 'MISSED'}")


def _row(name: str, ours: str, peer: str, ratio: str) -> None:
    print(f"{name:34}{ours:>12}{peer:>16}{ratio:>10}", flush=True)
