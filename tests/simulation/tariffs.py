"""The prices of the simulated network, as the contract's tables have them (billing-rules §7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Rule:
    """One row of a plan; a window is half-open and may run over midnight."""

    kind: str
    price: Decimal
    window: tuple[str, str] | None = None


@dataclass(frozen=True)
class Tariff:
    """A plan of its rules; without rules the network's default price."""

    name: str
    rules: tuple[Rule, ...] = ()

    def sql(self) -> Iterator[tuple[str, tuple[object, ...]]]:
        """What makes it."""
        if not self.rules:
            return
        yield (
            "INSERT INTO tariff_plans (id, name, created_at, updated_at) VALUES (%s, %s, '2026-01-01', '2026-01-01')",
            (self.name, self.name),
        )
        for number, rule in enumerate(self.rules):
            start, end = rule.window or (None, None)
            yield (
                "INSERT INTO tariff_rules (id, tariff_plan_id, name, tariff_type, price, time_start, time_end,"
                " created_at, updated_at) VALUES (%s, %s, %s, %s, %s, %s, %s, '2026-01-01', '2026-01-01')",
                (f"{self.name}-{number}", self.name, rule.kind, rule.kind, rule.price, start, end),
            )


KWH, MINUTE, FEE = "per_kwh", "per_minute", "session_fee"
#: What keeping a connector costs.
KEPT_MINUTE, NO_SHOW = "reservation_per_minute", "no_show_fee"
TARIFFS = (
    Tariff("default"),
    Tariff("minutes-too", (Rule(KWH, Decimal(10)), Rule(MINUTE, Decimal(2)), Rule(KEPT_MINUTE, Decimal("1.5")))),
    Tariff("minutes-alone", (Rule(KWH, Decimal(0)), Rule(MINUTE, Decimal(5)))),
    Tariff(
        "fee",
        (
            Rule(KWH, Decimal("12.35")),
            Rule(FEE, Decimal(20)),
            Rule(KEPT_MINUTE, Decimal(1)),
            Rule(NO_SHOW, Decimal(30)),
        ),
    ),
    Tariff(
        "night",
        (
            Rule(KWH, Decimal(20), ("07:00", "23:00")),
            Rule(KWH, Decimal("5.55"), ("23:00", "07:00")),
            Rule(NO_SHOW, Decimal("25.5")),
        ),
    ),
    Tariff(
        # Every history begins at noon.
        "lunch",
        (Rule(KWH, Decimal(9), ("12:15", "12:45")), Rule(KWH, Decimal("17.77"), ("12:45", "12:15"))),
    ),
)
