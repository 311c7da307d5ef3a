"""The keys of a provider, fetched from its JWKS address by one task; requests only ever wait for that task.

Fetched every ten minutes, and once more, at most once a minute, when a token names a key that is not among them: so a
rotation is noticed at once, and random key ids cost the provider nothing. A provider that is down changes nothing for a
day: the keys it gave last go on; then nothing can be verified until it is back.
"""

from __future__ import annotations

import logging
import ssl

import httpx2
import trio

from evpower.errors import ServiceUnavailable
from evpower.identity.keys import PUBLIC_ALGORITHMS, Key, find_key, read_key_set
from evpower.identity.token import Token
from evpower.outgoing_http import kind_of, open_client, read_whole
from evpower.worker import Wake, contain

log = logging.getLogger("security")

FETCH_EVERY_S = 600.0
#: After a fetch that failed; without any key, nobody at all can sign in.
FETCH_AGAIN_S, FETCH_FIRST_AGAIN_S = 60.0, 5.0
#: For tokens that name an unknown key.
ASK_AT_MOST_EVERY_S = 60.0
KEYS_LAST_S = 24 * 3600.0
#: An app gives up after ten seconds.
FETCH_WITHIN_S = 4.0
KEY_SET_BYTES_MAX = 256 * 1024
TIMEOUT, LIMITS = httpx2.Timeout(FETCH_WITHIN_S), httpx2.Limits(max_connections=1, max_keepalive_connections=0)


class RemoteKeys:
    """Keys behind `url`. `run` must be running; until its first fetch succeeds nothing can be verified."""

    def __init__(self, url: str, context: ssl.SSLContext) -> None:
        self._url = url
        self._context = context
        self._keys: tuple[Key, ...] = ()
        self._fetched_at_s: float | None = None
        self._asked_at_s: float | None = None
        #: Set when the fetch that was asked for has ended; None when none is.
        self._asked: trio.Event | None = None
        self._wake = Wake()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Fetch until cancelled; ready after the first try, whether it succeeded or not."""
        async with open_client({"Accept": "application/json"}, self._context, TIMEOUT, LIMITS) as client:
            succeeded = await self._fetch(client)
            task_status.started()
            while True:
                await self._wake.wait(self._pause_s(succeeded))
                succeeded = await self._fetch(client)

    async def find(self, token: Token) -> Key | None:
        """The key a token names. Raises ServiceUnavailable without usable keys."""
        if token.kid is None or token.algorithm not in PUBLIC_ALGORITHMS.values():
            return None
        if all(key.kid != token.kid for key in self._usable()):
            await self._ask_again()
        return find_key(self._usable(), token)

    def holds(self, key: Key) -> bool:
        """Whether it is among the keys fetched last. Raises ServiceUnavailable when these are too old."""
        return key in self._usable()

    def _usable(self) -> tuple[Key, ...]:
        if self._fetched_at_s is None or trio.current_time() - self._fetched_at_s > KEYS_LAST_S:
            raise ServiceUnavailable
        return self._keys

    async def _ask_again(self) -> None:
        """Wait for one more fetch: the one that somebody asked for, or a new one if the last was a minute ago."""
        now_s = trio.current_time()
        if self._asked is None:
            if self._asked_at_s is not None and now_s - self._asked_at_s < ASK_AT_MOST_EVERY_S:
                return
            self._asked, self._asked_at_s = trio.Event(), now_s
            self._wake.set()
        with trio.move_on_after(FETCH_WITHIN_S):
            await self._asked.wait()

    def _pause_s(self, succeeded: bool) -> float:
        if succeeded:
            return FETCH_EVERY_S
        return FETCH_AGAIN_S if self._keys else FETCH_FIRST_AGAIN_S

    async def _fetch(self, client: httpx2.AsyncClient) -> bool:
        """Take the provider's keys; False, with a line in the log, when they could not be had."""
        asked = self._asked
        why = "no answer in time"
        # What a provider sends is not ours to foresee: nothing in it may end the process.
        with trio.move_on_after(FETCH_WITHIN_S), contain(log, "the key set of auth.jwks_url could not be read"):
            why = await self._take(client)
        if asked is not None:
            asked.set()
            self._asked = None
        if why:
            log.warning("the key set of auth.jwks_url is not to be had: %s", why)
        return not why

    async def _take(self, client: httpx2.AsyncClient) -> str:
        """Why the keys could not be taken; empty when they were."""
        try:
            async with client.stream("GET", self._url) as answer:
                body, why = await read_whole(answer, KEY_SET_BYTES_MAX)
            keys = read_key_set(body) if body is not None else ()
        except (httpx2.HTTPError, httpx2.StreamError, OSError) as error:
            return kind_of(error)
        except (ValueError, RecursionError):
            return "the answer is no key set"
        if not keys:
            return why or "it has no key that we can use"
        self._keys, self._fetched_at_s = keys, trio.current_time()
        return ""
