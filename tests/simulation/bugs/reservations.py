"""Bugs of connectors that are kept."""

from __future__ import annotations

from typing import Any

import evpower.reservations.ends as ends
from tests.simulation.bugs.planting import put


def take_a_fee_in_the_free_minutes() -> None:
    """Who gives it up at once pays for the minutes too."""

    def make(original: Any) -> Any:
        def fee_tyiyn(of: Any, case: str, at: Any) -> int:
            return int(original(of, "used" if case == "driver" else case, at))

        return fee_tyiyn

    put(ends, "fee_tyiyn", make)


def forget_the_fee_of_who_never_came() -> None:
    """The minutes are paid, and the fee is not."""

    def make(original: Any) -> Any:
        def fee_tyiyn(of: Any, case: str, at: Any) -> int:
            return int(original(of, "used" if case == "no_show" else case, at))

        return fee_tyiyn

    put(ends, "fee_tyiyn", make)
