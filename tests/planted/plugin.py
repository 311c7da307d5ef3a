"""`pytest -p tests.planted.plugin --planted LINE`: the tests, with the bug of that line in the code."""

from __future__ import annotations

import pytest

from tests.planted.bugs import BUGS


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which bug."""
    parser.addoption("--planted", choices=tuple(BUGS), help="A line of safe by default.")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Before a test is imported, so that what it imports by name is the bug as well."""
    BUGS[config.getoption("--planted")].plant()
