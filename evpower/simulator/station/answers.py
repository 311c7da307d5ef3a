"""What a command's handler is: a CALL's payload in, the answer and what follows out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from evpower.simulator.station.hardware import Hardware
from evpower.simulator.wire.ocpp import CallRefused, Payload


class Lifecycle(Protocol):
    """What a command may ask of the station around its hardware."""

    async def reboot(self, reason: str | None = None) -> None:
        """Stop what runs with this reason, go down and boot again."""
        ...

    async def reconnect(self) -> None:
        """Close the socket and open a new one."""
        ...

    def boot_now(self) -> None:
        """Send BootNotification without waiting for the interval."""
        ...

    @property
    def accepted(self) -> bool:
        """BootNotification was accepted."""
        ...


class CommandAnswer(NamedTuple):
    """A CALLRESULT's payload, and what happens after it was sent."""

    payload: Payload
    then: Callable[[], Awaitable[None]] | None = None


CommandHandler = Callable[[Hardware, Lifecycle, Payload], CommandAnswer]
ACCEPTED = CommandAnswer({"status": "Accepted"})
REJECTED = CommandAnswer({"status": "Rejected"})


def soon(change: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    """A plain function as something that may follow an answer."""

    async def later() -> None:
        change()

    return later


def text(payload: Payload, name: str) -> str:
    """A required string of a payload; raises CallRefused."""
    value = payload.get(name)
    if not isinstance(value, str):
        raise CallRefused("FormationViolation", f"{name} is missing or no string")
    return value
