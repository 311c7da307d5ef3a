"""The owner's snippets as programs: their text to the letter, with only the host changed (`seed/snippets.md`)."""

from __future__ import annotations

import re
from pathlib import Path

SEED = Path(__file__).parent / "seed"
OWNERS_HOST = re.compile(r"(?P<scheme>ws|http)s://ocpp\.evpower\.kg")
#: What the answer looks like, between the lines of code: no code.
SAMPLE = re.compile(r"^// [^\n]*:\n^\{\n.*?^\}\n", re.MULTILINE | re.DOTALL)


def snippet(name: str) -> str:
    """The code under a heading, as it stands."""
    text = (SEED / "snippets.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {name}$.*?^```typescript\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no snippet {name}"
    return found[1]


def program(name: str, address: str, *, before: str = "", after: str = "") -> str:
    """A module: the page, the snippet against the server at `address`, and what is said before and after it."""
    code = OWNERS_HOST.sub(rf"\g<scheme>://{address}", SAMPLE.sub("", snippet(name)))
    page = (SEED / "page.js").read_text(encoding="utf-8")
    return "\n".join([page, before, code, after])


def listed_paths() -> list[str]:
    """The requests of the parameters' snippet, as they are written there."""
    return re.findall(r"^GET (\S+)$", snippet("parameters"), re.MULTILINE)
