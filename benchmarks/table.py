"""The tables that are printed: a name, ours, the peer's, and ours / the peer's."""

from __future__ import annotations


def head(title: str, peer: str) -> None:
    print(f"\n{title}")
    _row("", "ours", peer, "ratio")


def line(name: str, ours: float, peer: float, form: str) -> None:
    _row(name, format(ours, form), format(peer, form), f"{ours / peer:.3f}")


def _row(name: str, ours: str, peer: str, ratio: str) -> None:
    print(f"{name:34}{ours:>12}{peer:>16}{ratio:>10}", flush=True)
