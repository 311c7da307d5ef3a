"""docs/history.md names tests that exist, for every line of the acceptance list and of what issue 13 asks."""

from __future__ import annotations

import pytest

from tests.house.test_security_page import ROOT, TEST, functions_of

PAGE = (ROOT / "docs/history.md").read_text(encoding="utf-8")
ROWS = {line.split("|")[1].strip(): TEST.findall(line) for line in PAGE.splitlines() if "`tests/" in line}


def test_each_line_has_a_row_with_tests() -> None:
    assert list(ROWS) == [str(line) for line in range(1, 21)]


@pytest.mark.parametrize("file", sorted({file for file, _ in TEST.findall(PAGE)}))
def test_every_test_named_exists(file: str) -> None:
    named = {function for where, function in TEST.findall(PAGE) if where == file}
    assert named - {test.name for test in functions_of(ROOT / file)} == set()
