"""Tests run in a random order, which a seed repeats.

An order is a hash of the seed and a test's name: the tests of one file, or of one folder, keep under the same seed the
order that they have in the whole run. Tests of one module stay together.
"""

from __future__ import annotations

from hashlib import sha256
from secrets import randbelow
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

SEED = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, help="repeat the order that a run printed")


def pytest_configure(config: pytest.Config) -> None:
    """A worker takes the seed of the run: all must collect the same order."""
    given: int | None = config.getoption("--seed")
    worker: dict[str, Any] = getattr(config, "workerinput", {})
    config.stash[SEED] = worker.get("seed", randbelow(10**6) if given is None else given)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    node.workerinput["seed"] = node.config.stash[SEED]


def pytest_report_header(config: pytest.Config) -> str:
    return _sentence(config)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Once more at the end, where a failure is looked at."""
    terminalreporter.write_line(_sentence(terminalreporter.config))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    seed = config.stash[SEED]

    def drawn(name: str) -> bytes:
        return sha256(f"{seed} {name}".encode()).digest()

    items.sort(key=lambda item: (drawn(item.nodeid.split("::")[0]), drawn(item.nodeid)))


def _sentence(config: pytest.Config) -> str:
    return f"order of the tests: --seed {config.stash[SEED]} repeats it"
