"""Which tests are quick: those that use no PostgreSQL, no Valkey and no started process.

The others get the marker `external`: by themselves when they ask, by whatever way, for a server's fixture; a test that
starts a process by its own hand bears the marker in its file, and cannot start one without it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from typing import Any, NoReturn
from unittest.mock import patch

import pytest

SERVERS = {"postgres_server", "redis_server"}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "external: uses PostgreSQL, Valkey or a process that it starts")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and not SERVERS.isdisjoint(item.fixturenames):
            item.add_marker("external")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if item.get_closest_marker("external"):
        return (yield)
    with patch.object(subprocess.Popen, "__init__", _refuse):
        return (yield)


def _refuse(self: object, *arguments: Any, **options: Any) -> NoReturn:
    del self, arguments, options
    pytest.fail("a test that starts a process bears the marker `external`")
