"""Every call of a logger has a message that is ours and constant; what comes from outside is an argument.

Safe by default 10. The log's formatter quotes arguments: what was put into the message beforehand could pass for
another value.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import evpower
from evpower.ocpp.wire.reader import LIBRARY_LOG
from evpower.settings import process

ROOT = Path(evpower.__file__).parent
SOURCES = sorted(path for path in ROOT.rglob("*.py") if "simulator" not in path.relative_to(ROOT).parts)
LOGGERS = ("log", "logger", "LIBRARY_LOG")
METHODS = ("debug", "info", "warning", "error", "exception", "critical")
#: Functions that are handed a message: their callers hand over a constant.
HANDED = {("worker.py", "message")}


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in LOGGERS
            and node.func.attr in METHODS
        ):
            yield node


def is_constant(value: ast.expr | None) -> bool:
    match value:
        case ast.Constant(value=str()):
            return True
        case ast.IfExp(body=body, orelse=other):
            return is_constant(body) and is_constant(other)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return is_constant(left) and is_constant(right)
    return False


def values_of(tree: ast.AST, name: str) -> list[ast.expr | None]:
    """What the name is set to, anywhere in the file."""
    return [
        node.value
        for node in ast.walk(tree)
        if (isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets))
        or (isinstance(node, ast.AugAssign | ast.AnnAssign) and isinstance(t := node.target, ast.Name) and t.id == name)
    ]


def variable_messages(tree: ast.AST, file: str) -> list[int]:
    """The lines of calls whose message may hold something else."""
    wrong = []
    for call in calls(tree):
        message = call.args[0]
        if isinstance(message, ast.Name) and (file, message.id) not in HANDED:
            known = values_of(tree, message.id)
            if known and all(is_constant(value) for value in known):
                continue
        elif is_constant(message) or isinstance(message, ast.Name):
            continue
        wrong.append(call.lineno)
    return wrong


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_message_of_a_log_line_is_constant(path: Path) -> None:
    assert variable_messages(ast.parse(path.read_text(encoding="utf-8")), path.name) == []


@pytest.mark.parametrize(
    "source",
    [
        "log.info(f'station={name}')",
        "log.info('station=' + name)",
        "log.info('station=%s' % name)",
        "line = 'a'\nline += name\nlogger.warning(line)",
        "log.error(name)",
    ],
)
def test_a_message_with_something_else_in_it_is_found(source: str) -> None:
    assert variable_messages(ast.parse(source), "any.py") == [source.count("\n") + 1]


def test_the_settings_know_every_logger() -> None:
    """`log.levels` refuses a name that is none; a new logger is added there and to the page."""
    named = set(
        re.findall(r'getLogger\("([\w.]+)"\)', "\n".join(path.read_text("utf-8") for path in ROOT.rglob("*.py")))
    )
    assert len(named) > 20
    # The library of the chargers' sockets may not be set: at DEBUG it writes passwords.
    assert named - set(process.LOGGERS) == {LIBRARY_LOG.name}
    ours = {name for name in process.LOGGERS if name.startswith("evpower.") and name != "evpower.simulator.providers"}
    page = (ROOT.parent / "docs" / "operating.md").read_text(encoding="utf-8")
    paragraph = page.partition("**The level of one part**")[2].partition("\n\n")[0]
    assert {f"evpower.{name.removeprefix('evpower.')}" for name in re.findall(r"`([\w.]+)`", paragraph)} >= ours
