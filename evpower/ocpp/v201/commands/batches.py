"""How much a station takes in one message: ItemsPerMessage and BytesPerMessage, by action (OCPP 2.0.1 part 2, §2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from evpower.link.errors import CommandRefused, UnreadableAnswer
from evpower.ocpp.dialect import Send
from evpower.ocpp.v201.commands import requests

#: Variables in one message to a station that has named no limit.
USUAL_ITEMS = 4
#: More than any station names a limit for; the answers must fit our own limit of a message too.
MOST_ITEMS = 100
#: Of a message, beside its items.
FRAME_BYTES = 100
#: The actions whose limits a station may name.
GET, SET = "GetVariables", "SetVariables"

_encode = msgspec.json.Encoder().encode


class Room(NamedTuple):
    """What one message may hold; `most_bytes` None: as much as its items need."""

    items: int = USUAL_ITEMS
    most_bytes: int | None = None

    def batches(self, data: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
        """The data in as few messages as may be. An item that is too long by itself is sent by itself."""
        batch: list[Mapping[str, Any]] = []
        size = FRAME_BYTES
        for item in data:
            length = len(_encode(item)) + 1
            is_full = len(batch) == self.items or (self.most_bytes is not None and size + length > self.most_bytes)
            if batch and is_full:
                yield batch
                batch, size = [], FRAME_BYTES
            batch.append(item)
            size += length
        if batch:
            yield batch


#: Of a station that will not be asked about several variables at once.
ONE_BY_ONE = Room(1)


async def limits(send: Send, *actions: str) -> dict[str, Room]:
    """What the station names for each action. Raises what `send` raises, but no refusal."""
    wanted = [_named(name, action) for action in actions for name in ("ItemsPerMessage", "BytesPerMessage")]
    try:
        answer = await send(requests.get_variables(wanted))
    except (CommandRefused, UnreadableAnswer):
        return dict.fromkeys(actions, ONE_BY_ONE)
    values = {
        (result["variable"]["name"], result["variable"].get("instance")): _number(result.get("attributeValue"))
        for result in answer["getVariableResult"]
        if result["attributeStatus"] == "Accepted"
    }
    return {
        action: Room(
            min(values.get(("ItemsPerMessage", action)) or USUAL_ITEMS, MOST_ITEMS),
            values.get(("BytesPerMessage", action)),
        )
        for action in actions
    }


def _named(variable: str, action: str) -> dict[str, Any]:
    return {"component": {"name": "DeviceDataCtrlr"}, "variable": {"name": variable, "instance": action}}


def _number(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 and int(text) > 0 else None
