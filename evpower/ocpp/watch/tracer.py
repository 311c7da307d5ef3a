"""Every station's frames: followed live by operators, and kept for some days, beside the path of the messages.

`note` costs a station's message under a microsecond: it appends to a queue. Masking, cutting and writing are the
writer's, one COPY a second. What the queue cannot hold is counted and not kept; no station ever waits for it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import trio

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import InvalidRequest, StationNotFound
from evpower.identifiers import StationId
from evpower.network.station_records import station_exists
from evpower.ocpp.watch.frame_log import Direction
from evpower.ocpp.watch.masking import Masking
from evpower.ocpp.watch.rows import FrameRow, read_frames, write_frames
from evpower.ocpp.watch.trace import Conversation
from evpower.worker import Wake

log = logging.getLogger("OCPP")

#: Frames wait this long for company, so that a thousand stations cost one statement a second.
GATHER_S = 1.0
#: Frames that wait for the database take at most about this much memory.
MOST_QUEUED_BYTES = 16 * 1024 * 1024
#: What a queued frame takes beside its text.
ROW_BYTES = 250
#: What is kept of one station's frames in an hour. One that samples each second uses a tenth of it.
BYTES_AN_HOUR = 16 * 1024 * 1024
#: Longer frames are cut before they are queued.
LONG_BYTES = 8192
#: Frames a follower may be behind before it is cut off.
FOLLOWER_BUFFER = 500
MOST_FOLLOWERS = 50
#: At the end of the process: the frames of the last second.
LAST_WRITE_S = 2.0
WRITE_WITHIN_S = 30.0

_Noted = tuple[StationId, Direction, bytes, datetime]


class Follower:
    """Somebody who watches one station."""

    def __init__(
        self, send: trio.MemorySendChannel[_Noted], receive: trio.MemoryReceiveChannel[_Noted], masking: Masking
    ) -> None:
        self._send = send
        self._receive = receive
        self._masking = masking
        self._conversation = Conversation()
        #: It was too slow and gets no more frames.
        self.was_cut = False

    def offer(self, noted: _Noted) -> None:
        """Hand it a frame, or cut it off when it does not keep up."""
        try:
            self._send.send_nowait(noted)
        except trio.WouldBlock:
            self.was_cut = True
            self._send.close()
        except (trio.ClosedResourceError, trio.BrokenResourceError):
            pass

    def close(self) -> None:
        """What it has been handed is still read; then it ends."""
        self._send.close()

    async def next(self) -> dict[str, Any]:
        """The next frame, read (see `Conversation`). Raises trio.EndOfChannel when there will be none."""
        _, direction, frame, at = await self._receive.receive()
        return self._conversation.read(direction, self._masking.kept(frame).decode(errors="replace"), at)


class Tracer:
    """Implements `FrameLog` for the stations and `evpower.http.tracing.Traces` for operators."""

    def __init__(self, pool: Pool, clock: Clock, masking: Masking, *, record: bool) -> None:
        self._pool = pool
        self._clock = clock
        self._masking = masking
        self._record = record
        self._followers: dict[StationId, list[Follower]] = {}
        self._queue: list[_Noted] = []
        self._queued_bytes = 0
        self._work = Wake()
        self._writing = trio.Lock()
        #: Frames that could not be kept since the server began.
        self.lost = 0
        self._loss_logged = False
        self._hour: datetime | None = None
        self._kept_bytes: dict[StationId, int] = {}

    @property
    def is_recording(self) -> bool:
        """Whether frames are kept at all (`ocpp.record_frames`)."""
        return self._record

    def note(self, station_id: StationId, direction: Direction, frame: bytes, at: datetime) -> None:
        """A frame passed (see `FrameLog`)."""
        followers = self._followers.get(station_id) if self._followers else None
        if followers is None and not self._record:
            return
        if len(frame) > LONG_BYTES:
            frame = self._masking.kept(frame)
        if followers is not None:
            for follower in followers:
                follower.offer((station_id, direction, frame, at))
        if self._record:
            self._enqueue((station_id, direction, frame, at))

    def _enqueue(self, noted: _Noted) -> None:
        if self._queued_bytes > MOST_QUEUED_BYTES:
            self._lose(1, "the database does not keep up")
            return
        if not self._is_within_quota(noted):
            return
        self._queued_bytes += len(noted[2]) + ROW_BYTES
        self._queue.append(noted)
        if len(self._queue) == 1:
            self._work.set()

    def _is_within_quota(self, noted: _Noted) -> bool:
        """Whether the station's frames of this hour may grow by this one; logged once an hour for a station."""
        station_id, _, frame, at = noted
        hour = at.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._hour = hour
            self._kept_bytes.clear()
        before = self._kept_bytes.get(station_id, 0)
        if before > BYTES_AN_HOUR:
            self.lost += 1
            return False
        after = self._kept_bytes[station_id] = before + len(frame) + ROW_BYTES
        if after > BYTES_AN_HOUR:
            log.warning("frames are not kept until the next hour, its quota is used up: station=%s", station_id)
        return True

    def _lose(self, count: int, reason: str) -> None:
        """Log it once, until frames are kept again."""
        self.lost += count
        if not self._loss_logged:
            self._loss_logged = True
            log.warning("frames of chargers are not kept: %s; charging is not affected", reason)

    # -------------------------------------------------------------------------------------------------- the writer's

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Write what is noted, in groups, until cancelled."""
        task_status.started()
        try:
            while True:
                await self._work.wait()
                await trio.sleep(GATHER_S)
                await self._flush()
        finally:
            # Shielded: the frames before a shutdown are the ones somebody will ask for; one short write.
            with trio.move_on_after(LAST_WRITE_S, shield=True):
                await self._flush()

    async def _flush(self) -> None:
        async with self._writing:
            noted, self._queue, self._queued_bytes = self._queue, [], 0
            if not noted:
                return
            try:
                with trio.fail_after(WRITE_WITHIN_S):
                    await self._write(noted)
            except Exception as error:  # evidence is worth less than a station: count it, log it, go on
                self._lose(len(noted), str(error) or type(error).__name__)
            else:
                if self._loss_logged:
                    self._loss_logged = False
                    log.warning("frames of chargers are kept again; lost since the start: %d", self.lost)

    async def _write(self, noted: list[_Noted]) -> None:
        rows = []
        for number, (station_id, direction, frame, at) in enumerate(noted):
            rows.append(FrameRow(station_id, direction, self._masking.kept(frame).decode(errors="replace"), at))
            if number % 500 == 499:
                await trio.lowlevel.checkpoint()  # stations have their turn
        async with unit_of_work(self._pool) as uow:
            await write_frames(uow.conn, rows)

    # ---------------------------------------------------------------------------------------------- for the operator

    @contextmanager
    def follow(self, station_id: StationId) -> Iterator[Follower]:
        """Watch a station's frames from now on. Raises InvalidRequest when too many watch already."""
        if sum(map(len, self._followers.values())) >= MOST_FOLLOWERS:
            raise InvalidRequest(("station_id", f"уже открыто {MOST_FOLLOWERS} трассировок"))
        send, receive = trio.open_memory_channel[_Noted](FOLLOWER_BUFFER)
        follower = Follower(send, receive, self._masking)
        self._followers.setdefault(station_id, []).append(follower)
        try:
            yield follower
        finally:
            self._followers[station_id].remove(follower)
            if not self._followers[station_id]:
                del self._followers[station_id]
            follower.close()
            receive.close()

    async def end_followers(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """A task of the doors: when they close, every follower is closed, so that the doors wait for none."""
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            for followers in self._followers.values():
                for follower in followers:
                    follower.close()

    async def history(
        self, station_id: StationId, since: datetime | timedelta, limit: int, *, until: datetime | None = None
    ) -> list[dict[str, Any]]:
        """The newest `limit` kept frames from then (a time, or how long ago) until then, oldest first, each read."""
        since = self._clock.now() - since if isinstance(since, timedelta) else since
        await self._flush()
        async with reading(self._pool) as conn:
            rows = await read_frames(conn, station_id, since, limit, until)
        conversation = Conversation()
        return [conversation.read(row.direction, row.frame, row.recorded_at) for row in rows]

    async def check_station(self, station_id: StationId) -> None:
        """Raises StationNotFound for a station that is not configured."""
        async with reading(self._pool) as conn:
            if not await station_exists(conn, station_id):
                raise StationNotFound
