"""Which columns of a list fit a terminal, and how wide each is; a cell is never broken over lines.

An id is shown by its first letters, as many as distinguish it in its list and at least eight. Where the columns do
not fit, a column of free text is cut first, then the column with the highest rank is left out, the right one of two.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ID_CHARS_LEAST = 8
#: A cut text still says something.
TEXT_CHARS_LEAST = 12
GAP = 2
CUT = "…"


@dataclass(frozen=True)
class Column:
    """A column: the key of its values, and the name of its heading in the catalogue where that is another.

    `rank` 0 is never left out; `is_text` may be cut.
    """

    key: str
    named: str = ""
    rank: int = 1
    is_text: bool = False

    @property
    def heading(self) -> str:
        return self.named or self.key


@dataclass(frozen=True)
class Fitted:
    """Columns that fit, by their place, with their widths; and those that do not."""

    widths: dict[int, int]
    left_out: list[int]


def fit(columns: Sequence[Column], natural: Sequence[int], width: int | None) -> Fitted:
    """Widths for columns that would be `natural` wide on a terminal of this width; None: everything fits."""
    widths = dict(enumerate(natural))
    if width is None:
        return Fitted(widths, [])
    least = {place: min(wide, TEXT_CHARS_LEAST) if columns[place].is_text else wide for place, wide in widths.items()}
    kept, left_out = list(widths), []
    while _total(least, kept) > width and (droppable := [each for each in kept if columns[each].rank]):
        dropped = max(droppable, key=lambda each: (columns[each].rank, each))
        kept.remove(dropped)
        left_out.append(dropped)
    fitted = {place: least[place] for place in kept}
    spare = width - _total(least, kept)
    for place in kept:
        more = max(0, min(widths[place] - fitted[place], spare))
        fitted[place] += more
        spare -= more
    while spare < 0 and (widest := max(fitted, key=lambda each: fitted[each], default=None)) is not None:
        if fitted[widest] <= 1:
            break
        fitted[widest] -= 1
        spare += 1
    return Fitted(fitted, sorted(left_out))


def _total(widths: dict[int, int], kept: Sequence[int]) -> int:
    return sum(widths[place] for place in kept) + GAP * max(0, len(kept) - 1)


def shortened(cells: Sequence[str]) -> list[str]:
    """The same cells with their UUIDs by so many first letters as distinguish them here."""
    ids = {cell for cell in cells if UUID.fullmatch(cell)}
    chars = ID_CHARS_LEAST
    while len({each[:chars] for each in ids}) < len(ids):
        chars += 1
    return [cell[:chars] if cell in ids else cell for cell in cells]


def width_of(text: str) -> int:
    """How many places of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def padded(text: str, width: int, *, right: bool = False) -> str:
    """The text in exactly this many places, cut with `…` where it is longer."""
    if width_of(text) > width:
        while text and width_of(text) > width - 1:
            text = text[:-1]
        text += CUT
    blanks = " " * (width - width_of(text))
    return blanks + text if right else text + blanks


def printable(text: str) -> str:
    """What a station or a client wrote cannot play with the terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
