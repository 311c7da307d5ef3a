"""What the script of mutants changes, and that the changed code is what runs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.mutation.code import changed_functions, put_in
from tests.mutation.mutants import mutants

SOURCE = """
LIMIT = 3

def sold(wh, most=LIMIT):
    log(wh)
    return min(wh, most) + 1 if wh >= 2 and not most < 0 else 0

def log(wh):
    pass

class Meter:
    RATE = 5
    def read(self):
        return [each for each in (1, 2) if each in (2,)]
"""


@pytest.fixture
def module(tmp_path: Path) -> ModuleType:
    """A module of its own, imported."""
    path = tmp_path / "sold.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("sold", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def made_of(module: ModuleType) -> dict[str, list[int]]:
    """What each mutant that can be put in does, and the lines where."""
    found: dict[str, list[int]] = {}
    for mutant in mutants(SOURCE):
        if changed_functions(mutant.tree, Path(str(module.__file__))):
            found.setdefault(mutant.what, []).append(mutant.line)
    return found


def test_each_operator_constant_condition_and_call_of_a_function_is_changed_by_itself(module: ModuleType) -> None:
    assert made_of(module) == {
        "statement 5 dropped": [4],
        "condition turned round": [6],
        "Add to Sub": [6],
        "and to or": [6],
        "min to max": [6],
        "1 to 2": [6, 14],
        "GtE to Gt": [6],
        "not dropped": [6],
        "2 to 3": [6, 14, 14],
        "Lt to LtE": [6],
        "0 to 1": [6, 6],
        "In to NotIn": [14],
    }


@pytest.mark.parametrize(("what", "sold"), [("Add to Sub", 1), ("min to max", 4), ("condition turned round", 0)])
def test_what_runs_is_the_mutant(module: ModuleType, what: str, sold: int) -> None:
    assert module.sold(2) == 3
    (mutant,) = [each for each in mutants(SOURCE) if each.what == what]
    put_in(changed_functions(mutant.tree, Path(str(module.__file__))))
    assert module.sold(2) == sold


def test_a_comprehension_is_part_of_its_function(module: ModuleType) -> None:
    (mutant,) = [each for each in mutants(SOURCE) if each.what == "In to NotIn"]
    put_in(changed_functions(mutant.tree, Path(str(module.__file__))))
    assert module.Meter().read() == [1]
