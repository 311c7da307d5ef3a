"""`make mutants ROOM=billing`: each mutant in a fork that has everything imported; a survivor is a line of its own.

A mutant is put in by giving the functions of the running module the code of the mutated one: whoever imported them has
them changed. What stands outside of functions (constants, SQL, fields) is not mutated.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import io
import math
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, FunctionType

import pytest

from tests.conftest import _embedded_in_a_thread
from tests.mutation.mutants import Mutant, mutants

ROOT = Path(__file__).parents[2]
#: A mutant may loop for ever: that is seen, after so many times as long as the tests take without one.
PATIENCE = 10
#: We have imported what pytest would rewrite, and no test of a room starts a server.
OPTIONS = ("-W", "ignore::pytest.PytestAssertRewriteWarning", "-p", "no:tests.preloaded")
#: Modules, and the tests that are there for them: pure rules first, then those on a real PostgreSQL.
ROOMS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "rules": (
        ("billing.rates", "billing.tariff", "billing.reservation", "billing.settlement", "money"),
        (
            "tests/billing/test_tariff.py",
            "tests/billing/test_rates.py",
            "tests/billing/test_reservation.py",
            "tests/billing/test_settlement.py",
            "tests/charging/test_prediction.py",
            "tests/idle_fees",
            "tests/charging/test_moving_prices.py",
        ),
    ),
    "belief": (
        ("metering.belief", "metering.registers"),
        ("tests/metering", "tests/charging/test_belief.py", "tests/charging/test_billed_minutes.py"),
    ),
    "top-ups": (
        ("payments.top_up", "payments.top_up_schedule"),
        ("tests/payments/test_top_up.py", "tests/payments/test_poller.py"),
    ),
    "ledger": (
        ("billing.ledger", "billing.service", "billing.account", "billing.rows.debts", "billing.rows.ledger"),
        ("tests/billing", "tests/charging/test_worked_examples.py"),
    ),
    "settling": (
        ("charging.settler", "charging.session", "charging.rows.settlements"),
        (
            "tests/charging/test_settler.py",
            "tests/charging/test_estimates.py",
            "tests/charging/test_worked_examples.py",
            "tests/charging/test_billed_minutes.py",
            "tests/charging/test_doubts.py",
            "tests/charging/test_money_lines.py",
        ),
    ),
}


def main() -> int:
    """Exit code 1 when the tests fail without any mutant."""
    parser = argparse.ArgumentParser(prog="make mutants")
    parser.add_argument("rooms", nargs="*", default=list(ROOMS), choices=list(ROOMS))
    options = parser.parse_args()
    with (
        TemporaryDirectory(prefix="evpower-mutants-") as directory,
        _embedded_in_a_thread(Path(directory) / "data") as conninfo,
    ):
        os.environ["EVPOWER_TEST_DATABASE_URL"] = conninfo
        return max(_room(room) for room in options.rooms)


def _room(room: str) -> int:
    modules, tests = ROOMS[room]
    began = time.monotonic()
    if _exit_code(tests, None, 0) != 0:
        _say(f"{room}: the tests fail without any mutant")
        return 1
    within_s = math.ceil(PATIENCE * (time.monotonic() - began))
    made = seen = 0
    for name in modules:
        path = ROOT / "evpower" / f"{name.replace('.', '/')}.py"
        for mutant in mutants(path.read_text()):
            if (changed := _codes(mutant, path)) is None:
                continue
            made += 1
            code = _exit_code(tests, changed, within_s)
            seen += code != 0
            if code in (0, -signal.SIGALRM):
                line = path.read_text().splitlines()[mutant.line - 1].strip()
                what = "hangs" if code else "survives"
                _say(f"  {what}: {path.relative_to(ROOT)}:{mutant.line} {mutant.what}: {line}")
    _say(f"{room}: {seen} of {made} mutants seen, {100 * seen / max(1, made):.1f} %")
    return 0


def _codes(mutant: Mutant, path: Path) -> dict[tuple[str, int], CodeType] | None:
    """The functions that are other than they were, by name and line; None: none is."""
    new = dict(_all(compile(mutant.tree, str(path), "exec")))
    old = dict(_all(compile(path.read_text(), str(path), "exec")))
    changed = {key: code for key, code in new.items() if key in old and code != old[key]}
    # The body of a class has run, and a module's: neither is a function that could be changed.
    return {key: code for key, code in changed.items() if key in _functions(path)} or None


@cache
def _functions(path: Path) -> frozenset[tuple[str, int]]:
    """By name and line."""
    return frozenset(
        (each.__code__.co_qualname, each.__code__.co_firstlineno)
        for each in gc.get_objects()
        if isinstance(each, FunctionType) and each.__code__.co_filename == str(path)
    )


def _all(code: CodeType) -> Iterator[tuple[tuple[str, int], CodeType]]:
    yield (code.co_qualname, code.co_firstlineno), code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _all(each)


def _exit_code(tests: Sequence[str], changed: dict[tuple[str, int], CodeType] | None, within_s: int) -> int:
    """Of the tests in a fork; minus SIGALRM where they took longer (0: as long as they like)."""
    if (child := os.fork()) == 0:
        code = 1
        try:
            signal.alarm(within_s)
            if changed is not None:
                _put_in(changed)
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *OPTIONS, *tests])
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _put_in(changed: dict[tuple[str, int], CodeType]) -> None:
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename.startswith(str(ROOT / "evpower")):
            code = changed.get((each.__code__.co_qualname, each.__code__.co_firstlineno))
            if code is not None and code.co_filename == each.__code__.co_filename:
                each.__code__ = code


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    os.chdir(ROOT)
    for modules, _ in ROOMS.values():
        for module in modules:
            importlib.import_module(f"evpower.{module}")
    sys.exit(main())
