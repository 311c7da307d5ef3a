"""What the server refuses to start with: one message, an exit code, and nothing changed."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
import trio

from tests.e2e.conftest import url_of
from tests.e2e.process import Process, start

pytestmark = pytest.mark.external
PROMPTLY_S = 20.0


async def serve(tmp_path: Path, nursery: trio.Nursery, **settings: str) -> tuple[int, Process]:
    """Start a server that is expected to end by itself; its exit code and what it said."""
    environment = {
        "EVPOWER_STATE_DIR": str(tmp_path),
        "EVPOWER_HTTP_BIND": "127.0.0.1:0",
        "EVPOWER_OPERATOR_BIND": "",
        "EVPOWER_OCPP_BIND": "127.0.0.1:0",
        **{f"EVPOWER_{name.upper()}": value for name, value in settings.items()},
    }
    process = await start(nursery, "serve", environment=environment)
    with trio.fail_after(PROMPTLY_S):
        return await process.wait_for_exit(), process


async def test_a_database_of_a_newer_evpower_is_refused(
    tmp_path: Path, database_url: str, nursery: trio.Nursery
) -> None:
    with psycopg.connect(database_url) as database:
        database.execute(
            "INSERT INTO evpower.schema_migrations (version, name, checksum, applied_at)"
            " VALUES (9999, '9999_from_the_future', 'x', '2030-01-01')"
        )
    code, process = await serve(tmp_path, nursery, database_url=url_of(database_url))
    assert code == 1
    [line] = process.lines
    assert "ERROR" in line
    assert "9999_from_the_future" in line
    assert "install the newer EvPower" in line


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", "postgresql://nobody@/none?host=/nowhere"])
async def test_an_unreachable_database_is_one_message_and_exit_code_2(
    tmp_path: Path, nursery: trio.Nursery, url: str
) -> None:
    code, process = await serve(tmp_path, nursery, database_url=url)
    assert code == 2
    [line] = process.lines
    assert "ERROR" in line
    assert "database" in line


async def test_every_wrong_setting_is_named_at_once_with_exit_code_2(tmp_path: Path, nursery: trio.Nursery) -> None:
    settings = tmp_path / "evpower.toml"
    settings.write_text('[ocpp]\nheartbeat_intervall_s = 60\n[charging]\nstop_wait_s = "soon"\n')
    code, process = await serve(tmp_path, nursery, config=str(settings), http_bind="everywhere")
    assert code == 2
    said = "\n".join(process.lines)
    for wrong in (
        "heartbeat_intervall_s",
        "did you mean ocpp.heartbeat_interval_s",
        "stop_wait_s",
        "EVPOWER_HTTP_BIND",
    ):
        assert wrong in said
    assert "Traceback" not in said
    assert not (tmp_path / "postgres").exists()


async def test_a_taken_port_is_named(tmp_path: Path, database_url: str, nursery: trio.Nursery) -> None:
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        port = listener.socket.getsockname()[1]
        url = url_of(database_url)
        for name in ("http_bind", "ocpp_bind"):
            code, process = await serve(tmp_path, nursery, **{"database_url": url, name: f"127.0.0.1:{port}"})
            assert code == 1
            [error] = [line for line in process.lines if "ERROR" in line]
            assert f"127.0.0.1:{port}" in error
