"""docs/doctor.md has every check, with what to do."""

from __future__ import annotations

import re
from pathlib import Path

from evpower.doctor.finding import CHECKS

PAGE = (Path(__file__).parents[2] / "docs/doctor.md").read_text(encoding="utf-8")


def test_the_page_has_every_check_in_its_order() -> None:
    assert tuple(re.findall(r"^### `([a-z-]+)`$", PAGE, re.MULTILINE)) == CHECKS


def test_every_check_has_something_to_do() -> None:
    for section in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        assert re.search(r"^\| .+ \| .+ \| .+ \|$", section, re.MULTILINE), section[:40]
