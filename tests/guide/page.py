"""The blocks of commands of a page, by what stands behind their fence: `sh run`, or `sh shown: REASON`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(.*)$")


@dataclass(frozen=True)
class Block:
    """A fenced block: the line it begins at, what stands behind its fence, and its text."""

    page: str
    line: int
    info: str
    text: str

    @property
    def is_shell(self) -> bool:
        return self.info.split(" ")[0] == "sh"

    @property
    def runs(self) -> bool:
        return self.info.startswith("sh run")

    @property
    def reason(self) -> str:
        """Why it is not run; empty when none is given."""
        return self.info.removeprefix("sh shown: ") if self.info.startswith("sh shown: ") else ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str) -> Iterator[Block]:
    """Every fenced block of a page, named from the root of the project, in order."""
    begun: tuple[int, str] | None = None
    text: list[str] = []
    for number, line in enumerate((ROOT / page).read_text(encoding="utf-8").splitlines(), start=1):
        fence = FENCE.match(line)
        if fence and begun is None:
            begun, text = (number, fence[1].strip()), []
        elif fence and begun is not None:
            yield Block(page, *begun, "".join(f"{each}\n" for each in text))
            begun = None
        else:
            text.append(line)
