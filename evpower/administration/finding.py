"""Find a charge, a client, a station or a payment by what a person on the phone can read out (operator-pages §2)."""

from __future__ import annotations

import re

from evpower.administration.rows import finding as rows
from evpower.administration.rows.finding import FoundKind, FoundRow
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading

__all__ = ["FoundKind", "FoundRow", "Search"]

LEAST_CHARS = 4
#: Of what was mistyped, so many are shown; and so many of its last characters are left out to find them.
NEAREST = 3
LEFT_OUT = (1, 2, 4, 8, 16, 24, 32)
MOST_CHARS = 100
COUNTRY = "+996"
#: A number without its country: nine digits, after a zero or not.
LOCAL = re.compile(r"0?(\d{9})")
LAST_FOUR = re.compile(r"\d{4}")


class Search:
    """Reads."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find(self, text: str) -> list[FoundRow]:
        """Everything that the text may mean; nothing for fewer than four characters, which mean anything."""
        text = " ".join(text.split())[:MOST_CHARS]
        if len(text) < LEAST_CHARS:
            return []
        digits = re.sub(r"[ ()-]", "", text)
        local = LOCAL.fullmatch(digits)
        phone = f"{COUNTRY}{local[1]}" if local else digits if re.fullmatch(r"\+\d{4,15}", digits) else ""
        if digits.isdigit() and digits.startswith(COUNTRY[1:]):
            phone = f"+{digits}"
        last_digits = digits if LAST_FOUR.fullmatch(digits) else ""
        async with reading(self._pool) as conn:
            return await rows.find(conn, text, phone, last_digits)

    async def nearest(self, kind: FoundKind, text: str) -> list[FoundRow]:
        """What of a kind has nearly this id, the most alike first: a station's may be wrong anywhere, others are found
        by their longest beginning that something has."""
        text = text[:MOST_CHARS]
        if kind == "station":
            async with reading(self._pool) as conn:
                return await rows.nearest_stations(conn, text, NEAREST)
        for left_out in LEFT_OUT:
            if len(text) - left_out < LEAST_CHARS:
                break
            if found := [each for each in await self.find(text[:-left_out]) if each.kind == kind and each.id]:
                return found[:NEAREST]
        return []
