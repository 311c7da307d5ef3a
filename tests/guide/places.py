"""Where a path or a port of the page is on the folder that stands for the machine."""

from __future__ import annotations

import re
from pathlib import Path

#: Directories of the machine that the page and the unit write to.
PATHS = re.compile(r"(?<![\w./~])/(opt|etc|var|run|usr/local)(?=/)")
#: Each gets one more digit in front: 8080 is 18080. A template's unit writes `818%i`.
PORTS = re.compile(r"(?<=:)((?:80[89]|818|828|900)(?:\d|%i)|9443|5432|6379)\b")


PORT_NUMBERS = (
    *(8080, 8081, 8088, 8089, 8180, 8181, 8280, 8281),
    *(9000, 9001, 9008, 9443, 5432, 6379),
)


def placed(text: str, root: Path, digit: int) -> str:
    """The text with its paths below `root` and its ports moved by one digit."""
    return PORTS.sub(rf"{digit}\1", PATHS.sub(rf"{root}/\1", text))


def ports(digit: int) -> list[int]:
    """What must be free."""
    return [int(f"{digit}{port}") for port in PORT_NUMBERS]
