"""Whole numbers in texts from outside: stations, callers, files."""

from __future__ import annotations

INT32_MAX = 2**31 - 1
INT64_MAX = 2**63 - 1


def whole_number(text: str, most: int) -> int | None:
    """The number from 0 to `most` that the text writes in ASCII digits and nothing else; None for any other text.

    `str.isdigit` is no such check: it takes "²", which `int` refuses, "٣", and more digits than `int` reads. No text
    longer than `most` is read, leading zeros included.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
        return None
    number = int(text)
    return number if number <= most else None
