"""`/commands`: what a text in the search asks of a station, done once it was confirmed (contract/operator-pages §2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import trio
from quart import Blueprint, Response

from evpower.errors import EvPowerError, NotFound
from evpower.http.operators.operations import StationOperations
from evpower.identifiers import StationId
from evpower.link.errors import CommandTimedOut
from evpower.pages.frame.forms import form_key, form_text
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import signed_in
from evpower.staff.acts import DONE, Intent, OperatorActs
from evpower.staff.rights import Right

#: As the administrators' door waits for a station.
WITHIN_S = 120
TEXT_CHARS_MAX = 120
COMMAND = re.compile(r"(\S+)\s+([A-Za-z0-9_.-]{1,50})(?:/([0-9]{1,4}))?")
#: Each word, its operation and what is fixed of its arguments; whether it is of a connector too.
WORDS: Mapping[str, tuple[str, Mapping[str, Any], bool]] = {
    "reset": ("reset", {"kind": "soft"}, False),
    "reset-hard": ("reset", {"kind": "hard"}, False),
    "unlock": ("unlock", {}, True),
    "disable": ("change-availability", {"operative": False}, True),
    "enable": ("change-availability", {"operative": True}, True),
    "clear-cache": ("clear-cache", {}, False),
}


@dataclass(frozen=True)
class TypedCommand:
    """`disable EVP-001-01/2`: a word of `WORDS`, a station, and a connector of it when one is named."""

    word: str
    station_id: StationId
    connector_id: int | None

    @property
    def text(self) -> str:
        connector = "" if self.connector_id is None else f"/{self.connector_id}"
        return f"{self.word} {self.station_id}{connector}"

    @property
    def operation(self) -> tuple[str, dict[str, Any]]:
        """The operation's name and its arguments."""
        name, fixed, _ = WORDS[self.word]
        connector = {} if self.connector_id is None else {"connector_id": self.connector_id}
        return name, {**fixed, **connector}


def read_command(text: str) -> TypedCommand | None:
    """The command that a text is; None for any other text."""
    found = COMMAND.fullmatch(text.strip())
    if found is None or found[1].lower() not in WORDS:
        return None
    word, connector_id = found[1].lower(), int(found[3]) if found[3] else None
    takes_connector = WORDS[word][2]
    needs_connector = word == "unlock"
    if (connector_id is not None and not takes_connector) or (connector_id is None and needs_connector):
        return None
    return TypedCommand(word, StationId(found[2]), connector_id)


def command_routes(operations: StationOperations, acts: OperatorActs, pages: Pages) -> Blueprint:
    """A command, confirmed by its form, and what the station answered."""
    routes = Blueprint("commands", __name__)

    @routes.post("/commands")
    async def perform() -> Response:
        key, visitor = await form_key(), signed_in()
        command = read_command(await form_text("command", TEXT_CHARS_MAX))
        if command is None:
            raise NotFound
        visitor.require(Right.COMMAND, command.station_id)
        answer: Mapping[str, object] = {}

        async def ask() -> None:
            nonlocal answer
            name, arguments = command.operation
            with trio.fail_after(WITHIN_S):
                answer = await operations.perform(command.station_id, name, arguments)

        intent, refused, unknown = Intent(key, command.word, command.text), None, False
        try:
            act = await acts.once(visitor.acting, intent, ask)
            unknown = act.outcome != DONE
        except (trio.TooSlowError, CommandTimedOut):
            unknown = True
        except EvPowerError as error:
            refused = error
        names: dict[str, Any] = {"command": command, "answer": answer, "refused": refused, "unknown": unknown}
        return await pages.show("lookups/command.html", 200 if refused is None else 409, **names)

    return routes
