"""A Redis of the history: what it keeps, by virtual time, and how it is lost and comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import trio
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import ResponseError

from evpower.db import redis_link
from evpower.db.redis_link import Command
from tests.simulation.engine import Engine
from tests.simulation.plan import REDIS_LOST

URL = "redis://evpower.test"
#: What it kept is of no use half a minute later.
AWAY_S = (0.0, 40.0)
SAVED_BEFORE_S = (0.0, 5.0)
BETWEEN_S = (10.0, 200.0)


class Redis:
    """One for every process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._dice = engine.random("redis")
        #: Each value, and when it is forgotten.
        self._kept: dict[str, tuple[bytes, float]] = {}
        self._given, self._changed = trio.Event(), trio.Event()
        self.is_there = True
        #: How often it was lost: an older connection is none.
        self.lives = 1
        engine.after_news.append(lambda: self._changed.set())
        vars(redis_link)["Connection"] = self.connection  # in place of the one with a socket

    def connection(self, **_: object) -> Connection:
        """What the product opens."""
        return Connection(self)

    async def run(self, until_s: float) -> None:
        """Lost soon after it was given something; it comes back empty, with all it had, or with what it had saved."""
        while trio.current_time() < until_s:
            await trio.sleep(self._dice.uniform(*BETWEEN_S))
            self._given = trio.Event()
            await self._given.wait()
            saved = dict(self._kept)
            await trio.sleep(self._dice.uniform(*SAVED_BEFORE_S))
            self.is_there, self.lives = False, self.lives + 1
            self._kept = self._dice.choice(({}, self._kept, saved, saved))
            self._engine.trace.note("redis lost", f"{len(self._kept)} keys come back")
            self._engine.trace.counts[f"pair {REDIS_LOST}"] += 1
            await self._come_back()

    async def _come_back(self) -> None:
        """After some time, or just when something has changed of which it was not told."""
        self._changed = trio.Event()
        with trio.move_on_after(self._dice.uniform(*AWAY_S)):
            if self._dice.random() < 0.5:
                await trio.sleep_forever()
            await self._changed.wait()
        self.is_there = True

    def answer(self, command: Command) -> Any:
        """As Redis does. Raises ResponseError for what the product does not ask."""
        name, *arguments = command
        if str(name) not in COMMANDS:
            raise ResponseError(f"unknown command {name!r}")
        return COMMANDS[str(name)](self, *arguments)

    def get(self, key: str) -> bytes | None:
        value, until_s = self._kept.get(key, (None, 0.0))
        return value if trio.current_time() < until_s else None

    def mget(self, *keys: str) -> list[bytes | None]:
        return [self.get(key) for key in keys]

    def exists(self, key: str) -> int:
        return int(self.get(key) is not None)

    def set(self, key: str, value: str | bytes, px: str = "", lasts_ms: float = float("inf")) -> bytes:
        assert px in ("", "PX"), px
        content = value.encode() if isinstance(value, str) else value
        self._kept[key] = (content, trio.current_time() + lasts_ms / 1000)
        if px:
            self._given.set()
        return b"OK"

    def delete(self, key: str) -> int:
        return int(self._kept.pop(key, None) is not None)


COMMANDS: dict[str, Callable[..., Any]] = {
    "PING": lambda _: b"PONG",
    "GET": Redis.get,
    "MGET": Redis.mget,
    "EXISTS": Redis.exists,
    "SET": Redis.set,
    "DEL": Redis.delete,
}


class Connection:
    """In place of redis-py's: the same methods, answered at once."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._life = 0
        self._replies: list[Any] = []

    def connect(self) -> None:
        """Raises NoConnection, also when that which it was connected to has died."""
        if not self._redis.is_there or self._life not in (0, self._redis.lives):
            raise NoConnection("Redis is not there")
        self._life = self._redis.lives

    def pack_commands(self, commands: Iterable[Command]) -> Sequence[Command]:
        return list(commands)

    def send_packed_command(self, commands: Sequence[Command]) -> None:
        self._replies += map(self._redis.answer, commands)

    def read_response(self) -> Any:
        return self._replies.pop(0)

    def disconnect(self) -> None:
        self._life = 0
