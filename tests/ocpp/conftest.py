from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import trio
from trio.testing import memory_stream_pair

from evpower.clock import Clock
from evpower.identifiers import StationId
from evpower.ocpp.dialect import known_actions, usual
from evpower.ocpp.dialects import DIALECTS
from evpower.ocpp.door.passwords import PasswordChecker
from evpower.ocpp.door.server import Door, StationServer
from evpower.ocpp.lobby import Lobby
from evpower.ocpp.registry import StationRegistry
from evpower.ocpp.settings import OcppSettings
from evpower.ocpp.watch.frame_log import FrameLog, NoFrameLog
from evpower.ocpp.watch.traffic import Traffic
from tests.ocpp.fakes import CountingIds, FakeReports, TrioClock
from tests.ocpp.peer import Peer


class MemoryListener(trio.abc.Listener[trio.abc.Stream]):
    """Accepts what `connect` made."""

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[trio.abc.Stream](1000)

    async def connect(self) -> trio.abc.Stream:
        ours, theirs = memory_stream_pair()
        await self._send.send(theirs)
        return ours

    async def accept(self) -> trio.abc.Stream:
        return await self._receive.receive()

    async def aclose(self) -> None:
        self._receive.close()
        await trio.lowlevel.checkpoint()


class Csms:
    """Our server over memory streams, with a fake service behind it."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self.reports = FakeReports()
        self.registry = StationRegistry(usual(DIALECTS), DIALECTS, self._last_spoken)
        self.clock: Clock = TrioClock()
        self.settings = OcppSettings()
        self.anonymous = True
        self.lobby: Lobby | None = None
        self.frame_log: FrameLog = NoFrameLog()
        self.scope = trio.CancelScope()
        self.stopped = trio.Event()
        self._listener: MemoryListener | None = None
        self.traffic = Traffic(known_actions(DIALECTS))

    async def _last_spoken(self, station_id: StationId) -> str | None:
        return self.reports.spoken.get(station_id)

    def set(self, **settings: Any) -> None:
        """Change settings; before the first charger comes."""
        self.settings = replace(self.settings, **settings)

    async def connect(self) -> trio.abc.Stream:
        """A stream to the server, nothing sent yet."""
        if self._listener is None:
            self._listener = MemoryListener()
            await self._nursery.start(self._serve)
        return await self._listener.connect()

    async def charger(self, target: str = "/ws/CP-1", **how: Any) -> Peer:
        """A charger whose socket is open."""
        peer = Peer(await self.connect())
        response = await peer.open(target, **how)
        assert response.status_code == 101, response
        return peer

    async def _serve(self, *, task_status: trio.TaskStatus[None]) -> None:
        assert self._listener is not None
        server = StationServer(
            reports=self.reports,
            registry=self.registry,
            clock=self.clock,
            ids=CountingIds(),
            passwords=PasswordChecker(b"test"),
            settings=self.settings,
            dialects=DIALECTS,
            traffic=self.traffic,
            frame_log=self.frame_log,
            lobby=self.lobby,
        )
        with self.scope:
            await server.serve([Door(self._listener, self.anonymous)], task_status=task_status)
        self.stopped.set()


@pytest.fixture
async def csms(nursery: trio.Nursery) -> Csms:
    """A test names `autojump_clock` beside it, or it waits for real."""
    return Csms(nursery)
