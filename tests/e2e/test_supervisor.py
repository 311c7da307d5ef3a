"""The nursery tree (design §2): what a fault in an essential service does, and in which order everything ends."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
import trio

from evpower.db.pool import open_pool
from evpower.errors import ConfigError
from evpower.metering.journal import Journal
from evpower.server import supervisor
from evpower.server.doors import Running
from evpower.settings.addresses import Bind
from evpower.settings.config import Config
from tests.ocpp.authority import Authority
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import NETWORK


def config_for(tmp_path: Path, database_url: str) -> Config:
    """Free ports and a database of its own."""
    config = Config()
    return replace(
        config,
        server=replace(config.server, state_dir=str(tmp_path)),
        database=replace(config.database, url=database_url),
        http=replace(config.http, bind=(Bind("127.0.0.1", 0),)),
        ocpp=replace(config.ocpp, bind=(Bind("127.0.0.1", 0),)),
        operator=replace(config.operator, bind=()),
    )


@asynccontextmanager
async def running_server(config: Config) -> AsyncIterator[Running]:
    async with trio.open_nursery() as nursery:
        yield await nursery.start(supervisor.run, config)
        nursery.cancel_scope.cancel()


def open_doors_of(running: Running) -> list[str]:
    """The addresses that still take a connection."""

    def is_open(url: str) -> bool:
        host, port = url.split("/")[2].rsplit(":", 1)
        with suppress(OSError), socket.create_connection((host, int(port))):
            return True
        return False

    return [url for url in (*running.http_urls, *running.ocpp_urls) if is_open(url)]


async def test_ready_means_every_door_is_open(tmp_path: Path, database_url: str) -> None:
    with trio.fail_after(30):
        async with running_server(config_for(tmp_path, database_url)) as running:
            assert open_doors_of(running) == [*running.http_urls, *running.ocpp_urls]
            assert Path(running.control_socket).is_socket()


async def test_a_crash_of_an_essential_service_ends_the_process(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash = trio.Event()

    async def run(self: Journal, *, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await crash.wait()
        raise RuntimeError("the journal broke")

    monkeypatch.setattr(Journal, "run", run)
    with trio.fail_after(30), pytest.RaisesGroup(RuntimeError, flatten_subgroups=True):
        async with trio.open_nursery() as nursery:
            await nursery.start(supervisor.run, config_for(tmp_path, database_url))
            crash.set()


async def test_a_taken_port_is_refused_before_ready(tmp_path: Path, database_url: str) -> None:
    config = config_for(tmp_path, database_url)
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    taken = replace(config, http=replace(config.http, bind=(Bind("127.0.0.1", port),)))
    with trio.fail_after(30), pytest.RaisesGroup(OSError, flatten_subgroups=True):
        async with running_server(taken):
            raise AssertionError("it became ready")
    for listener in listeners:
        await listener.aclose()


async def test_leaving_closes_the_doors_before_the_workers(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """When a signal asks for the end, each door is shut by the time that a worker is ended; nothing goes wrong."""
    caplog.set_level(logging.INFO)
    open_at_the_workers_end: list[list[str]] = []
    work = Journal.run

    async def run(self: Journal, *, task_status: trio.TaskStatus[None]) -> None:
        try:
            await work(self, task_status=task_status)
        finally:
            open_at_the_workers_end.append(open_doors_of(running))

    monkeypatch.setattr(Journal, "run", run)
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            running: Running = await nursery.start(supervisor.run, config_for(tmp_path, database_url))
            assert open_doors_of(running) == [*running.http_urls, *running.ocpp_urls]
            signal.raise_signal(signal.SIGTERM)
    assert open_at_the_workers_end == [[]]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_cancelled_server_leaves_no_socket_behind(
    tmp_path: Path, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with trio.fail_after(30):
        async with running_server(config_for(tmp_path, database_url)) as running:
            pass
    assert open_doors_of(running) == []
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_start_logs_stations_whose_sockets_do_not_fit_their_connectors(
    tmp_path: Path, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Seed §4."""
    config = config_for(tmp_path, database_url)
    with trio.fail_after(30):
        async with running_server(config):
            pass
        async with open_pool(config.database.url, size=1) as pool, by_hand(pool) as conn:
            await conn.execute(NETWORK.encode())
            await conn.execute("UPDATE stations SET connectors_count = 1")
        caplog.clear()
        async with running_server(config):
            pass
    assert [record.message for record in caplog.records if "connectors_count" in record.message] == [
        "station EVP-001-01: connectors_count is 1, but 2 connectors are configured",
        "station EVP-001-01: connectors_count is 1, but there are connectors with the numbers 2",
    ]


async def test_sighup_reads_the_certificate_again_and_ends_nothing(tmp_path: Path, database_url: str) -> None:
    authority = Authority(tmp_path)
    own = authority.issue("csms.test", "csms.test", file="server")
    config = config_for(tmp_path, database_url)
    ocpp = replace(
        config.ocpp, tls_bind=(Bind("127.0.0.1", 0),), tls_certificate=str(own.certificate), tls_key=str(own.key)
    )

    async def shown_certificate(url: str) -> bytes:
        host, port = url.split("/")[2].rsplit(":", 1)
        async with await trio.open_tcp_stream(host, int(port)) as tcp:
            tls = trio.SSLStream(tcp, authority.client_context(), server_hostname="csms.test", https_compatible=True)
            await tls.do_handshake()
            certificate = tls.getpeercert(binary_form=True)
            assert certificate is not None
            return bytes(certificate)

    with trio.fail_after(30):
        async with running_server(replace(config, ocpp=ocpp)) as running:
            url = next(url for url in running.ocpp_urls if url.startswith("wss://"))
            before = await shown_certificate(url)
            authority.issue("csms.test", "csms.test", file="server")
            signal.raise_signal(signal.SIGHUP)
            while await shown_certificate(url) == before:
                pass  # each look is a connection of its own, and gives the reload its turn


async def test_a_station_ca_that_cannot_sign_is_refused_before_ready(tmp_path: Path, database_url: str) -> None:
    config = config_for(tmp_path, database_url)
    absent = replace(config.ocpp, station_ca_certificate=str(tmp_path / "a"), station_ca_key=str(tmp_path / "b"))
    (tmp_path / "ca").mkdir()
    (tmp_path / "ca" / "station-ca.pem").write_text("half of one")
    for broken, named in ((replace(config, ocpp=absent), "a: cannot be read"), (config, "cannot be used")):
        both = pytest.RaisesExc(ConfigError, match=rf"{named}.*\n.*station_ca_key: .*cannot be read")
        with trio.fail_after(30), pytest.RaisesGroup(both, flatten_subgroups=True):
            async with running_server(broken):
                raise AssertionError("it became ready")
