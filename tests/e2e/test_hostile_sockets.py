"""What hostile peers do to their sockets leaves the server, the other chargers and the ledger untouched.

One server takes all of it, one hostility after the other, beside a charger that charges and one that says Heartbeat.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

import trio

from tests.e2e.hostile import (
    Hand,
    assert_quiet,
    card_of,
    fleet_of,
    hand_at,
    peer_at,
    refusal,
    station_of,
    upgrade_request,
    wire_to,
)
from tests.e2e.process import Server, poll
from tests.e2e.street import OPENING, STATION, WITHIN_S, Phone, charger_at, cost_of
from tests.ocpp.peer import Peer, frame

HEARTBEAT = b'[2,"m","Heartbeat",{}]'
FLOOD = 2_000
TWINS = 20
WITNESS, LOCKED, PASSWORD = "WITNESS", "LOCKED", "a-password-of-its-own"
#: The free failures of an address, and one that is slowed.
WRONG_PASSWORDS = 6


@dataclass
class Ground:
    """Where one hostility takes place: a station and a client of its own. What is left open stays so to the end."""

    server: Server
    name: str
    left_open: AsyncExitStack

    @property
    def station(self) -> str:
        return station_of(self.name)

    async def peer(self) -> Peer:
        return await peer_at(self.server, self.station)

    async def balance(self) -> object:
        return await Phone(self.server, self.name).balance()

    async def is_closed_with(self, code: int, *wires: bytes) -> None:
        """Each of these bytes, on a socket of its own, ends it with this code."""
        for data in wires:
            peer = await self.peer()
            async with peer.wire:
                await peer.wire.send_all(data)
                assert await peer.ended() == code, data[:40]


async def a_truncated_frame_and_then_nobody(ground: Ground) -> None:
    for size in (1, 3, 9):
        peer = await ground.peer()
        await peer.wire.send_all(frame(0x81, HEARTBEAT)[:size])
        await peer.wire.aclose()


async def a_frame_of_ten_megabytes(ground: Ground) -> None:
    await ground.is_closed_with(1009, struct.pack("!BBQ", 0x81, 0xFF, 10_000_000))
    peer = await ground.peer()
    async with peer.wire:
        with suppress(trio.BrokenResourceError):  # it is refused long before its end
            await peer.wire.send_all(frame(0x81, b"x" * 10_000_000))
        assert await peer.ended() in (1009, None)  # None: the line was cut before the Close was read


async def frames_against_the_protocol(ground: Ground) -> None:
    await ground.is_closed_with(1002, frame(0x81, HEARTBEAT, masked=False), frame(0x83, b""), frame(0xC1, HEARTBEAT))
    await ground.is_closed_with(1003, frame(0x82, b"\0\1\2"))
    await ground.is_closed_with(1007, frame(0x81, b'["\xff"]'))
    await ground.is_closed_with(1009, frame(0x81, b"[" * 1_100_000))


async def a_call_in_one_packet_with_the_upgrade(ground: Ground) -> None:
    peer = await peer_at(ground.server, ground.station, behind=frame(0x81, HEARTBEAT))
    async with peer.wire:
        assert (await peer.answer())[0] == 3


async def pings_after_our_close(ground: Ground) -> None:
    await ground.is_closed_with(1007, frame(0x81, b"\xff") + frame(0x89, b"late") * 50)


async def a_start_after_its_own_close(ground: Ground) -> None:
    start = (
        b'[2,"s","StartTransaction",{"connectorId":1,"idTag":"%b","meterStart":0,"timestamp":"2026-01-02T10:00:00Z"}]'
        % card_of(ground.name).encode()
    )
    await ground.is_closed_with(1000, frame(0x88, struct.pack("!H", 1000)) + frame(0x81, start) * 3)
    assert await ground.balance() == OPENING, "a frame after the Close was obeyed"


async def requests_that_never_end(ground: Ground) -> None:
    for _ in range(50):
        wire = await ground.left_open.enter_async_context(await wire_to(ground.server))
        await wire.send_all(b"GET /ws/slow HT")


async def a_frame_that_never_ends(ground: Ground) -> None:
    peer = await ground.peer()
    await ground.left_open.enter_async_context(peer.wire)
    await peer.wire.send_all(frame(0x81, HEARTBEAT)[:2])


async def an_end_of_sending_behind_a_call(ground: Ground) -> None:
    peer = await ground.peer()
    async with peer.wire:
        await peer.send_text(HEARTBEAT)
        assert isinstance(peer.wire, trio.SocketStream)
        await peer.wire.send_eof()
        answers = []
        with suppress(EOFError, trio.BrokenResourceError):
            while True:
                answers.append(await peer.receive())
        assert [answer[:2] for answer in answers] in ([], [[3, "m"]])


async def a_flood_of_calls_read_at_the_end(ground: Ground) -> None:
    peer = await ground.peer()
    async with peer.wire:
        await peer.wire.send_all(b"".join(frame(0x81, b'[2,"%d","Heartbeat",{}]' % n) for n in range(FLOOD)))
        for n in range(FLOOD):
            assert (await peer.receive())[:2] == [3, str(n)]


async def a_flood_of_calls_never_read(ground: Ground) -> None:
    peer = await ground.peer()
    await ground.left_open.enter_async_context(peer.wire)
    await peer.wire.send_all(frame(0x81, HEARTBEAT) * FLOOD)


async def twins_that_take_a_running_chargers_socket(ground: Ground) -> None:
    """Each replaces the one before; the last stops the charge, and it is billed once: 10 kWh."""
    hand = await ground.left_open.enter_async_context(hand_at(ground.server, ground.station))
    transaction_id = await hand.begin(card_of(ground.name))
    for n in range(TWINS):
        replaced, hand = hand, Hand(await ground.peer())
        await ground.left_open.enter_async_context(hand.peer.wire)
        assert await replaced.peer.ended() in (1000, 1001), f"twin {n} left the old socket open"
        await hand.lives()
    await hand.stop(transaction_id)

    async def is_paid() -> bool:
        return await ground.balance() == OPENING - cost_of(10_000)

    await poll(is_paid)


async def garbage_for_a_conversation(ground: Ground) -> None:
    noise = random.Random(16)
    peer = await ground.peer()
    async with peer.wire:
        for text in (b"", b"{", b"null", b"[]", b"[2]", b'[2,{},"X",{}]', b"[" * 200_000, b'[3,"m",{}]', b'[4,"m"]'):
            await peer.send_text(text)
        assert (await peer.call("Heartbeat"))[0] == 3
    for _ in range(10):
        peer = await ground.peer()
        async with peer.wire:
            with suppress(trio.BrokenResourceError):
                await peer.wire.send_all(noise.randbytes(5_000))
                assert isinstance(peer.wire, trio.SocketStream)
                await peer.wire.send_eof()
            await peer.ended()


async def requests_that_are_no_upgrade(ground: Ground) -> None:
    request = upgrade_request(f"/ws/{ground.station}")
    refused = {
        "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        "noise": random.Random(16).randbytes(2_000) + b"\r\n\r\n",
        "HTTP/1.0": request.replace(b"HTTP/1.1", b"HTTP/1.0"),
        "a body": request.replace(b"GET", b"POST"),
        "no key": request.replace(b"Sec-WebSocket-Key", b"X-Key"),
        "a header without a colon": request.replace(b"Host: charger.test", b"Host"),
        "many headers": request[:-2] + b"x: y\r\n" * 5_000 + b"\r\n",
        "a long header": request[:-2] + b"x: " + b"y" * 1_000_000 + b"\r\n\r\n",
        "a long target": upgrade_request("/ws/" + "A" * 100_000),
    }
    for name, data in refused.items():
        assert b" 101 " not in await refusal(ground.server, data), name


async def identities_that_play_tricks(ground: Ground) -> None:
    """Each from an address of its own, because an address that fails is slowed down."""
    targets = [
        f"/ws/../{ground.station}",
        f"/ws/x/../{ground.station}",
        f"/ws/..%2f{ground.station}",
        f"/ws/{ground.station}%00",
        f"/ws/{ground.station}%0d%0aX-Evil:%20yes",
        f"/ws/{ground.station}'%20OR%20'1'='1",
        "/ws/%ff%fe",
        "/ws/" + "A" * 300,
        "/ws/",
        "/",
    ]
    for n, target in enumerate(targets):
        answer = await refusal(ground.server, upgrade_request(target), local_address=f"127.0.1.{n + 1}")
        assert answer.startswith(b"HTTP/1.1 4"), (target, answer[:200])
        assert b"X-Evil" not in answer, target


async def wrong_passwords(ground: Ground) -> None:
    """The right one gets in before, and while the address is slowed, and after."""
    station = station_of(LOCKED)
    wrong = upgrade_request(f"/ws/{station}", password=f"{station}:not-this-one-at-all")

    async def gets_in() -> None:
        peer = await peer_at(ground.server, station, password=PASSWORD)
        async with peer.wire:
            assert (await peer.call("Heartbeat"))[0] == 3

    await gets_in()

    async def fail() -> None:
        assert (await refusal(ground.server, wrong)).startswith(b"HTTP/1.1 401"), "a wrong password got in"

    async with trio.open_nursery() as nursery:
        for _ in range(WRONG_PASSWORDS):
            nursery.start_soon(fail)
        await gets_in()
    await gets_in()


HOSTILITIES: tuple[Callable[[Ground], Awaitable[None]], ...] = (
    requests_that_never_end,
    a_frame_that_never_ends,
    a_flood_of_calls_never_read,
    a_truncated_frame_and_then_nobody,
    a_frame_of_ten_megabytes,
    frames_against_the_protocol,
    a_call_in_one_packet_with_the_upgrade,
    pings_after_our_close,
    a_start_after_its_own_close,
    an_end_of_sending_behind_a_call,
    a_flood_of_calls_read_at_the_end,
    twins_that_take_a_running_chargers_socket,
    garbage_for_a_conversation,
    requests_that_are_no_upgrade,
    identities_that_play_tricks,
    wrong_passwords,
)


async def test_hostile_sockets_cost_themselves_and_nobody_else(server: Server) -> None:
    grounds = {hostility.__name__: f"H{n:02}" for n, hostility in enumerate(HOSTILITIES)}
    await server.import_fleet(
        fleet_of((WITNESS, *grounds.values())) + fleet_of((LOCKED,), password=PASSWORD, street="")
    )
    phone = Phone(server)
    async with (
        charger_at(server, power_kw=300) as charger,
        hand_at(server, station_of(WITNESS)) as witness,
        AsyncExitStack() as left_open,
    ):
        await charger.plug()
        session_id = (await phone.start(energy_kwh=20))["session_id"]
        await charger.has_begun()
        for hostility in HOSTILITIES:
            name = hostility.__name__
            try:
                with trio.fail_after(WITHIN_S):
                    await hostility(Ground(server, grounds[name], left_open))
                await witness.lives()
                await charger.has_delivered_messages()
            except BaseException as error:
                error.add_note(f"the hostility: {name}")
                raise
        assert not [note for note in charger.notes if "no connection" in note], charger.notes
        await charger.point.stop()
        receipt = await phone.receipt(session_id)
        assert receipt["energy_consumed"] * 1000 == charger.stopped_wh > 0
        assert await phone.balance() == OPENING - cost_of(charger.stopped_wh)
        for name, client in grounds.items():
            spent = cost_of(10_000) if name.startswith("twins") else 0
            assert await Phone(server, client).balance() == OPENING - spent, f"{name} moved money"
        stations = {row["id"]: row for row in await server.control("GET", "stations")}
        assert stations[STATION]["connected"], stations[STATION]
    await server.check_ledger()
    assert_quiet(server)
