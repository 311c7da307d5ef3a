"""A server's control socket that is a fake, and a machine without settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line.control_server import FakeControl, serving

#: What a person's terminal says of itself.
OF_THE_MACHINE = ("COLUMNS", "NO_COLOR", "LC_ALL", "LC_MESSAGES", "LANG")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The state directory is this test's; nothing of the machine's settings is seen."""
    for name in (
        "COLUMNS",
        "NO_COLOR",
        "LC_ALL",
        "LC_MESSAGES",
        "LANG",
        "EVPOWER_CONFIG",
        "EVPOWER_CONTROL_SOCKET",
        "EVPOWER_DATABASE_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("EVPOWER_STATE_DIR", str(tmp_path))
    monkeypatch.setattr("evpower.command_line.control.SYSTEM_SOCKET", tmp_path / "system.sock")
    monkeypatch.setattr("evpower.command_line.commands.server.USUAL_FILE", tmp_path / "evpower.toml")


@pytest.fixture
def control(tmp_path: Path) -> Iterator[FakeControl]:
    with serving(tmp_path / "evpower.sock") as control:
        yield control
