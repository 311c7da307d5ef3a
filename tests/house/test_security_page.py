"""docs/security.md names tests that exist, for every line of safe by default, and every test that says it shows one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.planted.bugs import BUGS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
LINES = [str(line) for line in range(1, 15)]
ROW = re.compile(r"^\| (\d+) \| .+? \| .+? \| (`tests/.+`) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
#: "Safe by default 2 and 9: …" in the docstring of a test.
CLAIM = re.compile(r"[Ss]afe by default (\d+(?:(?:, | and )\d+)*)")
ROWS = {line: TEST.findall(cell) for line, cell in ROW.findall(PAGE)}


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def claims() -> dict[str, set[tuple[str, str]]]:
    """The tests that say in their docstring which lines they show, by line."""
    found: dict[str, set[tuple[str, str]]] = {line: set() for line in LINES}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for test in functions_of(path):
            for claim in CLAIM.findall(ast.get_docstring(test) or ""):
                for line in re.findall(r"\d+", claim):
                    found[line].add((str(path.relative_to(ROOT)), test.name))
    return found


def test_each_line_has_a_row_with_tests() -> None:
    assert list(ROWS) == LINES
    assert [line for line, tests in ROWS.items() if not tests] == []


@pytest.mark.parametrize("file", sorted({file for file, _ in TEST.findall(PAGE)}))
def test_every_test_named_exists(file: str) -> None:
    named = {function for where, function in TEST.findall(PAGE) if where == file}
    assert named - {test.name for test in functions_of(ROOT / file)} == set()


def test_every_test_that_shows_a_line_is_in_its_row() -> None:
    missing = {line: tests - set(ROWS[line]) for line, tests in claims().items()}
    assert {line: sorted(tests) for line, tests in missing.items() if tests} == {}


def test_the_test_that_sees_a_lines_planted_bug_is_in_its_row() -> None:
    for line, bug in BUGS.items():
        file, _, name = bug.test.partition("::")
        assert (file, name) in ROWS[line], line
