"""A text in the search that is a command for a station: it leads to the form of that act, filled in
(contract/operator-pages §2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from evpower.identifiers import StationId

COMMAND = re.compile(r"(\S+)\s+([A-Za-z0-9_.-]{1,50})(?:/([0-9]{1,4}))?")
#: Each word, its act (`stations/acts.py`) and what is fixed of its fields; whether it is of a connector too.
WORDS: Mapping[str, tuple[str, Mapping[str, str], bool]] = {
    "reset": ("reset", {"kind": "soft"}, False),
    "reset-hard": ("reset", {"kind": "hard"}, False),
    "unlock": ("unlock", {}, True),
    "disable": ("availability", {"operative": "inoperative"}, True),
    "enable": ("availability", {"operative": "operative"}, True),
    "clear-cache": ("clear_cache", {}, False),
}


@dataclass(frozen=True)
class TypedCommand:
    """`disable EVP-001-01/2`: a word of `WORDS`, a station, and a connector of it when one is named."""

    word: str
    station_id: StationId
    connector: str | None

    @property
    def form(self) -> str:
        """The address of the form, which asks once more."""
        name, fixed, _ = WORDS[self.word]
        filled = urlencode({**fixed, **({} if self.connector is None else {"connector": self.connector})})
        return f"/stations/{quote(self.station_id)}/do/{name}{'?' + filled if filled else ''}"


def read_command(text: str) -> TypedCommand | None:
    """The command that a text is; None for any other text."""
    found = COMMAND.fullmatch(text.strip())
    if found is None or found[1].lower() not in WORDS:
        return None
    word, connector = found[1].lower(), found[3]
    takes_connector = WORDS[word][2]
    needs_connector = word == "unlock"
    if (connector is not None and not takes_connector) or (connector is None and needs_connector):
        return None
    return TypedCommand(word, StationId(found[2]), None if connector is None else str(int(connector)))
