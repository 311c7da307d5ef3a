"""What we ask of an OCPP 1.6 charger (OCPP 1.6 §5); every payload is checked against the standard's schema first."""

from __future__ import annotations

import logging
from typing import Annotated, Literal

import msgspec
from ocpp.messages import MessageType, get_validator

from evpower.identifiers import ConnectorId, IdTag, WireTransactionId
from evpower.link.ports import CommandResult, Outcome
from evpower.ocpp.connection import ChargerConnection
from evpower.ocpp.watch.oddities import shown
from evpower.ocpp.wire.outcome import Answered, CallFailed, CallOutcome, NoAnswer

log = logging.getLogger("OCPP")


class Command(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A request of ours; its class name is the action."""


class RemoteStartTransaction(Command):
    id_tag: str
    connector_id: int | None = None


class RemoteStopTransaction(Command):
    transaction_id: int


class TriggerMessage(Command):
    requested_message: Literal[
        "BootNotification",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "MeterValues",
        "StatusNotification",
    ]
    connector_id: int | None = None


class ChangeConfiguration(Command):
    key: Annotated[str, msgspec.Meta(max_length=50)]
    value: Annotated[str, msgspec.Meta(max_length=500)]


class GetConfiguration(Command):
    """Without keys: all of them."""

    key: list[str] | None = None


class _Status(msgspec.Struct):
    status: str


_read_status = msgspec.json.Decoder(_Status).decode


async def send(connection: ChargerConnection, command: Command) -> CallOutcome:
    """Send one command and wait for its end. Raises ValueError for a payload the standard's schema refuses."""
    action = type(command).__name__
    for error in get_validator(MessageType.Call, action, "1.6").iter_errors(msgspec.to_builtins(command)):
        raise ValueError(f"{action}: {error.message}")
    return await connection.call(action, msgspec.json.encode(command))


async def ask(connection: ChargerConnection, command: Command) -> CommandResult:
    """Send a command whose answer is a status."""
    result = _result(await send(connection, command))
    log.info(
        "%s: station=%s, outcome=%s, detail=%s",
        type(command).__name__,
        connection.station_id,
        result.outcome.value,
        shown(result.detail),
    )
    return result


async def remote_start(connection: ChargerConnection, connector_id: ConnectorId, id_tag: IdTag) -> CommandResult:
    """RemoteStartTransaction (§5.11). Accepted is not yet a start (duty 28)."""
    return await ask(connection, RemoteStartTransaction(id_tag=id_tag, connector_id=connector_id))


async def remote_stop(connection: ChargerConnection, transaction_id: WireTransactionId) -> CommandResult:
    """RemoteStopTransaction (§5.12)."""
    return await ask(connection, RemoteStopTransaction(transaction_id=int(transaction_id)))


async def trigger_status(connection: ChargerConnection, connector_id: ConnectorId | None) -> CommandResult:
    """Ask for a StatusNotification (§5.17), of every connector when None."""
    return await ask(connection, TriggerMessage(requested_message="StatusNotification", connector_id=connector_id))


async def trigger_boot(connection: ChargerConnection) -> CommandResult:
    """Ask a charger that is Pending to boot again (§5.17); never one that was accepted (E3.40)."""
    return await ask(connection, TriggerMessage(requested_message="BootNotification"))


async def change_configuration(connection: ChargerConnection, key: str, value: str) -> CommandResult:
    """ChangeConfiguration (§5.3). RebootRequired is an acceptance that takes effect later."""
    return await ask(connection, ChangeConfiguration(key=key, value=value))


async def get_configuration(connection: ChargerConnection, keys: list[str] | None = None) -> CallOutcome:
    """GetConfiguration (§5.8); the caller reads the answer."""
    return await send(connection, GetConfiguration(key=keys))


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
