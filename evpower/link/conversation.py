"""A task that asks a station something and outlives the request that began it."""

from __future__ import annotations

from dataclasses import dataclass, field

import trio

from evpower.link.ports import CommandResult


@dataclass
class Conversation:
    """A running conversation: `done` is set at its end, `result` is what the station answered, if it was asked."""

    done: trio.Event = field(default_factory=trio.Event)
    result: CommandResult | None = None
