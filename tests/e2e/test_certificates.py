"""From a password to a certificate (OCPP 1.6 security profiles 2 and 3), on a started server with real TLS sockets."""

from __future__ import annotations

import json
import re
import ssl
import sys
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from trio_websocket import ConnectionClosed, ConnectionRejected, WebSocketConnection, wrap_client_stream

from tests.e2e.conftest import SETTINGS, url_of
from tests.e2e.process import Server, poll
from tests.e2e.street import FLEET, STATION
from tests.ocpp.authority import Authority
from tests.worlds.certificate_requests import ec_key, signing_request, write_key

PASSWORD = "a-password-of-16"
OTHER = "EVP-E2E-02"
#: Two stations, each with its password.
TWO_STATIONS = FLEET.replace('serial_number = "E2E-001"', f'serial_number = "E2E-001"\npassword = "{PASSWORD}"')
TWO_STATIONS = TWO_STATIONS.replace(
    "\n[[clients]]",
    f"""
[[locations.stations]]
id = "{OTHER}"
serial_number = "E2E-002"
password = "{PASSWORD}"
model = "Simulator"
manufacturer = "EvPower"
power_capacity = 60.0
connectors_count = 1

[[clients]]""",
)


class TlsCharger:
    """A charger's socket: answers what it is asked with `Accepted`, and keeps what that was."""

    def __init__(self, socket: WebSocketConnection) -> None:
        self._socket = socket
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def say(self, action: str, **payload: Any) -> dict[str, Any]:
        """Send a CALL; the payload of its answer."""
        await self._socket.send_message(json.dumps([2, action, action, payload]))
        while True:
            message = await self._next()
            if message[0] == 3 and message[1] == action:
                answer: dict[str, Any] = message[2]
                return answer

    async def is_asked(self, action: str) -> dict[str, Any]:
        """Answer until the server asks this; its payload."""
        while True:
            for asked, payload in self.asked:
                if asked == action:
                    return payload
            await self._next()

    async def is_let_go(self) -> None:
        """Answer until the server closes the socket."""
        with pytest.raises(ConnectionClosed):
            while True:
                await self._next()

    async def _next(self) -> list[Any]:
        message: list[Any] = json.loads(await self._socket.get_message())
        if message[0] == 2:
            self.asked.append((message[2], message[3]))
            await self._socket.send_message(json.dumps([3, message[1], {"status": "Accepted"}]))
        return message


class TlsStreet:
    """A server with a station CA and a TLS door, and chargers that come to it."""

    def __init__(self, server: Server, authority: Authority) -> None:
        self.server = server
        self._authority = authority

    @asynccontextmanager
    async def charger(
        self, station_id: str, *, password: str | None = None, own: tuple[Path, Path] | None = None
    ) -> AsyncIterator[TlsCharger]:
        """A charger that checks the server's certificate. Raises ConnectionRejected."""
        context = ssl.create_default_context(cafile=str(self._authority.file))
        if own is not None:
            context.load_cert_chain(*own)
        headers = []
        if password is not None:
            headers.append((b"Authorization", b"Basic " + b64encode(f"{station_id}:{password}".encode())))
        line = next(line for line in self.server.process.lines if "listening at wss://" in line)
        port = re.search(r"wss://\S+?:(\d+)", line)
        assert port is not None
        # The library leaves the stream of a refused upgrade open; ours ends with this block.
        async with await trio.open_tcp_stream("localhost", int(port[1])) as tcp, trio.open_nursery() as nursery:
            stream = trio.SSLStream(tcp, context, server_hostname="localhost", https_compatible=True)
            resource = f"/ws/{station_id}"
            socket = await wrap_client_stream(
                nursery, stream, "localhost", resource, subprotocols=["ocpp1.6"], extra_headers=headers
            )
            yield TlsCharger(socket)
            await socket.aclose()


async def evpower(server: Server, *arguments: str) -> Any:
    """An operator's command, as a process; its data."""
    command = [sys.executable, "-m", "evpower", *arguments, "--json"]
    done = await trio.run_process(command, capture_stdout=True, env=server.environment)
    return json.loads(done.stdout)


@pytest.fixture
async def street(database_url: str, tmp_path: Path) -> AsyncIterator[TlsStreet]:
    """`evpower ca init`, then a server."""
    authority = Authority(tmp_path)
    own = authority.issue("localhost", "localhost", file="server")
    async with trio.open_nursery() as nursery:
        server = Server(
            nursery,
            tmp_path,
            database_url=url_of(database_url),
            ocpp_tls_bind="127.0.0.1:0",
            ocpp_tls_certificate=own.certificate,
            ocpp_tls_key=own.key,
            ocpp_allow_anonymous="false",
            **SETTINGS,
        )
        made = await evpower(server, "ca", "init")
        assert (Path(made["key"]).stat().st_mode & 0o777, Path(made["key"]).parent) == (0o600, tmp_path / "ca")
        await server.start()
        await server.import_fleet(TWO_STATIONS)
        yield TlsStreet(server, authority)
        await server.stop()
        nursery.cancel_scope.cancel()


async def test_a_charger_comes_by_password_gets_its_certificate_and_comes_back_with_it(
    street: TlsStreet, tmp_path: Path
) -> None:
    key, certificate = ec_key(), tmp_path / "station.pem"
    with trio.fail_after(60):
        async with street.charger(STATION, password=PASSWORD) as charger:
            boot = await charger.say("BootNotification", chargePointVendor="EvPower", chargePointModel="Test")
            assert boot["status"] == "Accepted"
            csr = signing_request(STATION, key=key, organisation="EvPower")
            assert await charger.say("SignCertificate", csr=csr) == {"status": "Accepted"}
            await charger.say("StatusNotification", connectorId=1, errorCode="NoError", status="Available")
            certificate.write_text((await charger.is_asked("CertificateSigned"))["certificateChain"])
            await poll(lambda: delivered(street.server))

        own = certificate, write_key(key, tmp_path / "station.key")
        async with street.charger(STATION, own=own) as charger:
            assert "currentTime" in await charger.say("Heartbeat")
        with pytest.RaisesGroup(pytest.RaisesExc(ConnectionRejected, check=lambda refused: refused.status_code == 401)):
            async with street.charger(OTHER, own=own, password=PASSWORD):
                raise AssertionError("another station's certificate opened")

        shown = await evpower(street.server, "certificates", "--expiring-within", "366d")
        assert [(row["station_id"], row["common_name"]) for row in shown] == [(STATION, STATION)]
        assert await evpower(street.server, "certificates", "--expiring-within", "30d") == []

        # Safe by default 2: nothing below the profile it was seen on opens, until an operator ends its certificates.
        with pytest.RaisesGroup(pytest.RaisesExc(ConnectionRejected, check=lambda refused: refused.status_code == 401)):
            async with street.charger(STATION, password=PASSWORD):
                raise AssertionError("a password opened where a certificate had")
        async with street.charger(STATION, own=own) as charger:
            await evpower(street.server, "station", "revoke", STATION)
            await charger.is_let_go()
        with pytest.RaisesGroup(pytest.RaisesExc(ConnectionRejected, check=lambda refused: refused.status_code == 401)):
            async with street.charger(STATION, own=own):
                raise AssertionError("a certificate that was ended opened")
        async with street.charger(STATION, password=PASSWORD) as charger:
            assert "currentTime" in await charger.say("Heartbeat")


async def delivered(server: Server) -> bool:
    rows = await server.control("GET", "certificates")
    return [row["state"] for row in rows] == ["delivered"]
