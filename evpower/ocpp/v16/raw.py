"""An operator's own command to a charger (design §8 "Raw charger command"): checked, sent, and its answer checked."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
import trio

from evpower.errors import (
    ChargerNotReady,
    ChargerOffline,
    CommandRefused,
    CommandTimedOut,
    InvalidRequest,
    UnreadableAnswer,
)
from evpower.ocpp.connection import ChargerConnection
from evpower.ocpp.v16.schemas import read_kindly, wrong_in_answer
from evpower.ocpp.watch.oddities import Kind
from evpower.ocpp.wire.outcome import Answered, CallFailed, CallOutcome, NoAnswer

log = logging.getLogger("OCPP")

#: A charger that boots is waited for, at most this long (duty 18).
READY_WITHIN_S = 15.0
#: Earlier commands to the same charger go first; the whole, with their time-outs, takes at most this long.
COMMAND_WITHIN_S = 90.0
#: Not sent while a boot is Pending (OCPP 1.6 §4.2).
NOT_WHILE_PENDING = frozenset({"RemoteStartTransaction", "RemoteStopTransaction"})

_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


async def command(connection: ChargerConnection, action: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Send a checked payload and return the answer's. Raises one of `CommandFailure`, or InvalidRequest."""
    with trio.move_on_after(COMMAND_WITHIN_S):
        await _may_be_asked(connection, action, payload)
        outcome = await connection.call(action, _encode(payload))
        try:
            return _payload_of(connection, action, outcome)
        finally:
            log.info("%s: station=%s, outcome=%s", action, connection.station_id, type(outcome).__name__)
    raise CommandTimedOut


async def _may_be_asked(connection: ChargerConnection, action: str, payload: Mapping[str, Any]) -> None:
    """Wait for the end of a boot; a pending charger takes commands, but no starts and stops (duty 17)."""
    if connection.registration == "Rejected" or (connection.registration == "Pending" and action in NOT_WHILE_PENDING):
        raise ChargerNotReady(boot=connection.registration)
    if connection.registration == "Pending":
        return
    if payload.get("requestedMessage") == "BootNotification":
        # Duty 18, OCPP 1.6 errata 3.40: once accepted, a charger is never asked to boot again.
        raise InvalidRequest(("requestedMessage", "станция уже принята, BootNotification не запрашивается"))
    with trio.move_on_after(READY_WITHIN_S):
        await connection.ready.wait()
        return
    raise ChargerNotReady(boot="booting")


def _payload_of(connection: ChargerConnection, action: str, outcome: CallOutcome) -> dict[str, Any]:
    match outcome:
        case Answered(text):
            return _checked(connection, action, text)
        case CallFailed(code, description, details):
            raise CommandRefused(code, description, _readable(details))
        case NoAnswer():
            raise CommandTimedOut
        case _:
            raise ChargerOffline


def _checked(connection: ChargerConnection, action: str, text: bytes) -> dict[str, Any]:
    answer = _readable(text)
    if isinstance(answer, dict):
        for oddity in read_kindly(action, answer):
            connection.oddities.note(Kind.ODD_ANSWER, f"an answer to {action}: {oddity}")
        problems = wrong_in_answer(action, answer)
        if not problems:
            return answer
    else:
        problems = [("body", "должно быть объектом JSON")]
    connection.oddities.note(Kind.ODD_ANSWER, f"an answer to {action} that OCPP does not allow ({problems[0][0]})")
    listed = [{"field": field, "message": message} for field, message in problems]
    raise UnreadableAnswer(problems=listed, answer=answer)


def _readable(text: bytes) -> Any:
    """JSON, or the text itself when it is none."""
    try:
        return _decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, ArithmeticError, RecursionError):
        return text.decode(errors="replace")
