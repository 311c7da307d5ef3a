"""docs/ocpp-compliance.md and docs/ocpp-support.md name tests that exist, for every case, duty and action."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/ocpp-compliance.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (.+?) \| (?:.*? \| )?(`tests/.+`) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
#: The cases of a central system in the Open Charge Alliance's plan for OCPP 1.6, by their numbers and variants.
CASES = re.findall(
    r"\S+",
    """
    001 003 004_1 004_2 005_1 007 010 011_1 011_2 012 013 014 017_1 017_2 018_1 019_1 019_2 021 023_1 023_2 023_3 024
    026 028 030 031 032_1 037_1 037_3 039 040_1 040_2 042_1 042_2 043_1 043_3 043_4 043_5 044_1 044_2 044_3 045_1 045_2
    046 047 048_1 048_2 048_3 048_4 049 051 052 053 054 055 056 057 059 061 064 066 067 073 074 075_1 075_2 076 077 078
    079 080 081 083 085 086 087 088
    """,
)
DUTIES = 39


def rows(heading: str) -> dict[str, list[tuple[str, str]]]:
    """The rows below a heading: their first cell, and the tests as (file, function)."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return {first: TEST.findall(cell) for first, cell in ROW.findall(section)}


def functions(file: str) -> set[str]:
    return set(re.findall(r"^(?:async )?def (test_\w+)", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("file", sorted({file for file, _ in TEST.findall(PAGE)}))
def test_every_test_named_exists(file: str) -> None:
    named = {function for where, function in TEST.findall(PAGE) if where == file}
    assert named - functions(file) == set()


def test_every_case_has_a_row_with_a_test_named_after_it() -> None:
    cases = rows("Compliance cases")
    assert {f"TC_{case}" for case in CASES} - cases.keys() == set()
    for case, tests in cases.items():
        number = case.lower()[:6]
        assert tests, case
        assert all(number in function for _, function in tests), case


def test_every_duty_has_a_row_with_a_test_named_after_it() -> None:
    duties = rows("Duties")
    assert list(duties) == [str(number) for number in range(1, DUTIES + 1)]
    for number, tests in duties.items():
        assert any(f"duty_{int(number):02}_" in function for _, function in tests), number


def test_each_trouble_of_other_central_systems_has_a_test() -> None:
    troubles = rows("What users of other central systems suffered from")
    assert len(troubles) == 14
    assert all(troubles.values())


def test_every_action_names_a_test_file() -> None:
    """That the files exist, and that each action of the standard has a row, is held in test_docs.py."""
    page = (ROOT / "docs/ocpp-support.md").read_text(encoding="utf-8")
    actions = re.findall(r"^\| (?!Action)([A-Z]\w+) \| .+ \| (.+) \|$", page, re.MULTILINE)
    assert [action for action, cell in actions if "`tests/" not in cell] == []
    assert len(actions) >= 40
