"""The list kept in Redis for every process (contract/rest-api §2.1; ADR 14).

The content names the generation it belongs to, and is believed only while Redis holds the same one. A change replaces
the generation, so whatever was read before it and is stored after it is never believed. Each process does so with every
change it hears of, its own and others' alike, and whenever it has a new connection: it may have missed one.

Each process also holds the picture it showed last, under the rules of a cache of its own. While Redis is there a small
question to Redis decides whether it may be shown; while Redis is away it is the only one.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from evpower.clock import Clock, RandomBytes
from evpower.db.redis_link import Command, RedisLink, RedisRequest
from evpower.errors import RedisAway
from evpower.network.list_cache import Look, NetworkPicture, OwnListCache
from evpower.network.listing import ListedLocation

log = logging.getLogger("evpower.redis")

CONTENT = "locations_status:all"
#: No number: Redis may lose it or come back with an old one, and a generation must never be named twice.
GENERATION = "locations_status:generation"


@dataclass(frozen=True)
class _Content:
    generation: str
    expires_at: datetime
    locations: tuple[ListedLocation, ...]


_READER = msgspec.json.Decoder(_Content)


class SharedListCache:
    """Implements `ListCache` in Redis."""

    def __init__(self, redis: RedisLink, clock: Clock, random_bytes: RandomBytes) -> None:
        self._redis = redis
        self._clock = clock
        self._random_bytes = random_bytes
        self._own = OwnListCache(clock)
        #: Which generation the picture held here is of.
        self._generation: bytes | None = None
        self._invalidation: RedisRequest | None = None
        redis.begin_with(self._new_generation)

    async def look(self) -> Look:
        held = self._own.held()
        try:
            generation, is_kept = await self._redis.ask(("GET", GENERATION), ("EXISTS", CONTENT))
        except RedisAway:
            return self._own.held()
        if generation is None:  # Redis was emptied
            self.forget()
        shown = self._own.held().picture if is_kept and generation == self._generation else None
        return Look(shown, held.changes, generation)

    async def fetch(self) -> Look:
        held = self._own.held()
        if held.picture is not None:  # perhaps kept a moment ago
            look = await self.look()
            if look.picture is not None:
                return look
        try:
            [(generation, text)] = await self._redis.ask(("MGET", GENERATION, CONTENT))
        except RedisAway:
            return self._own.held()
        look = Look(None, held.changes, generation)
        picture = None if text is None else self._read(text, generation)
        if picture is None or not self._own.hold(look, picture):
            return look
        self._generation = generation
        return replace(look, picture=self._own.held().picture)

    async def keep(self, look: Look, picture: NetworkPicture) -> None:
        if not self._own.hold(look, picture):
            return
        self._generation = look.generation
        lasts_ms = (picture.expires_at - self._clock.now()) // timedelta(milliseconds=1)
        if look.generation is None or lasts_ms < 1:
            return
        content = _Content(look.generation.decode(), picture.expires_at, picture.locations)
        with suppress(RedisAway):
            await self._redis.ask(("SET", CONTENT, msgspec.json.encode(content), "PX", lasts_ms))

    def forget(self) -> None:
        self._own.forget()
        # In a storm of changes one waiting command is enough.
        if self._invalidation is None or not self._invalidation.is_waiting:
            self._invalidation = self._redis.enqueue(*self._new_generation())

    def _new_generation(self) -> tuple[Command, ...]:
        return ("SET", GENERATION, self._random_bytes(16).hex()), ("DEL", CONTENT)

    def _read(self, text: bytes, generation: bytes | None) -> NetworkPicture | None:
        """The picture, if it is of this generation."""
        try:
            content = _READER.decode(text)
        except msgspec.MsgspecError as error:
            log.info("what Redis holds as the list is not of this version: %s", error)
            return None
        if content.generation.encode() != generation:
            return None
        return NetworkPicture(content.locations, content.expires_at)
