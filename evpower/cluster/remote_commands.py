"""Commands that cross from one process to another: how they are written, and how they are executed here.

The asker's side is `network_link.py`. An outcome keeps its type across processes: a `CommandResult`, a
station's answer, or one of the errors an operator's command may raise.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, cast, get_args

import msgspec
import trio

from evpower.clock import Clock
from evpower.cluster.rows import charger_commands
from evpower.cluster.rows.charger_commands import Asked
from evpower.db.failures import DatabaseAway
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.errors import EvPowerError, InvalidRequest
from evpower.identifiers import ConnectorId, IdTag, ProcessId, WireTransactionId
from evpower.link import commands, device_commands
from evpower.link.commands import A, Command, LimitDraw
from evpower.link.errors import (
    ChargerNotReady,
    ChargerOffline,
    CommandFailure,
    CommandNotKnown,
    CommandRefused,
    CommandTimedOut,
    NotInThisVersion,
    UnreadableAnswer,
)
from evpower.link.ports import CommandResult, Outcome, StationLink
from evpower.worker import Wake, contain, repeat

log = logging.getLogger("OCPP")

#: A little more than any command takes where the socket is.
COMMAND_WITHIN_S = 100.0
#: How often both sides look at the rows: a lost NOTIFY costs as long.
POLL_EVERY_S = 1.0
#: What an operator's command may raise, by name.
FAILURES: dict[str, type[EvPowerError]] = {
    kind.__name__: kind
    for kind in (
        ChargerOffline,
        ChargerNotReady,
        CommandTimedOut,
        CommandRefused,
        CommandNotKnown,
        UnreadableAnswer,
        NotInThisVersion,
    )
}
#: What a station can be asked, by name.
COMMANDS: dict[str, type[Command[Any]]] = {
    kind.__name__: kind
    for module in (commands, device_commands)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Command) and kind is not Command
}

_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def written(value: Mapping[str, Any]) -> str:
    """A payload or a result as JSON text; numbers keep their digits."""
    return _encode(value).decode()


def read(text: str) -> dict[str, Any]:
    """The inverse of `written`."""
    value = _decode(text)
    assert isinstance(value, dict)
    return value


def written_result(result: CommandResult) -> str:
    """How a start or a stop ended."""
    return written({"outcome": result.outcome.value, "detail": result.detail})


def read_result(text: str) -> CommandResult:
    """The inverse of `written_result`."""
    value = read(text)
    return CommandResult(Outcome(value["outcome"]), value["detail"])


def written_failure(error: EvPowerError) -> str:
    """What an operator's command raised."""
    return written({"failure": type(error).__name__, "message": str(error), "details": error.details})


def written_ask(command: Command[Any]) -> dict[str, Any]:
    """What a station is asked, as the name of its class and its fields."""
    return {"command": type(command).__name__, "arguments": command}


def read_ask(payload: Mapping[str, Any]) -> Command[Any]:
    """The inverse of `written_ask`. Raises CommandNotKnown for what another version of ours can ask."""
    kind = COMMANDS.get(payload["command"])
    if kind is None:
        raise CommandNotKnown
    try:
        command: Command[Any] = msgspec.convert(payload["arguments"], kind)
    except msgspec.ValidationError:
        raise CommandNotKnown from None
    return command


def read_answer_to(command: Command[A], text: str) -> A:
    """A station's answer to what it was asked. Raises what `read_answer` raises, and CommandNotKnown."""
    try:
        answer: A = msgspec.convert(read_answer(text), answer_type(type(command)))
    except msgspec.ValidationError:
        raise CommandNotKnown from None
    return answer


def answer_type(kind: type[Command[A]]) -> type[A]:
    """The A of a `Command[A]`."""
    (base,) = kind.__orig_bases__  # type: ignore[attr-defined]  # of a subclass of a Generic there is one
    (answer,) = get_args(base)
    return cast("type[A]", answer)


def read_answer(text: str) -> dict[str, Any]:
    """The station's answer to an operator's command, or raise what it ended in."""
    value = read(text)
    if "failure" not in value:
        answer: dict[str, Any] = value["answer"]
        return answer
    if value["failure"] == InvalidRequest.__name__:
        raise InvalidRequest(*[(wrong["field"], wrong["message"]) for wrong in value["details"]["detail"]])
    # Another version's: it has the name of none of ours.
    kind = FAILURES.get(value["failure"], CommandFailure)
    error = kind.__new__(kind)
    EvPowerError.__init__(error, value["message"], **value["details"])
    raise error


class CommandExecutor:
    """Takes what others ask of this process's stations; one task for each command, owned by the worker."""

    def __init__(self, pool: Pool, clock: Clock, me: ProcessId, local: StationLink) -> None:
        self._pool = pool
        self._clock = clock
        self._me = me
        self._local = local
        self._asked = Wake()

    def wake(self) -> None:
        """Something was asked (NOTIFY)."""
        self._asked.set()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Execute until cancelled."""
        async with trio.open_nursery() as executing:
            task_status.started()
            failure = "commands of other processes could not be read and will be again"
            await repeat(partial(self._take, executing), POLL_EVERY_S, self._asked, log=log, failure=failure)

    async def _take(self, executing: trio.Nursery) -> None:
        async with unit_of_work(self._pool) as uow:
            taken = await charger_commands.take(uow.conn, self._me, self._clock.now())
        for command in taken:
            executing.start_soon(self._execute, command)

    async def _execute(self, command: Asked) -> None:
        """Ask the station and write how it ended; without that, the asker times out.

        Its deadline is by the asker's clock; from here on there is as much time as ever.
        """
        log.info("asked by another process: station=%s, %s", command.station_id, command.kind)
        no_answer = "a command of another process has no answer: station=%s"
        with contain(log, no_answer, command.station_id), trio.fail_after(COMMAND_WITHIN_S):
            await self._answer(command, await self._result_of(command))

    async def _answer(self, command: Asked, result: str) -> None:
        """Write how it ended, again and again while the database is away."""
        while True:
            try:
                async with unit_of_work(self._pool) as uow:
                    return await charger_commands.answer(uow.conn, command.id, result)
            except DatabaseAway as error:
                log.warning("a command's result could not be written and will be again: %s", error)
            await trio.sleep(POLL_EVERY_S)

    async def _result_of(self, command: Asked) -> str:
        station_id, payload = command.station_id, read(command.payload)
        match command.kind:
            case "remote_start":
                connector_id, id_tag = ConnectorId(payload["connector_id"]), IdTag(payload["id_tag"])
                number, limit = payload.get("remote_start_id"), payload.get("limit")
                begins_with = None if limit is None else msgspec.convert(limit, LimitDraw)
                result = await self._local.remote_start(station_id, connector_id, id_tag, number, begins_with)
                return written_result(result)
            case "remote_stop":
                transaction_id = WireTransactionId(payload["transaction_id"])
                return written_result(await self._local.remote_stop(station_id, transaction_id))
            case "ask":
                return await _answered(lambda: self._local.ask(station_id, read_ask(payload)))
            case "raw":
                return await _answered(lambda: self._local.command(station_id, payload["action"], payload["payload"]))
            case _:  # of a later version, while the network is upgraded process by process
                return written_failure(CommandNotKnown())


async def _answered(ask: Callable[[], Awaitable[object]]) -> str:
    """The answer, or what it ended in."""
    try:
        return written({"answer": await ask()})
    except (CommandFailure, InvalidRequest) as error:
        return written_failure(error)
