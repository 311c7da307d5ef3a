"""A Python that is too old is refused in one line, before it finds syntax that it cannot read."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

import evpower

ROOT = Path(__file__).parents[2]
ENTRY = ROOT / "evpower" / "__init__.py"


def test_an_older_python_is_named_beside_the_one_that_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sys", SimpleNamespace(version_info=(3, 10, 13, "final", 0), exit=sys.exit))
    with pytest.raises(SystemExit) as caught:
        exec(compile(ENTRY.read_bytes(), ENTRY, "exec"), {})
    assert caught.value.code == "EvPower needs Python ≥ 3.11, found 3.10"


def test_an_older_python_can_read_the_refusal() -> None:
    """The syntax is that of the oldest that can be asked for; no import of the future, which some do not know."""
    ast.parse(ENTRY.read_bytes(), feature_version=(3, 4))
    assert b"__future__" not in ENTRY.read_bytes()
    assert ENTRY.read_bytes().startswith(b"# coding: utf-8")


def test_it_is_what_the_project_says() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = ".".join(map(str, evpower.NEEDED_PYTHON))
    assert project["project"]["requires-python"] == f">={needed}"
    assert project["tool"]["mypy"]["python_version"] == needed
    assert project["tool"]["ruff"]["target-version"] == "py" + needed.replace(".", "")


def test_make_install_asks_first() -> None:
    recipe = re.search(r"^\$\(STAMP\):.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert recipe is not None
    assert recipe[1].splitlines()[0].startswith("\t@$(PYTHON) evpower/__init__.py")
