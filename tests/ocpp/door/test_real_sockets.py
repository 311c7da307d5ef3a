"""The same door over TCP and TLS: real listeners, real clock, no waiting."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest
import trio

from evpower.client_address import LOOPBACK, Network
from evpower.identifiers import StationId
from evpower.ocpp.dialect import known_actions, usual
from evpower.ocpp.dialects import DIALECTS
from evpower.ocpp.door.passwords import PasswordChecker
from evpower.ocpp.door.server import Door, StationServer, serve_stations
from evpower.ocpp.door.stream import DirectStream, open_listeners
from evpower.ocpp.registry import StationRegistry
from evpower.ocpp.settings import OcppSettings
from evpower.ocpp.watch.traffic import Traffic
from evpower.ocpp.wire.transport import SocketLimits
from tests.ocpp.fakes import CountingIds, FakeReports, TrioClock
from tests.ocpp.peer import Peer


def server(allow_anonymous: bool | None = None, proxies: tuple[Network, ...] = LOOPBACK) -> StationServer:
    limits = SocketLimits(close_timeout_s=0.5)
    settings = OcppSettings(limits=limits, allow_anonymous=allow_anonymous, trusted_proxies=proxies)
    return StationServer(
        reports=FakeReports(),
        registry=StationRegistry(usual(DIALECTS)),
        clock=TrioClock(),
        ids=CountingIds(),
        passwords=PasswordChecker(b"test"),
        settings=settings,
        dialects=DIALECTS,
        traffic=Traffic(known_actions(DIALECTS)),
    )


async def serve(nursery: trio.Nursery, charger_server: StationServer, *binds: tuple[str, int]) -> list[tuple[str, int]]:
    doors: list[Door] = await nursery.start(serve_stations, charger_server, binds)
    return [door.address for door in doors]


@asynccontextmanager
async def connected(address: tuple[str, int]) -> AsyncIterator[Peer]:
    async with await trio.open_tcp_stream(*address) as wire:
        yield Peer(wire)


async def test_several_binds_with_port_0_report_the_real_ones_and_all_answer(nursery: trio.Nursery) -> None:
    with trio.fail_after(5):
        addresses = await serve(nursery, server(), ("127.0.0.1", 0), ("127.0.0.1", 0))
        assert len({port for _, port in addresses}) == 2
        for address in addresses:
            async with connected(address) as peer:
                assert (await peer.open()).status_code == 101
                assert (await peer.call("Heartbeat"))[0] == 3
        nursery.cancel_scope.cancel()


async def test_a_bind_that_is_taken_raises_before_anything_is_served() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        await serve_stations(server(), [("127.0.0.1", 0), ("127.0.0.1", taken.getsockname()[1])])


@pytest.mark.parametrize(("allow_anonymous", "status"), [(None, 101), (True, 101), (False, 401)])
async def test_anonymous_stations_enter_by_loopback_unless_told_otherwise(
    nursery: trio.Nursery, allow_anonymous: bool | None, status: int
) -> None:
    with trio.fail_after(5):
        (address,) = await serve(nursery, server(allow_anonymous), ("127.0.0.1", 0))
        async with connected(address) as peer:
            assert (await peer.open()).status_code == status
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("allow_anonymous", "named", "status"),
    [(None, "203.0.113.9", 401), (None, "127.0.0.1", 101), (True, "203.0.113.9", 101), (None, "::1", 101)],
)
async def test_an_anonymous_station_from_outside_is_refused_though_the_proxy_is_here(
    nursery: trio.Nursery, allow_anonymous: bool | None, named: str, status: int
) -> None:
    """Safe by default 2: a twin of a live charger stopped it, and its charge was billed 0."""
    with trio.fail_after(5):
        (address,) = await serve(nursery, server(allow_anonymous), ("127.0.0.1", 0))
        async with connected(address) as peer:
            assert (await peer.open(headers=(("X-Forwarded-For", named),))).status_code == status
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("allow_anonymous", [None, True])
async def test_letting_everybody_be_any_station_is_an_error_in_the_log_at_every_start(
    nursery: trio.Nursery, allow_anonymous: bool | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Safe by default 2."""
    with trio.fail_after(5):
        await serve(nursery, server(allow_anonymous), ("127.0.0.1", 0))
        nursery.cancel_scope.cancel()
    errors = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == (1 if allow_anonymous else 0)


async def test_anonymous_stations_are_refused_on_a_bind_that_is_not_loopback(nursery: trio.Nursery) -> None:
    with trio.fail_after(5):
        ((_, port),) = await serve(nursery, server(), ("0.0.0.0", 0))
        async with connected(("127.0.0.1", port)) as peer:
            assert (await peer.open()).status_code == 401
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("proxies", "logged", "seen"),
    [(LOOPBACK, "198.51.100.1", (1, {})), ((ip_network("10.0.0.0/8"),), "127.0.0.1", (0, {"127.0.0.1": 1}))],
)
async def test_a_refused_login_counts_for_the_charger_behind_a_trusted_proxy_and_else_for_who_connected(
    nursery: trio.Nursery,
    caplog: pytest.LogCaptureFixture,
    proxies: tuple[Network, ...],
    logged: str,
    seen: tuple[int, dict[str, int]],
) -> None:
    """And the doctor is shown by which addresses it came."""
    stations = server(proxies=proxies)
    with trio.fail_after(5):
        (address,) = await serve(nursery, stations, ("127.0.0.1", 0))
        async with connected(address) as peer:
            hops = (("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-For", "192.0.2.1, 198.51.100.1"))
            assert (await peer.open("/ws/NOBODY", headers=hops)).status_code == 404
        nursery.cancel_scope.cancel()
    (refused,) = [line for line in caplog.messages if line.startswith("login refused")]
    assert f"address={logged}," in refused
    assert (stations.traffic.seen.named, dict(stations.traffic.seen.unbelieved)) == seen


async def test_a_drain_over_tcp_delivers_1001(nursery: trio.Nursery) -> None:
    with trio.fail_after(5):
        async with trio.open_nursery() as inner:
            (address,) = await serve(inner, server(), ("127.0.0.1", 0))
            with trio.CancelScope(shield=True):
                async with connected(address) as peer:
                    await peer.open()
                    inner.cancel_scope.cancel()
                    assert await peer.ended() == 1001


async def test_a_reset_by_the_peer_is_an_end_like_any_other(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    charger_server, gone, codes = server(), trio.Event(), list[int]()

    async def disconnected(station_id: StationId, last_seen_at: object, close_code: int) -> None:
        codes.append(close_code)
        gone.set()

    monkeypatch.setattr(charger_server.reports, "disconnected", disconnected)
    with trio.fail_after(5):
        (address,) = await serve(nursery, charger_server, ("127.0.0.1", 0))
        async with connected(address) as peer:
            await peer.open()
            assert isinstance(peer.wire, trio.SocketStream)
            peer.wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        await gone.wait()
        assert codes == [1006]
        assert not charger_server.registry.seen()
        nursery.cancel_scope.cancel()


def keyless(side: int) -> ssl.SSLContext:
    """TLS without certificates, which is TLS enough for a stream (and a key would be a secret in the project)."""
    context = ssl.SSLContext(side)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("aNULL:@SECLEVEL=0")
    return context


class TlsListener(trio.abc.Listener[trio.abc.Stream]):
    """What a TLS door is: the same listener, each stream wrapped."""

    def __init__(self, listener: trio.abc.Listener[DirectStream]) -> None:
        self._listener = listener

    async def accept(self) -> trio.abc.Stream:
        return trio.SSLStream(await self._listener.accept(), keyless(ssl.PROTOCOL_TLS_SERVER), server_side=True)

    async def aclose(self) -> None:
        await self._listener.aclose()


async def test_the_same_transport_works_over_tls_to_the_close_code(nursery: trio.Nursery) -> None:
    charger_server = server()
    with trio.fail_after(5):
        (listener,) = await open_listeners("127.0.0.1", 0)
        await nursery.start(charger_server.serve, [Door(TlsListener(listener), anonymous=True)])
        async with await trio.open_tcp_stream(*listener.address) as tcp:
            peer = Peer(trio.SSLStream(tcp, keyless(ssl.PROTOCOL_TLS_CLIENT), server_hostname="x"))
            assert (await peer.open()).status_code == 101
            await peer.send_text(b'[2,"m","DataTransfer",{"vendorId":"v","data":"%b"}]' % (b"x" * 200_000))
            assert (await peer.answer())[2] == {"status": "UnknownVendorId"}
            await peer.send_text(b"\xff")
            assert await peer.ended() == 1007
        nursery.cancel_scope.cancel()


async def test_a_large_answer_to_a_slow_reader_arrives_whole(nursery: trio.Nursery) -> None:
    """DirectStream.send_all waits for the kernel's buffer instead of losing what did not fit."""
    left, right = socket.socketpair()
    ours, theirs = DirectStream.__new__(DirectStream), trio.socket.from_stdlib_socket(right)
    left.setblocking(False)
    ours._sock = left
    data = bytes(range(256)) * 20_000

    async def send() -> None:
        await ours.send_all(data)
        await ours.aclose()

    with trio.fail_after(10):
        nursery.start_soon(send)
        received = bytearray()
        while chunk := await theirs.recv(65536):
            received += chunk
        assert received == data
        theirs.close()
