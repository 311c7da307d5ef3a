"""The settings of a charge: how it begins and ends, and what its energy costs when nothing says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from zoneinfo import ZoneInfo

from evpower.money import TYIYN_PER_SOM
from evpower.settings.values import Number, Rate, TimeZone, Whole, setting


@dataclass(frozen=True)
class ChargingSettings:
    """How a charge is started, reserved for and ended."""

    # The app gives up after 10 s, and an answer must come well inside that.
    start_wait_s: float = setting(5, Number(0, 8))
    stop_wait_s: float = setting(5, Number(0, 8))
    start_deadline_s: float = setting(600, Number(1, 86_400))
    longest_session_s: float = setting(43_200, Number(60, 604_800))
    reboot_grace_s: float = setting(300, Number(0, 86_400))
    stop_repeat_s: float = setting(30, Number(1, 3600))
    start_repeat_s: float = setting(5, Number(0, 600))
    unlimited_reserve_som: int = setting(200, Whole(1, 1_000_000))
    unlimited_minimum_som: int = setting(10, Whole(0, 1_000_000))
    planning_minutes: int = setting(60, Whole(1, 1440))
    max_sessions_per_client: int = setting(0, Whole(0, 1000))

    @property
    def unlimited_reserve_tyiyn(self) -> int:
        return self.unlimited_reserve_som * TYIYN_PER_SOM

    @property
    def unlimited_minimum_tyiyn(self) -> int:
        return self.unlimited_minimum_som * TYIYN_PER_SOM


@dataclass(frozen=True)
class BillingSettings:
    """What energy costs when nothing says otherwise, and where the day begins."""

    default_rate_per_kwh: Decimal = field(default=Decimal("13.5"), metadata={"kind": Rate(Decimal(100_000))})
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Bishkek"), metadata={"kind": TimeZone()})
    price_cache_s: float = setting(300, Number(0, 86_400))
    idempotency_days: int = setting(7, Whole(1, 365))


def contradictions(charging: ChargingSettings) -> list[str]:
    """What each value allows and all together do not."""
    if charging.unlimited_minimum_som > charging.unlimited_reserve_som:
        return ["charging.unlimited_minimum_som: must not be above charging.unlimited_reserve_som"]
    return []
