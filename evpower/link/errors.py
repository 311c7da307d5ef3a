"""What became of a command to a station that did not end in an answer we may use (duty 39)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evpower.errors import Refusal


class CommandFailure(Refusal):
    """A command to a station that did not end in an answer we may use (duty 39)."""


class ChargerOffline(CommandFailure):
    """Not connected, or the socket dropped before the answer: the station may still have acted."""

    code = "station_offline"
    message = "Станция не подключена"


class ChargerNotReady(CommandFailure):
    """Connected, but not yet to be asked anything: booting, or its boot was not accepted (duties 17, 18)."""

    code = "station_not_ready"
    message = "Станция ещё не готова принимать команды"


class CommandTimedOut(CommandFailure):
    """No answer in time; the station may still act on it."""

    code = "command_timeout"
    message = "Станция не ответила вовремя"


class CommandNotKnown(CommandFailure):
    """The process that has the station is of another version of ours and has no such command; nothing was sent."""

    code = "command_not_known"
    message = "Процесс, к которому подключена станция, не знает этой команды: обновите его"


class CommandRefused(CommandFailure):
    """The station answered CALLERROR; it is in `call_error`, as the station sent it."""

    code = "command_refused"

    def __init__(self, error_code: str, description: str, details: Any) -> None:
        super().__init__(
            f"Станция отклонила команду: {error_code}",
            call_error={"code": error_code, "description": description, "details": details},
        )


class NotInThisVersion(CommandFailure):
    """The station speaks a version of OCPP without this command; nothing was sent."""

    code = "command_refused"

    def __init__(self, version: str) -> None:
        super().__init__(f"Такой команды нет в OCPP {version}", reason=f"not_in_ocpp_{version}")


class CommandRejected(CommandFailure):
    """The station answered that it does not do it; `status` is its status, `answer` the whole answer."""

    code = "command_rejected"

    def __init__(self, status: str, answer: Mapping[str, Any]) -> None:
        super().__init__(f"Станция не выполнила команду: {status}", status=status, answer=dict(answer))


class UnreadableAnswer(CommandFailure):
    """The station's answer is not what OCPP says it must be; `problems` says where, `answer` is what it sent."""

    code = "invalid_answer"
    message = "Ответ станции не соответствует OCPP"
