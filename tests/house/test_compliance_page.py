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
#: Those of the independent suite for OCPP 2.0.1, by block.
CASES_OF_201 = {
    "A": "01-04 06-14 19",
    "B": "01 02 06-10 12-14 18 20-22 25-27 30 31 42 44 58",
    "C": "02 06-08 20 37-40 43 47-52",
    "D": "01-04 08 09",
    "E": "01-04 07-12 14-17 19-22 26 29-31 33 34 38 39 53",
    "F": "01-04 06 11-15 18 20 23 24 27",
    "G": "03-08 11 14 17 20",
    "H": "01 07 08 14 15 17 19 20 22",
    "I": "01 02",
    "J": "01-04 07-11",
    "K": "01-06 08 10 15 19 29-37 43 44 48 50-53 55 57-60 70",
    "L": "01-11 13 17 19-24",
    "M": "01-05 12-21 24 26 28",
    "N": "01-03 05 08 09 16-18 21 24 25 27-32 34-36 44 46-50 60 62 63",
    "O": "01-14 17-19 25-28",
    "P": "02 03",
}


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


def test_every_case_of_2_0_1_has_one_row_with_a_test_or_a_reason() -> None:
    named = [f"{block}_{number:02}" for block, numbers in CASES_OF_201.items() for number in _numbers(numbers)]
    assert len(named) == 252
    section = PAGE.partition("\n## The 252 cases of OCPP 2.0.1\n")[2]
    found = re.findall(r"^\| ((?:[A-P]_\d\d ?)+) \| .+ \| .+ \|$", section, re.MULTILINE)
    assert sorted(case for cell in found for case in cell.split()) == sorted(named)


def _numbers(written: str) -> list[int]:
    numbers: list[int] = []
    for part in written.split():
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


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
