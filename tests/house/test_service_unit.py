"""The unit's times fit the server's: systemd must not kill what is still allowed to finish."""

from __future__ import annotations

from pathlib import Path

from evpower.settings.config import Config

UNIT = (Path(__file__).parents[2] / "evpower.service").read_text(encoding="utf-8")
#: After the doors: the workers' drain and the private PostgreSQL's stop (supervisor.py, db/embedded.py).
AFTER_THE_DOORS_S = 25


def setting(name: str) -> str:
    (value,) = [line.partition("=")[2] for line in UNIT.splitlines() if line.startswith(f"{name}=")]
    return value


def test_stopping_may_take_longer_than_the_drain() -> None:
    assert int(setting("TimeoutStopSec")) > Config().server.drain_timeout_s + AFTER_THE_DOORS_S


def test_no_exit_code_prevents_a_restart() -> None:
    """2 also says that the database did not answer at the start, which a power cut explains."""
    assert "RestartPreventExitStatus" not in UNIT
    assert setting("Restart") == "on-failure"


def test_the_control_socket_is_where_the_command_line_looks() -> None:
    assert "EVPOWER_CONTROL_SOCKET=/run/evpower/evpower.sock" in UNIT
    assert setting("RuntimeDirectory") == "evpower"


def test_it_runs_the_executable_that_may_unpack_itself_where_the_service_may_write() -> None:
    """`ProtectSystem=strict` leaves it its own directories; artefacts/launch.sh takes the cache's."""
    assert setting("ExecStart") == "/usr/local/bin/evpower serve"
    assert setting("ProtectSystem") == "strict"
    assert setting("CacheDirectory") == "evpower"
    assert "CACHE_DIRECTORY" in (Path(__file__).parents[2] / "artefacts" / "launch.sh").read_text(encoding="utf-8")
