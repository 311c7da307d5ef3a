"""What goes wrong on the way between a provider and us, on request: the next N calls, of one command or of any."""

from __future__ import annotations

import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, get_args

import trio

from evpower.errors import EvPowerError
from evpower.simulator.providers.surroundings.wire import HttpReply

Provider = Literal["odengi", "obank"]
Sleep = Callable[[float], Awaitable[None]]

#: Kind → whether what was asked for happens all the same.
KINDS: dict[str, bool] = {
    "refuse": False,  # the connection is reset, nothing was done
    "reset": True,  # the same after doing it: the reply never arrives
    "hang": True,  # no reply until the caller gives up
    "drip": True,  # the reply comes a byte at a time
    "truncated": True,  # half of the reply, then the end
    "empty": True,  # 200 without a body
    "html": True,  # 200 with somebody's maintenance page
    "oversized": True,  # the reply, then blanks to OVERSIZED_BYTES
    "wrong_type": True,  # the reply, called text/plain
    "dtd_bomb": True,  # XML whose entities grow without end
    "error": False,  # the provider's own way to refuse
    "500": False,
    "502": False,
    "503": False,
}
ANY_COMMAND = "*"
DRIP_EVERY_S = 1.0
OVERSIZED_BYTES = 4 * 1024 * 1024
HTML = b"<!DOCTYPE html><html><head><title>503</title></head><body><h1>Maintenance</h1></body></html>"
DTD_BOMB = (
    b'<?xml version="1.0"?>\n<!DOCTYPE response [\n<!ENTITY a0 "ha">\n'
    + b"".join(b'<!ENTITY a%d "%s">\n' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
    + b"]>\n<response><error>&a9;</error></response>"
)


class WrongControl(EvPowerError):
    """The sandbox was asked for something it does not know; the message says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing to go wrong. `happens` None leaves it to the kind whether the request is carried out."""

    provider: Provider
    kind: str
    command: str = ANY_COMMAND
    times: int = 1
    happens: bool | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise WrongControl(f"unknown fault {self.kind!r}; there are {', '.join(KINDS)}")
        known_provider(self.provider)
        if self.times < 1:
            raise WrongControl("times must be at least 1")

    @property
    def carried_out(self) -> bool:
        """Whether the provider does what it was asked before the fault strikes."""
        return KINDS[self.kind] if self.happens is None else self.happens


def known_provider(name: str) -> Provider:
    """Raises WrongControl."""
    if name not in get_args(Provider):
        raise WrongControl(f"unknown provider {name!r}; there are {', '.join(get_args(Provider))}")
    return name  # type: ignore[return-value]


class Faults:
    """Those still to come, oldest first."""

    def __init__(self) -> None:
        self.pending: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """To strike after those asked for before."""
        self.pending.append(fault)

    def clear(self) -> None:
        """All goes well from now on."""
        self.pending.clear()

    def take(self, provider: Provider, command: str) -> Fault | None:
        """The one that strikes this call, used up by one."""
        for place, fault in enumerate(self.pending):
            if fault.provider == provider and fault.command in (ANY_COMMAND, command):
                left = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                self.pending[place : place + 1] = left
                return fault
        return None


def spoiled(reply: HttpReply, fault: Fault, sleep: Sleep) -> HttpReply:
    """The reply as it is after the fault; `error` is the provider's own business and changes nothing here."""
    match fault.kind:
        case "refuse" | "reset":
            return replace(reply, deliver=_reset)
        case "hang":
            return replace(reply, deliver=_hang)
        case "drip":
            return replace(reply, deliver=partial(_drip, sleep))
        case "truncated":
            return replace(reply, deliver=_truncate)
        case "empty":
            return replace(reply, body=b"")
        case "html":
            return HttpReply(body=HTML, content_type="text/html; charset=utf-8")
        case "oversized":
            return replace(reply, body=reply.body.ljust(OVERSIZED_BYTES))
        case "wrong_type":
            return replace(reply, content_type="text/plain")
        case "dtd_bomb":
            return replace(reply, body=DTD_BOMB)
        case "500" | "502" | "503":
            return HttpReply(int(fault.kind), HTML, "text/html; charset=utf-8")
    return reply


async def _reset(stream: trio.abc.Stream, data: bytes) -> None:
    """A TCP reset instead of an end: what a crashed gateway or a broken middlebox leaves."""
    tcp = stream.transport_stream if isinstance(stream, trio.SSLStream) else stream
    if isinstance(tcp, trio.SocketStream):
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await trio.aclose_forcefully(stream)


async def _hang(stream: trio.abc.Stream, data: bytes) -> None:
    while await stream.receive_some():
        pass


async def _drip(sleep: Sleep, stream: trio.abc.Stream, data: bytes) -> None:
    for byte in data:
        await stream.send_all(bytes([byte]))
        await sleep(DRIP_EVERY_S)


async def _truncate(stream: trio.abc.Stream, data: bytes) -> None:
    """Well inside the body, which the head has promised whole."""
    head, _, body = data.partition(b"\r\n\r\n")
    await stream.send_all(head + b"\r\n\r\n" + body[: len(body) // 2])
