"""From an incoming CALL to its answer: which handler, and which CALLERROR when there is none (OCPP-J §4.2.3).

Each version of OCPP has its table of actions and its error codes; the way is one.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import trio

from evpower.correlation import correlation_id
from evpower.ocpp.connected_station import ConnectedStation
from evpower.ocpp.reading import Request, Unreadable, read, storable
from evpower.ocpp.watch.oddities import shown
from evpower.ocpp.wire import frames

log = logging.getLogger("OCPP")


class Confirmation(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True, gc=False):
    """What we answer; absent rather than null."""


Handler = Callable[[ConnectedStation, Any, bytes], Awaitable[Confirmation]]


@dataclass(frozen=True)
class Action:
    """What is offered: how its request is read, and who handles it."""

    request: type[Request]
    handle: Handler
    #: The journal bounds its own commits, and what is answered from memory waits for nothing: neither needs a time-out
    #: of its own (11 µs each).
    bounds_itself: bool = False


_encode = msgspec.json.Encoder().encode


async def answer(station: ConnectedStation, call: frames.Call, actions: Mapping[str, Action]) -> bytes:
    """The frame that answers the CALL. Never raises for what a station or the database does."""
    correlation_id.set(shown(str(call.message_id)))
    began = trio.current_time()
    frame = await _answer(station, call, actions)
    station.connection.calls.call_answered(call.action, trio.current_time() - began)
    return frame


async def _answer(station: ConnectedStation, call: frames.Call, actions: Mapping[str, Action]) -> bytes:
    action = actions.get(call.action)
    if action is None:
        known = call.action in station.dialect.known_actions
        return _refuse(station, call, "NotSupported" if known else "NotImplemented", call.action)
    if station.connection.registration != "Accepted" and call.action != "BootNotification":
        return _refuse(station, call, "SecurityError", f"the boot is {station.connection.registration}")
    payload = storable(action.request, bytes(call.payload))
    try:
        request = read(action.request, payload, station.connection.oddities)
    except Unreadable as exc:
        return _refuse(station, call, station.dialect.error_codes[exc.flaw], exc.problem)
    try:
        if action.bounds_itself:
            confirmation = await action.handle(station, request, payload)
        else:
            with trio.fail_after(station.settings.handler_timeout_s):
                confirmation = await action.handle(station, request, payload)
    except Exception:  # whatever failed on our side, the station must hear it and repeat (duty 15)
        log.exception("station=%s: %s failed", station.station_id, call.action)
        station.connection.calls.errors_sent["InternalError"] += 1
        return frames.call_error(call.message_id, "InternalError")
    return frames.call_result(call.message_id, _encode(confirmation))


def _refuse(station: ConnectedStation, call: frames.Call, code: str, problem: str) -> bytes:
    log.warning("station=%s: %s: %s: %s", station.station_id, call.action, code, problem)
    station.connection.calls.errors_sent[code] += 1
    return frames.call_error(call.message_id, code, problem)
