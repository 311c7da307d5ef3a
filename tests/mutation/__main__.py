"""`make mutants ROOMS=rules`: each mutant in a fork that has all imported and the tests collected; survivors are lines.

A mutant meets those tests alone that call a function it changes, until one fails: first those that saw others, then the
module's own, then those that call least else.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import math
import mmap
import os
import signal
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import psycopg
import pytest

from tests.mutation.code import Changed, Name, changed_functions, name_of, put_in
from tests.mutation.mutants import mutants
from tests.mutation.rooms import ROOMS
from tests.worlds.postgres import OUTSIDE, TEMPLATE_OUTSIDE, migrated_template, running_server

ROOT = Path(__file__).parents[2]
#: A mutant may loop for ever: that is seen, after so many times as long as a test takes without one, and some more.
PATIENCE, AT_LEAST_S = 10, 20
#: No test of a room starts a server, and nobody reads what tests print. Pytest warns that it cannot rewrite what is
#: imported already.
WITHOUT = ("cacheprovider", "xdist", "tests.preloaded")
OPTIONS = ("-qq", "-s", "-W", "ignore::pytest.PytestAssertRewriteWarning", *(f"-pno:{each}" for each in WITHOUT))
LEFT = "SELECT datname FROM pg_database WHERE datname LIKE 'evpower_test_%'"


@dataclass(frozen=True)
class Reach:
    """What a test calls of the modules that are mutated, and how long it takes."""

    item: pytest.Item
    names: frozenset[Name]
    seconds: float


class Room:
    """In the place of pytest's own loop over the tests that it collected."""

    def __init__(self, name: str, options: argparse.Namespace, server: str) -> None:
        modules, _ = ROOMS[name]
        self._name = name
        self._only = tuple(options.only)
        self._most: int | None = options.most
        self._paths = [ROOT / "evpower" / f"{each.replace('.', '/')}.py" for each in modules]
        self._server = server
        #: How many mutants each test saw; and which of the tests that it met saw this one.
        self._saw = Counter[pytest.Item]()
        self._seen_by = mmap.mmap(-1, 4)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        gc.unfreeze()  # gc.get_objects() leaves out what is frozen
        reaches = self._without_a_mutant(session)
        made = seen = 0
        for path in self._paths:
            lines = path.read_text().splitlines()
            for mutant in mutants(path.read_text()):
                where = f"{path.relative_to(ROOT)}:{mutant.line}:{mutant.column}"
                if not where.startswith(self._only) or not (changed := changed_functions(mutant.tree, path)):
                    continue
                made += 1
                fate = self._fate(session, self._to_meet(reaches, changed, f"test_{path.stem}"), changed)
                seen += fate in ("seen", "hangs")
                if fate != "seen":
                    _say(f"  {fate}: {where} {mutant.what}: {lines[mutant.line - 1].strip()}")
        _say(f"{self._name}: {seen} of {made} mutants seen, {100 * seen / max(1, made):.1f} %")
        return True

    def _without_a_mutant(self, session: pytest.Session) -> list[Reach]:
        """Every test, those that call least first.

        Raises:
            pytest.Session.Failed: Tests fail without any mutant.

        """
        reads, writes = os.pipe()
        watching = _forked(lambda: _watch(session, {str(path) for path in self._paths}, writes))
        os.close(writes)
        with os.fdopen(reads) as lines:
            answers = [json.loads(line) for line in lines]
        if _exit_code(watching) != 0:
            raise session.Failed(f"{self._name}: the tests fail without any mutant")
        reaches = [
            Reach(item, frozenset((name, line) for name, line in names), seconds)
            for item, (names, seconds) in zip(session.items, answers, strict=True)
        ]
        return sorted(reaches, key=lambda each: (len(each.names), each.seconds))

    def _to_meet(self, reaches: Sequence[Reach], changed: Changed, own: str) -> Sequence[Reach]:
        calling = [each for each in reaches if each.names & changed.keys()]
        return sorted(calling, key=lambda each: (-self._saw[each.item], each.item.path.stem != own))[: self._most]

    def _fate(self, session: pytest.Session, reaches: Sequence[Reach], changed: Changed) -> str:
        if not reaches:
            return "no test calls it"

        def meet() -> bool:
            put_in(changed)
            for place, (item, following) in enumerate(_pairs([each.item for each in reaches])):
                self._seen_by[:] = struct.pack("i", place)
                signal.alarm(math.ceil(AT_LEAST_S + PATIENCE * reaches[place].seconds))
                if not _passes(session, item, following):
                    return False
            return True

        code = _exit_code(_forked(meet))
        self._drop_databases()
        if code == 0:
            return "survives"
        (place,) = struct.unpack("i", self._seen_by[:])
        self._saw[reaches[place].item] += 1
        return "hangs" if code == -signal.SIGALRM else "seen"

    def _drop_databases(self) -> None:
        """A test that failed, or was killed, leaves its own."""
        with psycopg.connect(self._server, autocommit=True) as server:
            for (name,) in server.execute(LEFT).fetchall():
                server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _watch(session: pytest.Session, files: set[str], writes: int) -> bool:
    """Run every test, and write what each calls of these files: a line of JSON each."""
    names: set[Name] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename in files:
            names.add(name_of(frame.f_code))

    threading.setprofile(note)
    sys.setprofile(note)
    with os.fdopen(writes, "w") as lines:
        for item, following in _pairs(session.items):
            names.clear()
            began = time.monotonic()
            if not _passes(session, item, following):
                return False
            lines.write(f"{json.dumps([sorted(names), time.monotonic() - began])}\n")
    return True


def _pairs(items: Sequence[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    """Each with the one that comes next, for which its fixtures may stay."""
    return zip(items, [*items[1:], None], strict=True)


def _passes(session: pytest.Session, item: pytest.Item, following: pytest.Item | None) -> bool:
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    return not session.testsfailed


def _forked(run: Callable[[], bool]) -> int:
    """The id of a process that does this, in silence, and nothing else."""
    if child := os.fork():
        return child
    code = 1
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (1, 2):
            os.dup2(nothing, stream)
        code = 0 if run() else 1
    finally:
        os._exit(code)


def _exit_code(child: int) -> int:
    """Once it has ended; minus the signal that ended it."""
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Exit code other than 0 when the tests fail without any mutant."""
    parser = argparse.ArgumentParser(prog="make mutants")
    parser.add_argument("rooms", nargs="*", default=list(ROOMS), choices=list(ROOMS))
    parser.add_argument(
        "--only", nargs="*", default=[""], help="evpower/billing/rates.py:76 … as a survivor's line says"
    )
    parser.add_argument("--tests", nargs="*", help="other tests than the room's")
    parser.add_argument("--most", type=int, help="a mutant meets no more tests than this")
    options = parser.parse_args()
    with running_server() as server, migrated_template(server) as template:
        os.environ |= {OUTSIDE: server, TEMPLATE_OUTSIDE: template}
        return max(_mutate(room, options, server) for room in options.rooms)


def _mutate(room: str, options: argparse.Namespace, server: str) -> int:
    """Each in a process of its own: one run of pytest a process."""
    modules, tests = ROOMS[room]
    if child := os.fork():
        return abs(_exit_code(child))
    code = 1
    try:
        for module in modules:
            importlib.import_module(f"evpower.{module}")
        code = int(pytest.main([*OPTIONS, *(options.tests or tests)], plugins=[Room(room, options, server)]))
    finally:
        os._exit(code)


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
