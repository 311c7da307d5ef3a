"""The way to Redis: one connection, owned by one task; while Redis is away, `RedisAway` is raised at once.

Nothing may depend on Redis: it can die, restart and hang at any time (design §1). redis-py is synchronous, so each turn
on the connection runs in a worker thread. Requests that come meanwhile are the next turn, so a process's requests
are executed in order. Nothing is sent twice: after any failure the connection is given up, and the next one
begins with the opening commands of each user of Redis, because it is not known what was lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import trio
from redis.backoff import NoBackoff
from redis.connection import Connection, parse_url
from redis.retry import Retry

from evpower.errors import RedisAway
from evpower.worker import Wake

log = logging.getLogger("evpower.redis")

#: A command of Redis and its arguments.
Command: TypeAlias = tuple[str | bytes | int, ...]

#: Beyond this many waiting requests, RedisAway is raised at once.
WAITING_MAX = 1000
#: Threads that may hang in a name server or a trickling connection; the next attempt waits for one of them.
THREADS_MAX = 3


@dataclass(frozen=True)
class Patience:
    """How long Redis may take, and how often it is looked at: together below two seconds."""

    #: One turn, and one attempt to connect.
    turn_s: float = 0.5
    retry_after_s: float = 1.0
    #: An idle connection is asked whether it is still there.
    ping_every_s: float = 1.0


@dataclass(eq=False)
class RedisRequest:
    """Commands on their way; `replies` stays None when Redis went away."""

    commands: Sequence[Command]
    #: Neither sent yet nor dropped.
    is_waiting: bool = True
    replies: list[Any] | None = None
    ended: trio.Event = field(default_factory=trio.Event)


class RedisLink:
    """What the rest of the server sees of Redis."""

    def __init__(self, url: str, patience: Patience | None = None) -> None:
        """`url` as redis-py reads it; `config.py` has checked it."""
        self._patience = patience or Patience()
        settings = parse_url(url)
        self._kind: type[Connection] = settings.pop("connection_class", Connection)
        self._settings: dict[str, Any] = {
            "protocol": 2,  # no pushes: a reply belongs to a command
            "socket_timeout": self._patience.turn_s,
            "socket_connect_timeout": self._patience.turn_s,
            "retry": Retry(NoBackoff(), 0),
            **settings,
        }
        self._openings: list[Callable[[], Sequence[Command]]] = []
        #: Those that talk, or were abandoned and have not ended yet.
        self.threads = trio.CapacityLimiter(THREADS_MAX)
        self._due = Wake()
        self._waiting: list[RedisRequest] = []
        #: Whether an opening was begun on the present connection: from then on everything must reach it.
        self._is_open = False
        self._logged_there: bool | None = None
        #: Whether it answered last time, at most `ping_every_s` + `turn_s` ago.
        self.is_there = False
        #: How often it went away.
        self.losses = 0

    def begin_with(self, opening: Callable[[], Sequence[Command]]) -> None:
        """Every connection begins with the commands of `opening`, before anything else is asked on it."""
        self._openings.append(opening)

    async def ask(self, *commands: Command) -> list[Any]:
        """Their replies. Raises RedisAway, at once when that is known and within a turn or two otherwise."""
        if not self.is_there or len(self._waiting) >= WAITING_MAX:
            raise RedisAway
        request = self.enqueue(*commands)
        await request.ended.wait()
        if request.replies is None:
            raise RedisAway
        return request.replies

    def enqueue(self, *commands: Command) -> RedisRequest:
        """Have them executed before any later request; dropped when Redis is away."""
        request = RedisRequest(commands)
        if self._is_open:
            self._waiting.append(request)
            self._due.set()
        else:
            _end([request])
        return request

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep a connection until cancelled; ready after the first attempt, whatever came of it."""
        while True:
            wire = _Wire(self._kind(**self._settings))
            try:
                await self._open(wire)
                task_status.started()
                task_status = trio.TASK_STATUS_IGNORED
                await self._serve(wire)
            except Exception as error:  # whatever the client raises: a cache that is away is no fault of ours
                self._log_away(str(error) or f"no answer within {self._patience.turn_s} s")
            finally:
                wire.close()
                self._let_go()
            task_status.started()
            task_status = trio.TASK_STATUS_IGNORED
            await trio.sleep(self._patience.retry_after_s)

    async def _open(self, wire: _Wire) -> None:
        # No await between these two: requests enqueued after the opening was composed must follow it.
        commands = [command for opening in self._openings for command in opening()]
        self._is_open = True
        await self._in_thread(wire, commands)
        self.is_there = True
        if self._logged_there is not True:
            log.info("Redis is there")
        self._logged_there = True

    async def _serve(self, wire: _Wire) -> None:
        """One turn after the other, until one fails."""
        while True:
            await self._due.wait(self._patience.ping_every_s)
            turn, self._waiting = self._waiting, []
            try:
                await self._take(wire, turn)
            finally:
                _end(turn)

    async def _take(self, wire: _Wire, turn: list[RedisRequest]) -> None:
        for request in turn:
            request.is_waiting = False
        commands = [command for request in turn for command in request.commands]
        replies = iter(await self._in_thread(wire, commands or [("PING",)]))
        for request in turn:
            request.replies = [next(replies) for _ in request.commands]

    async def _in_thread(self, wire: _Wire, commands: Sequence[Command]) -> list[Any]:
        """Abandoned when it takes too long: the thread ends by its socket's time-out, and closes the connection."""
        with trio.fail_after(self._patience.turn_s):
            return await trio.to_thread.run_sync(wire.talk, commands, abandon_on_cancel=True, limiter=self.threads)

    def _let_go(self) -> None:
        self.losses += self.is_there
        self.is_there = self._is_open = False
        waiting, self._waiting = self._waiting, []
        _end(waiting)

    def _log_away(self, why: str) -> None:
        if self._logged_there is not False:
            log.warning("Redis is away, and this process does without it: %s", why)
        self._logged_there = False


def _end(turn: list[RedisRequest]) -> None:
    for request in turn:
        request.is_waiting = False
        request.ended.set()


class _Wire:
    """A connection, in the hands of one thread at a time; the last to use it closes it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_used = False
        self._is_unwanted = False

    def talk(self, commands: Sequence[Command]) -> list[Any]:
        """Send the commands and read their replies. Blocks; any error leaves the connection useless."""
        self._is_used = True
        try:
            self._connection.connect()
            self._connection.send_packed_command(self._connection.pack_commands(commands))
            return [self._connection.read_response() for _ in commands]
        finally:
            self._is_used = False
            if self._is_unwanted:
                self._connection.disconnect()

    def close(self) -> None:
        """Close it now, or when the thread that was abandoned with it ends."""
        self._is_unwanted = True
        if not self._is_used:
            self._connection.disconnect()
