"""What the check of the ledger found (design §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class LedgerCheck:
    """How many entries there are, and rows that contradict each other by the invariant that they break.

    A broken invariant names at most 20 rows, each with the columns that show it.
    """

    entries: int
    problems: Mapping[str, Sequence[Mapping[str, object]]]

    @property
    def ok(self) -> bool:
        return not self.problems
