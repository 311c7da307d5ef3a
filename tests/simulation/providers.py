"""O!Dengi of the sandbox without a socket: what it is asked and what it calls goes over memory, with its faults."""

from __future__ import annotations

import random
from dataclasses import dataclass

import h11
import httpx2
import trio
from trio.testing import memory_stream_pair

from evpower.settings.payments import OdengiSettings
from evpower.simulator.providers.odengi import server as odengi
from evpower.simulator.providers.odengi.invoices import Invoice
from evpower.simulator.providers.odengi.server import Merchant, OdengiServer
from evpower.simulator.providers.surroundings.clock import ProviderClock
from evpower.simulator.providers.surroundings.courier import Courier, WebhookFault
from evpower.simulator.providers.surroundings.faults import Fault, Faults
from evpower.simulator.providers.surroundings.received import Log
from evpower.simulator.providers.surroundings.surroundings import Surroundings
from evpower.simulator.providers.surroundings.wire import converse
from tests.simulation.engine import Engine
from tests.simulation.network import Away
from tests.simulation.world import World

SID, SECRET = "1000000042", "simulated-secret-0001"
ODENGI = OdengiSettings(url=f"http://dengi.test{odengi.PATH}", sid=SID, secret=SECRET)
#: What httpx2's own transport would do; ours has nobody else to.
READ_WITHIN_S = 30.0
CHUNK = 65536
#: How the provider fails when we ask, and how its calls do.
FAULTS = ("refuse", "reset", "hang", "truncated", "empty", "html", "500", "503", "error")
LETTERS = ("delay", "drop", "duplicate", "wrong_signature", "reorder")


class Bank:
    """The provider, its book and its courier."""

    def __init__(self, world: World) -> None:
        self._dice = world.engine.random("provider")
        self._way = world.engine.random("way to the provider")
        self.faults = Faults()
        self.courier = Courier(trio.sleep, Webhooks(world))
        clock = ProviderClock(world.clock)
        around = Surroundings(clock, self.faults, Log(), self.courier.send, trio.sleep, "https://dengi.test")
        self.server = OdengiServer(Merchant(SID, SECRET), around, world.engine.random("invoices"))
        self.is_down = False
        self._connections: trio.Nursery | None = None
        world.transport = ProviderTransport(self)

    async def run(self) -> None:
        """Until cancelled."""
        async with trio.open_nursery() as self._connections:
            self._connections.start_soon(self.courier.run)
            await trio.sleep_forever()

    def connect(self) -> trio.abc.Stream:
        """A connection to it. Raises OSError while it is down."""
        if self.is_down or self._connections is None:
            raise OSError("connection refused")
        ours, theirs = memory_stream_pair()
        self._connections.start_soon(converse, theirs, self.server.answer)
        return ours

    async def on_the_way(self) -> None:
        """Questions and answers take their time: what they say may be old when it is heard."""
        await trio.sleep(self._way.choice((0.0, 0.1, self._way.uniform(0, 4))))

    def misbehave(self) -> str:
        """Some calls to come fail, in one direction or in the other; which."""
        if self._dice.random() < 0.5:
            kind = self._dice.choice(FAULTS)
            self.faults.add(Fault(provider="odengi", kind=kind, times=self._dice.randint(1, 4)))
        else:
            kind = self._dice.choice(LETTERS)
            delay_s = self._dice.uniform(1, 1800)
            self.courier.faults.append(
                WebhookFault(provider="odengi", kind=kind, times=self._dice.randint(1, 3), delay_s=delay_s)
            )
        return kind

    def heal(self) -> None:
        """All goes well from now on."""
        self.is_down = False
        self.faults.clear()
        self.courier.faults.clear()

    @property
    def invoices(self) -> list[Invoice]:
        return list(self.server.book.by_id.values())


@dataclass(frozen=True)
class ProviderTransport(httpx2.AsyncBaseTransport):
    """One request on a connection of its own, as the product makes them."""

    bank: Bank

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            stream = self.bank.connect()
        except OSError as error:
            raise httpx2.ConnectError(str(error)) from error
        async with stream:
            with trio.move_on_after(READ_WITHIN_S):
                try:
                    await self.bank.on_the_way()
                    response = await _exchange(stream, request)
                    await self.bank.on_the_way()
                    return response
                except trio.BrokenResourceError as error:
                    raise httpx2.ReadError(str(error)) from error
                except h11.RemoteProtocolError as error:
                    raise httpx2.RemoteProtocolError(str(error)) from error
        raise httpx2.ReadTimeout("no answer")


async def _exchange(stream: trio.abc.Stream, request: httpx2.Request) -> httpx2.Response:
    """Raises h11.RemoteProtocolError for an answer that is none, or half of one."""
    connection = h11.Connection(h11.CLIENT)
    body = await request.aread()
    head = h11.Request(
        method=request.method, target=request.url.raw_path, headers=[(n, v) for n, v in request.headers.raw]
    )
    request_parts = (head, h11.Data(data=body), h11.EndOfMessage())
    await stream.send_all(b"".join(connection.send(each) or b"" for each in request_parts))
    answer: h11.Response | None = None
    parts = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(bytes(await stream.receive_some(CHUNK)))
        elif isinstance(event, h11.Response):
            answer = event
        elif isinstance(event, h11.Data):
            parts += event.data
        elif isinstance(event, h11.EndOfMessage) and answer is not None:
            whole = httpx2.ByteStream(bytes(parts))
            return httpx2.Response(answer.status_code, headers=list(answer.headers), stream=whole)
        else:
            raise h11.RemoteProtocolError("no answer")


@dataclass(frozen=True)
class Webhooks(httpx2.AsyncBaseTransport):
    """The provider's calls, to whichever process is there."""

    world: World

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body, place = await request.aread(), self.world.a_place()
        headers = {name.decode().lower(): value.decode() for name, value in request.headers.raw}
        try:
            reply = await place.reach().people.ask(request.method, request.url.path, body, headers)
        except Away as error:
            raise httpx2.ConnectError("nobody is there") from error
        self.world.engine.trace.note("webhook", reply.status)
        return httpx2.Response(reply.status, content=reply.body)


async def moods(bank: Bank, engine: Engine, until_s: float) -> None:
    """The provider's own misfortunes."""
    dice: random.Random = engine.random("moods")
    while trio.current_time() < until_s:
        await trio.sleep(dice.uniform(60, 900))
        if dice.random() < 0.2:
            bank.is_down = True
            await trio.sleep(dice.uniform(10, 600))
            bank.is_down = False
        else:
            engine.trace.note("provider", bank.misbehave())
