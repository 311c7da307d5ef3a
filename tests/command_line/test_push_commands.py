"""`evpower push`: what each command asks of the server, and what it shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line.control_server import FakeControl, run, serving


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeControl]:
    for name in ("EVPOWER_CONFIG", "EVPOWER_STATE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("EVPOWER_CONTROL_SOCKET", str(tmp_path / "c.sock"))
    with serving(tmp_path / "c.sock") as control:
        yield control


def test_status_shows_the_reasons(control: FakeControl) -> None:
    control.succeed("/control/push", {"queued": 3, "sent_24h": 5, "dead_24h": {"no_device": 2, "too_many": 1}})
    result = run("push", "status")
    assert result.exit_code == 0
    assert "no_device: 2, too_many: 1" in result.output


def test_a_test_goes_to_the_named_client(control: FakeControl) -> None:
    control.succeed("/control/push/test/client-1", {"client_id": "client-1", "sent_to": 2})
    result = run("push", "test", "client-1")
    assert (result.exit_code, control.asked) == (0, [("POST", "/control/push/test/client-1", b"{}")])
    assert "2" in result.output
