"""The one way to ask a station something: checked against its version's schemas, sent, and its end given a type.

`ask` is for what we ask by ourselves, at once and with a status for an answer; `command` is for operators: it waits for
a boot to end, and its answer is checked as a whole (design §8 "Raw station command").
"""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Any

import msgspec
import trio

from evpower.link.errors import ChargerNotReady, ChargerOffline, CommandRefused, CommandTimedOut, UnreadableAnswer
from evpower.link.ports import CommandResult, Outcome
from evpower.ocpp.connection import StationConnection
from evpower.ocpp.dialect import Request
from evpower.ocpp.watch.oddities import Kind
from evpower.ocpp.wire.outcome import Answered, CallFailed, CallOutcome, NoAnswer

log = logging.getLogger("OCPP")

#: A station that boots is waited for, at most this long (duty 18).
READY_WITHIN_S = 15.0
#: Earlier commands to the same station go first; the whole, with their time-outs, takes at most this long.
COMMAND_WITHIN_S = 90.0

_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class _Status(msgspec.Struct):
    status: str


_read_status = msgspec.json.Decoder(_Status).decode


async def ask(connection: StationConnection, request: Request) -> CommandResult:
    """Send a request whose answer is a status, also to a station that has not finished booting.

    Raises InvalidRequest for a payload its standard refuses; nothing was sent.
    """
    result = _result(await _send(connection, request))
    line = "%s: station=%s, outcome=%s, detail=%s"
    log.info(line, request.action, connection.station_id, result.outcome.value, result.detail)
    return result


def was_answered(result: CommandResult) -> bool:
    """Whether the station still answers: one that does not is asked nothing more."""
    return result.outcome not in (Outcome.TIMED_OUT, Outcome.OFFLINE)


async def command(connection: StationConnection, request: Request) -> dict[str, Any]:
    """Send a request and return the answer's payload. Raises one of `CommandFailure`, or InvalidRequest."""
    with trio.move_on_after(COMMAND_WITHIN_S):
        await _ready_for(connection, request)
        if request.report is None:
            return await request_now(connection, request)
        with connection.report_parts.expected(request.report, request.payload["requestId"]) as report:
            answer = await request_now(connection, request)
            return answer if answer.get("status") != "Accepted" else {**answer, "parts": await report.whole()}
    raise CommandTimedOut


async def request_now(connection: StationConnection, request: Request) -> dict[str, Any]:
    """The same as `command`, also to a station that has not finished booting."""
    outcome = await _send(connection, request)
    log.info("%s: station=%s, outcome=%s", request.action, connection.station_id, type(outcome).__name__)
    return _payload_of(connection, request.action, outcome)


async def _send(connection: StationConnection, request: Request) -> CallOutcome:
    text = _encode(request.payload)
    connection.dialect.schemas.check_sent(request.action, request.payload, text)
    return await connection.call(request.action, text)


async def _ready_for(connection: StationConnection, request: Request) -> None:
    """Wait for the end of a boot; what a station whose boot is not accepted may be asked is its version's to say."""
    if connection.registration == "Rejected":
        raise ChargerNotReady(boot=connection.registration)
    connection.dialect.may_be_asked(connection, request)
    if connection.registration == "Pending":
        return
    with trio.move_on_after(READY_WITHIN_S):
        await connection.ready.wait()
        return
    raise ChargerNotReady(boot="booting")


def _result(outcome: CallOutcome) -> CommandResult:
    match outcome:
        case Answered(payload):
            try:
                status = _read_status(payload).status
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
                return CommandResult(Outcome.FAILED, f"unreadable answer: {exc}")
            accepted = status.lower() in ("accepted", "rebootrequired")
            return CommandResult(Outcome.ACCEPTED if accepted else Outcome.REJECTED, status)
        case CallFailed(code, description, _):
            return CommandResult(Outcome.FAILED, f"{code} {description}".rstrip())
        case NoAnswer():
            return CommandResult(Outcome.TIMED_OUT)
        case _:
            return CommandResult(Outcome.OFFLINE)


def _payload_of(connection: StationConnection, action: str, outcome: CallOutcome) -> dict[str, Any]:
    match outcome:
        case Answered(text):
            return _checked(connection, action, text)
        case CallFailed(code, description, details):
            raise CommandRefused(code, description, _readable(details))
        case NoAnswer():
            raise CommandTimedOut
        case _:
            raise ChargerOffline


def _checked(connection: StationConnection, action: str, text: bytes) -> dict[str, Any]:
    schemas, answer = connection.dialect.schemas, _readable(text)
    if isinstance(answer, dict):
        for oddity in schemas.read_kindly(action, answer):
            connection.oddities.note(Kind.ODD_ANSWER, f"an answer to {action}: {oddity}")
        problems = schemas.wrong_in_answer(action, answer)
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
