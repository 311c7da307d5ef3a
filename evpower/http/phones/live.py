"""The phones' socket: /api/v1/ws/locations and its alias (contract/websocket-api).

The reader owns the socket: its end, the idle timer or the hub cancels the writer. quart-trio cancels both when TCP
drops.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

import msgspec
import trio
from quart import Blueprint, websocket

from evpower.clock import Clock, Ids
from evpower.errors import Forbidden, InvalidToken, ServiceUnavailable, Unauthorized
from evpower.http.listener.http11 import CONNECTION, Http11
from evpower.http.phones import live_messages as messages
from evpower.http.phones.live_hub import Listener, LiveHub
from evpower.http.throttle.windows import Window
from evpower.http.wire.access import client_ip
from evpower.http.wire.caller import Caller, Callers, bearer_token
from evpower.identifiers import CLIENT_ID, ClientId

log = logging.getLogger("evpower.live")

#: From the last byte of the phone, an answer to a ping too: the app never sends anything by itself (field ruling 6.9).
IDLE_S = 60
PING_EVERY_S = 25
CHECK_TOKEN_EVERY_S = 25
MESSAGES_PER_SECOND_MAX = 10
MESSAGE_BYTES_MAX = 64 * 1024
#: For the close frame of a socket whose phone may not be reading.
CLOSE_WITHIN_S = 2

POLICY = 1008
TOO_LARGE = (1009, "message too big")
#: No token where one is needed, one that is not believed (any more), or another's.
NOT_LET_IN = (POLICY, "token")
NO_KEYS = (1013, "tokens cannot be checked")
NO_ROOM = (1013, "too many connections")


def live_routes(
    hub: LiveHub, callers: Callers, clock: Clock, ids: Ids, *, allowed_origins: Collection[str], prefix: str
) -> Blueprint:
    """The routes below `prefix`."""
    routes = Blueprint("live", __name__, url_prefix=prefix)

    @routes.websocket("/ws/locations")
    @routes.websocket("/locations/ws/locations")
    async def live() -> None:
        await websocket.accept()
        given = websocket.args.get("client_id", "")
        if not _origin_may(allowed_origins):
            await websocket.close(POLICY, "origin")
            return
        if given and CLIENT_ID.fullmatch(given) is None:
            await websocket.close(POLICY, "client_id")
            return
        token = bearer_token(websocket) or websocket.args.get("token") or None
        who = await callers.of_token(token)
        try:
            client_id = _listening(who, ClientId(given) if given else None)
        except ServiceUnavailable:
            await websocket.close(*NO_KEYS)
            return
        except (Unauthorized, Forbidden):
            await websocket.close(*NOT_LET_IN)
            return
        listener = Listener(client_id or ClientId(ids.new()), client_ip(websocket))
        if not hub.has_room(listener.client_id, listener.address):
            log.warning("a phone's socket is refused, too many are open: IP: %s", listener.address)
            await websocket.close(*NO_ROOM)
            return
        log.info("WebSocket %s - open - IP: %s", websocket.path, listener.address)
        with hub.joined(listener):
            checked = token if who.identity is not None else None
            await _Conversation(hub, clock, listener, callers, checked).run()

    return routes


def _listening(who: Caller, named: ClientId | None) -> ClientId | None:
    """Whose socket it is, by the rules of a request; staff listen as well. Raises what `Caller.client` does."""
    return who.client(named) if who.identity is None else who.reader(named)


class _Conversation:
    """One phone, from the greeting to the close."""

    def __init__(self, hub: LiveHub, clock: Clock, listener: Listener, callers: Callers, token: str | None) -> None:
        self._hub = hub
        self._callers = callers
        #: What let the phone in; None when no token did.
        self._token = token
        self._clock = clock
        self._listener = listener
        self._recent = Window(MESSAGES_PER_SECOND_MAX, 1)
        #: None in a test without a listener.
        self._connection: Http11 | None = websocket.scope.get("state", {}).get(CONNECTION)

    async def run(self) -> None:
        listener = self._listener
        await _send(messages.greeting(listener.client_id))
        with listener.alive:
            async with trio.open_nursery() as socket:
                socket.start_soon(self._write)
                socket.start_soon(self._ping)
                socket.start_soon(self._check_token)
                await self._read()
                socket.cancel_scope.cancel()
        # Shielded: a drain may have cancelled us already, and the phone is still owed its close code.
        with trio.move_on_after(CLOSE_WITHIN_S, shield=True):
            await websocket.close(*listener.close_with)

    async def _write(self) -> None:
        async for text in self._listener.outbox:
            await websocket.send(text)

    async def _ping(self) -> None:
        while self._connection is not None:
            await trio.sleep(PING_EVERY_S)
            await self._connection.ping()

    async def _check_token(self) -> None:
        """Let go of a phone whose token has ended, or is revoked: it comes again with a new one."""
        while self._token is not None:
            await trio.sleep(CHECK_TOKEN_EVERY_S)
            if isinstance((await self._callers.of_token(self._token)).problem, InvalidToken):
                self._listener.leave(*NOT_LET_IN)

    async def _message(self) -> str | bytes | None:
        """The next one; None when nothing at all came for `IDLE_S`."""
        deadline = trio.current_time() + IDLE_S
        while deadline > trio.current_time():
            with trio.CancelScope(deadline=deadline):
                return await websocket.receive()
            if self._connection is not None:
                deadline = self._connection.heard_at + IDLE_S
        return None

    async def _read(self) -> None:
        """Until nothing came for `IDLE_S`, or too much at once."""
        while True:
            text = await self._message()
            if text is None:
                self._listener.close_with = (1000, "idle timeout")
                return
            if len(text.encode() if isinstance(text, str) else text) > MESSAGE_BYTES_MAX:
                self._listener.close_with = TOO_LARGE
                return
            self._answer(text)

    def _answer(self, text: str | bytes) -> None:
        # More than ten messages within a second: this one is dropped (§1).
        if not self._recent.take(trio.current_time()):
            self._post(messages.error("rate_limited"))
            return
        match messages.read_message(text):
            case messages.Ping():
                self._post(messages.pong(self._clock.now()))
            case messages.Subscribe() as change if not self._listener.has_room_for(change):
                self._post(messages.error(messages.TOO_MANY_CHANNELS))
            case messages.Subscribe() as change:
                self._hub.change(self._listener, change)
                self._post(messages.subscription(change))
            case messages.Wrong(problem):
                self._post(messages.error(problem))

    def _post(self, body: Mapping[str, object]) -> None:
        self._listener.post(_encoded(body))


async def _send(body: Mapping[str, object]) -> None:
    await websocket.send(_encoded(body))


def _encoded(body: Mapping[str, object]) -> str:
    return msgspec.json.encode(body).decode()


def _origin_may(allowed: Collection[str]) -> bool:
    """Pages of this host and of the allowed origins; a client without an Origin is no page (design §9.18)."""
    origin = websocket.headers.get("Origin")
    if origin is None or origin in allowed:
        return True
    try:
        return urlsplit(origin).netloc == websocket.headers.get("Host")
    except ValueError:
        return False
