"""How figures read: money, energy, power, times and ages, in the reader's language and the network's time zone (§1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from evpower.money import som
from evpower.texts.catalogue import Catalogue

#: Between the groups of a number: narrow, and no line breaks there.
THIN = "\N{NARROW NO-BREAK SPACE}"
NONE = "–"
W_PER_MW = 1_000_000
PHONE_TAIL = 3


@dataclass(frozen=True)
class Wording:
    """One reader's way to read figures, at one moment."""

    texts: Catalogue
    timezone: ZoneInfo
    now: datetime
    #: What is known of money is from then, while the database is away: no sum is shown as if it were of now.
    unknown_since: datetime | None = None

    def number(self, value: float, places: int = 0) -> str:
        """`1 234,5`; in English `1,234.5`."""
        # What rounds to nothing has no sign.
        text = f"{value:,.{places}f}" if round(value, places) else f"{0:.{places}f}"
        if self.texts.language == "en":
            return text
        return text.replace(",", THIN).replace(".", ",")

    def money(self, amount_tyiyn: int | None) -> str:
        """`1 234,50 сом`."""
        if self.unknown_since is not None:
            return self.texts("unit.unknown_since", at=self.clock(self.unknown_since))
        return NONE if amount_tyiyn is None else f"{self.som(amount_tyiyn)}{THIN}{self.texts('unit.som')}"

    def som(self, amount_tyiyn: int | None) -> str:
        """The same without its unit, for sentences that have it."""
        if amount_tyiyn is None:
            return NONE
        text = f"{som(amount_tyiyn):,.2f}"
        return text if self.texts.language == "en" else text.replace(",", THIN).replace(".", ",")

    def kwh(self, energy_wh: int | None, places: int = 1) -> str:
        """With three decimals where a bill depends on it."""
        return NONE if energy_wh is None else f"{self.number(energy_wh / 1000, places)}{THIN}{self.texts('unit.kwh')}"

    def power(self, power_w: float | None) -> str:
        """In kW, in MW when that is more readable."""
        if power_w is None:
            return NONE
        if power_w >= W_PER_MW:
            return f"{self.number(power_w / W_PER_MW, 1)}{THIN}{self.texts('unit.mw')}"
        return f"{self.number(power_w / 1000, 1 if power_w < 100_000 else 0)}{THIN}{self.texts('unit.kw')}"

    def amperes(self, current_da: int) -> str:
        """Of tenths of an ampere."""
        return f"{self.number(current_da / 10, 1)}{THIN}{self.texts('unit.a')}"

    def clock(self, at: datetime | None) -> str:
        """`03:12:41`, with the day when it is another one."""
        if at is None:
            return NONE
        local, today = at.astimezone(self.timezone), self.now.astimezone(self.timezone).date()
        return local.strftime("%H:%M:%S") if local.date() == today else local.strftime("%d.%m %H:%M:%S")

    def day(self, at: datetime) -> str:
        """`26.11.2026`."""
        return at.astimezone(self.timezone).strftime("%d.%m.%Y")

    def utc(self, at: datetime | None) -> str:
        """The full instant, for tooltips and `<time>`."""
        return "" if at is None else at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    def offset(self) -> str:
        """`UTC+6`."""
        minutes = int((self.now.astimezone(self.timezone).utcoffset() or timedelta()).total_seconds() // 60)
        hours, rest = divmod(abs(minutes), 60)
        return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02d}" if rest else "")

    def age(self, at: datetime | None) -> str:
        """`4 min`: since then."""
        return NONE if at is None else self.span((self.now - at).total_seconds())

    def span(self, seconds: float) -> str:
        """`40 s`, `4 min`, `3 h`, `2 d`."""
        whole = max(0, int(seconds))
        for most, size, unit in ((90, 1, "s"), (5400, 60, "min"), (172_800, 3600, "h")):
            if whole < most:
                return f"{whole // size}{THIN}{self.texts(f'unit.{unit}')}"
        return f"{self.number(whole // 86_400)}{THIN}{self.texts('unit.d')}"

    def minutes(self, minutes: int) -> str:
        """`43 min`, however long it lasts."""
        return f"{self.number(minutes)}{THIN}{self.texts('unit.min')}"

    def masked_phone(self, phone: str | None) -> str:
        """`+996 ••• ••0 002` (§6)."""
        return NONE if not phone else f"{phone[:4]} ••• •{phone[-PHONE_TAIL - 1 : -PHONE_TAIL]} {phone[-PHONE_TAIL:]}"
