"""Clock, identifiers and randomness are parameters (design §5): application SQL and code never take their own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import evpower

ROOT = Path(evpower.__file__).parent
SOURCES = sorted(ROOT.rglob("*.py"))

#: SQL that takes the server's own time or dice. Migrations' column defaults are for rows people insert by hand.
SQL_OWN_TIME = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|gen_random_uuid|random)\s*\(\s*\)"
    r"|\b(current_timestamp|current_date|current_time|localtimestamp|localtime)\b",
    re.IGNORECASE,
)
SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|WITH|VALUES|WHERE)\b")

OWN_TIME_OR_DICE = re.compile(
    r"^(datetime\.(datetime\.)?(now|utcnow|today)|(datetime\.)?date\.today|time\.(time|time_ns|localtime|gmtime|monotonic"
    r"|perf_counter)(_ns)?|uuid\.uuid[1-8]|uuid[1-8]|random\.\w+|secrets\.\w+|os\.urandom|token_(bytes|hex|urlsafe))$"
)

#: Where a file takes its own all the same: what, and why.
EXCEPTIONS = {
    "clock.py": (
        "datetime.now uuid.uuid4 secrets.token_hex secrets.token_bytes",
        "the one place that is the machine's clock and dice",
    ),
    "payments/gateways/pkcs12.py": ("secrets.token_bytes", "locks a key for the moment it is read"),
    "db/driver/driving.py": ("time.monotonic", "lets other tasks run every few milliseconds; decides nothing"),
    "server/demo/street.py": ("random.Random", "a seeded generator"),
    "server/doors.py": ("secrets.token_bytes", "a key of this process, for remembering verified passwords"),
    "server/log_lines.py": ("time.gmtime", "turns a record's time into UTC"),
    "ocpp/door/passwords.py": ("secrets.token_bytes", "salts of passwords must not be replayable"),
    "simulator/station/station.py": ("random.Random", "a seeded generator"),
    "simulator/fleet.py": ("random.Random", "seeded generators"),
    "simulator/providers/sandbox.py": ("random.Random", "seeded generators"),
}


#: SQL whose very subject is the server's clock.
SQL_EXCEPTIONS = {"doctor/rows/database.py": "the doctor compares both clocks"}


def strings(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def uses(tree: ast.AST) -> set[str]:
    """Dotted names that are called or passed on, annotations and imports aside."""
    annotations = {
        id(part)
        for node in ast.walk(tree)
        for field in ("annotation", "returns")
        if isinstance(annotation := getattr(node, field, None), ast.AST)
        for part in ast.walk(annotation)
    }
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and id(node) not in annotations:
            if isinstance(node, ast.Attribute) and not isinstance(node.value, ast.Attribute | ast.Name):
                continue  # of something computed: no dotted name
            name = ast.unparse(node)
            if OWN_TIME_OR_DICE.match(name):
                found.add(name)
    return found


def instances_of_random(tree: ast.AST) -> bool:
    """Whether `random` in this file is also a parameter: then `random.choice` is a seeded generator's."""
    return any(isinstance(node, ast.arg) and node.arg == "random" for node in ast.walk(tree))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_sql_of_ours_takes_the_servers_own_time(path: Path) -> None:
    for text in strings(ast.parse(path.read_text())):
        if SQL.search(text) and str(path.relative_to(ROOT)) not in SQL_EXCEPTIONS:
            assert not SQL_OWN_TIME.search(text), text


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_code_of_ours_takes_its_own_time_or_dice(path: Path) -> None:
    tree = ast.parse(path.read_text())
    found = uses(tree)
    if instances_of_random(tree):
        found -= {name for name in found if name.startswith("random.") and name != "random.Random"}
    allowed, _ = EXCEPTIONS.get(str(path.relative_to(ROOT)), ("", ""))
    assert found <= set(allowed.split())


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_every_exception_is_still_needed(name: str) -> None:
    allowed, _ = EXCEPTIONS[name]
    assert set(allowed.split()) <= uses(ast.parse((ROOT / name).read_text()))


@pytest.mark.parametrize(
    "sql", ["SELECT now()", "WHERE at < CURRENT_DATE", "INSERT ... VALUES (Now ( ))", "SELECT random()"]
)
def test_the_check_sees_sql_that_takes_its_own_time(sql: str) -> None:
    assert SQL.search(sql)
    assert SQL_OWN_TIME.search(sql)


@pytest.mark.parametrize(
    "code", ["datetime.now(UTC)", "f(clock=time.time)", "uuid.uuid4().hex", "x = uuid4()", "random.random()"]
)
def test_the_check_sees_code_that_takes_its_own_time(code: str) -> None:
    assert uses(ast.parse(code))


@pytest.mark.parametrize("code", ["clock.now()", "self._clock.now()", "def f(random: random.Random) -> None: ..."])
def test_the_check_lets_parameters_pass(code: str) -> None:
    assert not uses(ast.parse(code))
