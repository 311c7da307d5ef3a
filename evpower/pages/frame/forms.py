"""Forms: what was filled in, the key a form acts once by, and where a page may send its reader on."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from quart import request

from evpower.errors import InvalidRequest
from evpower.pages.frame.som import read_som

#: As `Ids.new` makes them.
KEY = re.compile(r"[A-Za-z0-9-]{16,64}")
TEXT_CHARS_MAX = 500


async def form_text(name: str, most: int = TEXT_CHARS_MAX) -> str:
    """A field of the present form, without space around it; empty when it is not there. Raises InvalidRequest."""
    text = str((await request.form).get(name, "")).strip()
    if len(text) > most or not text.replace("\n", "").replace("\r", "").isprintable():
        raise InvalidRequest((name, "too_long" if len(text) > most else "not_printable"))
    return text


async def form_sum(name: str) -> int:
    """A sum above 0 in som, in tyiyn. Raises InvalidRequest."""
    try:
        return read_som(await form_text(name))
    except ValueError:
        raise InvalidRequest((name, "должно быть больше 0, не более двух знаков после запятой")) from None


async def form_key() -> str:
    """The key that was made with the form. Raises InvalidRequest."""
    key = await form_text("key")
    if not KEY.fullmatch(key):
        raise InvalidRequest(("key", "missing"))
    return key


def own_path(text: str) -> str:
    """The path of ours that a text names; the first page when it names anything else."""
    parts = urlsplit(text)
    is_ours = text.startswith("/") and not text.startswith(("//", "/\\")) and not (parts.scheme or parts.netloc)
    return text if is_ours and "\\" not in text and text.isprintable() else "/"
