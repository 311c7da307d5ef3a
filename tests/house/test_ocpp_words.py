"""OCPP's words stay at the chargers' door: no room above or below it names an action or a field of the wire.

Docstrings and sentences (messages, log lines) may name them: what is looked for is a name of Python, or a text that is
the word and nothing else.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from ocpp.v16.enums import Action

import evpower

ROOT = Path(evpower.__file__).parent
#: Where OCPP is spoken: the door, and the simulated charger.
SPOKEN = ("ocpp", "simulator")
#: A client of our API, which shows certificates as chargers send them: those fields are the API's too.
CLIENTS = (Path("command_line/commands/certificate.py"),)
INNER_CAPITAL = re.compile(r"[a-z]+[A-Z]\w*")


def properties(schema: Any) -> Iterator[str]:
    """Every field of a JSON schema, however deep."""
    if isinstance(schema, dict):
        for name, value in schema.items():
            if name == "properties" and isinstance(value, dict):
                yield from value
            yield from properties(value)
    elif isinstance(schema, list):
        for each in schema:
            yield from properties(each)


def fields() -> set[str]:
    """Of every message of OCPP 1.6 and its security extension, those written like `connectorId`."""
    schemas = [path for path in (resources.files("ocpp.v16") / "schemas").iterdir() if path.name.endswith(".json")]
    found = {name for path in schemas for name in properties(json.loads(path.read_text("utf-8-sig")))}
    return {name for name in found if INNER_CAPITAL.fullmatch(name)}


WORDS = frozenset(str(action.value) for action in Action) | fields()


def docstrings(tree: ast.AST) -> set[ast.AST]:
    """A text that is a statement of its own says something to a reader alone."""
    return {
        node.value for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def said(source: str) -> Iterator[tuple[int, str]]:
    """Every name, attribute, keyword and text of a module, with its line."""
    tree = ast.parse(source)
    prose = docstrings(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str() as text) if node not in prose:
                yield node.lineno, text
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.FunctionDef(name=name):
                yield node.lineno, name
            case ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.keyword(arg=str() as name) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.alias(name=name, asname=other):
                yield from ((node.lineno, each) for each in (name.rpartition(".")[2], other or ""))


def words_in(source: str) -> list[str]:
    return [f"line {line}: {word}" for line, word in said(source) if word in WORDS]


MODULES = [
    path
    for path in sorted(ROOT.rglob("*.py"))
    if (inside := path.relative_to(ROOT)).parts[0] not in SPOKEN and inside not in CLIENTS
]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_word_of_ocpp_is_in_another_room(module: Path) -> None:
    assert words_in(module.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        'await send("ChangeConfiguration", {})',
        'payload = {"connectorId": 1}',
        'meter = payload.get("meterStop")',
        "class ClearCache: ...",
        "report.idTag",
        "Struct(idTag=1)",
        "def f(meterStart): ...",
        "from words import Reset as other",
        "import Authorize",
    ],
)
def test_a_word_of_ocpp_is_found(source: str) -> None:
    assert len(words_in(source)) == 1


@pytest.mark.parametrize("source", ['"""Reset"""', 'log.info("StopTransaction matches nothing")', "reset(idtag)"])
def test_a_sentence_may_name_it(source: str) -> None:
    assert words_in(source) == []
