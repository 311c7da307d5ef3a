"""Chargers that break every rule, by hand, against the started server; and what is asked of those beside them."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import trio

from tests.e2e.process import Server
from tests.e2e.street import FLEET, OPENING, POWER_KW, RATE, WITHIN_S
from tests.ocpp.peer import Peer

STARTED_AT = "2026-01-02T10:00:00Z"
STOPPED_AT = "2026-01-02T11:00:00Z"
#: Below ERROR everything may be said of a hostile charger; a traceback is a bug of ours.
ALARM = re.compile(r"^.*(?:\bERROR\b|\bCRITICAL\b|Traceback).*$", re.MULTILINE)


def station_of(name: str) -> str:
    return f"EVP-{name}"


def card_of(name: str) -> str:
    return f"CARD-{name}"


def fleet_of(names: Iterable[str], *, password: str = "", street: str = FLEET) -> str:
    """The street's fleet, and for each name a station with two connectors, a client with money, and his card."""
    text = street
    for name in names:
        text += f"""
[[locations]]
id = "LOC-{name}"
name = "{name}"
address = "ул. Тестовая, 2"
city = "Бишкек"

[[locations.stations]]
id = "{station_of(name)}"
serial_number = "SN-{name}"
model = "Hostile"
manufacturer = "Nobody"
power_capacity = {POWER_KW}
price_per_kwh = {RATE}
connectors_count = 2
{f'password = "{password}"' if password else ""}

[[locations.stations.connectors]]
connector_number = 1
connector_type = "GBT"
power_kw = {POWER_KW}

[[locations.stations.connectors]]
connector_number = 2
connector_type = "GBT"
power_kw = {POWER_KW}

[[clients]]
id = "{name}"
opening_balance = {OPENING}

[[id_tags]]
id_tag = "{card_of(name)}"
client_id = "{name}"
"""
    return text


async def wire_to(server: Server, *, local_address: str | None = None) -> trio.SocketStream:
    """A naked stream to the chargers' port. Failed logins are slowed by address: who fails often brings its own."""
    host, port = server.ocpp_address.split(":")
    return await trio.open_tcp_stream(host, int(port), local_address=local_address)


async def refusal(server: Server, request: bytes, *, local_address: str | None = None) -> bytes:
    """Everything the server answers to a request that is refused, until it ends the stream."""
    wire = await wire_to(server, local_address=local_address)
    answer = b""
    async with wire:
        try:
            await wire.send_all(request)
            while data := await wire.receive_some():
                answer += data
        except trio.BrokenResourceError:
            pass  # it had answered, and did not read the rest
    return answer


def upgrade_request(target: str, *, password: str = "") -> bytes:
    """A correct request of an upgrade, but for what the target is."""
    key = base64.b64encode(b"sixteen bytes...").decode()
    lines = [
        f"GET {target} HTTP/1.1",
        "Host: charger.test",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: ocpp1.6",
    ]
    if password:
        lines.append(f"Authorization: Basic {base64.b64encode(password.encode()).decode()}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def peer_at(server: Server, station: str, *, password: str = "", behind: bytes = b"") -> Peer:
    """A peer that was let in as this station."""
    peer = Peer(await wire_to(server))
    login = base64.b64encode(f"{station}:{password}".encode()).decode()
    headers = (("Authorization", f"Basic {login}"),) if password else ()
    response = await peer.open(f"/ws/{station}", headers=headers, behind=behind)
    assert response.status_code == 101, response
    return peer


class Hand:
    """A charger worked by hand: it says what it is told to, and says yes to a remote start."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self._sent = 0

    async def call(self, action: str, *, message_id: str | None = None, **payload: Any) -> list[Any]:
        """The answer to a CALL; what the server asks meanwhile is refused, so that nothing is held up."""
        self._sent += 1
        message_id = message_id or f"m{self._sent}"
        await self.peer.send(2, message_id, action, payload)
        while True:
            message = await self.peer.receive()
            if message[0] != 2:
                assert message[1] == message_id, f"{action}: the answer to another CALL: {message}"
                return message
            await self.refuse(message)

    async def refuse(self, call: list[Any]) -> None:
        await self.peer.send(4, call[1], "NotSupported", "", {})

    async def remote_start(self) -> str:
        """Wait for a remote start and accept it; its tag."""
        while True:
            call = await self.peer.next_call()
            if call[2] == "RemoteStartTransaction":
                await self.peer.send(3, call[1], {"status": "Accepted"})
                return str(call[3]["idTag"])
            await self.refuse(call)

    async def boot(self) -> None:
        answer = await self.call("BootNotification", chargePointVendor="Nobody", chargePointModel="Hostile")
        assert answer[2]["status"] == "Accepted", answer
        for connector in (1, 2):
            await self.call("StatusNotification", connectorId=connector, errorCode="NoError", status="Preparing")

    async def start(
        self,
        card: str,
        meter_wh: int = 1_000,
        *,
        at: str = STARTED_AT,
        connector: int = 1,
        message_id: str | None = None,
    ) -> tuple[str, int]:
        """StartTransaction: the verdict, and the transaction's id; a CALLERROR's code and 0."""
        answer = await self.call(
            "StartTransaction",
            message_id=message_id,
            connectorId=connector,
            idTag=card,
            meterStart=meter_wh,
            timestamp=at,
        )
        return (answer[2], 0) if answer[0] == 4 else (answer[2]["idTagInfo"]["status"], answer[2]["transactionId"])

    async def begin(self, card: str, meter_wh: int = 1_000, *, at: str = STARTED_AT) -> int:
        """A start that is accepted; the transaction's id."""
        verdict, transaction_id = await self.start(card, meter_wh, at=at)
        assert verdict == "Accepted", verdict
        return transaction_id

    async def meter(self, transaction_id: int, *registers_wh: object, at: str = STARTED_AT) -> None:
        """A MeterValues for each register; each must be answered."""
        for register_wh in registers_wh:
            value = {"timestamp": at, "sampledValue": [{"value": str(register_wh)}]}
            answer = await self.call("MeterValues", connectorId=1, transactionId=transaction_id, meterValue=[value])
            assert answer[0] == 3, answer

    async def stop(
        self, transaction_id: int, meter_wh: int = 11_000, *, at: str = STOPPED_AT, message_id: str | None = None
    ) -> None:
        """StopTransaction, which must be answered whatever it says (contract/ocpp-behaviour §5.4)."""
        answer = await self.call(
            "StopTransaction", message_id=message_id, transactionId=transaction_id, meterStop=meter_wh, timestamp=at
        )
        assert answer[0] == 3, answer

    async def lives(self) -> None:
        """Its socket answers the next Heartbeat."""
        with trio.fail_after(WITHIN_S):
            assert (await self.call("Heartbeat"))[0] == 3


@asynccontextmanager
async def hand_at(server: Server, station: str) -> AsyncIterator[Hand]:
    """A charger worked by hand that has booted; its line is cut at the end."""
    peer = await peer_at(server, station)
    async with peer.wire:
        hand = Hand(peer)
        await hand.boot()
        yield hand


@dataclass(frozen=True)
class Site:
    """A station with two connectors, and the client whose card is presented there."""

    server: Server
    name: str

    @property
    def station(self) -> str:
        return station_of(self.name)

    @property
    def card(self) -> str:
        return card_of(self.name)

    async def parked(self) -> list[str]:
        """The actions of this station's parked reports."""
        return [row["action"] for row in await self.reports()]

    async def reports(self) -> list[dict[str, Any]]:
        """This station's parked reports, the newest first."""
        rows = await self.server.control("GET", "parked")
        return [row for row in rows if row["station_id"] == self.station]


def assert_quiet(server: Server) -> None:
    """No line of the log is an error of ours."""
    alarms = ALARM.findall(server.log())
    assert not alarms, "\n".join(alarms)
