"""What operators write over REST and by `evpower`, kept beside what they do on the pages (contract/operator-pages §8):
who did what, from which door.

An act is written down before it is done, its outcome after. A journal that cannot be written stops nobody: the log has
the line of the act as well.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

import trio
from quart import Blueprint, Quart, Response, g, request

from evpower.clock import Ids
from evpower.errors import DatabaseUnavailable, InvalidRequest, ProviderTimeout
from evpower.http.wire.access import READING_METHODS
from evpower.http.wire.requests import parse_object, read_bytes
from evpower.http.wire.rights import who
from evpower.staff.acts import DONE, ActDoor, Intent, OperatorActs, key_of
from evpower.worker import contain

log = logging.getLogger("security")

WRITES_WITHIN_S = 2.0
#: Doors whose fields name the network and no person: what was written is shown, elsewhere which fields alone.
OF_THE_NETWORK = frozenset({"location_admin", "station_admin", "tariff_plans", "station_commands", "free_vend"})
#: Parts of the names of fields whose value may open something, or names a person.
SECRET = ("password", "secret", "token", "key", "location", "url", "tag", "customer")
#: `/operators` is another name of `/users`.
SAME_AS = ("staff_operators", "staff_users")
VALUE_CHARS_MAX, DETAIL_CHARS_MAX = 60, 500
#: What was asked may have been done, or not: no outcome is kept.
UNKNOWN = frozenset({DatabaseUnavailable.code, ProviderTimeout.code, "internal_error", "timeout"})


class ActJournal:
    """Keeps the acts of one door."""

    def __init__(self, acts: OperatorActs, ids: Ids, door: ActDoor) -> None:
        self._acts = acts
        self._ids = ids
        self._door = door

    def follow(self, routes: Blueprint | Quart) -> None:
        """Keep every write of these routes, from here on: who is let in is known by then."""
        routes.before_request(self._begin)
        routes.after_request(self._end)

    async def _begin(self) -> None:
        if request.method in READING_METHODS or request.url_rule is None:
            return
        key = key_of(self._door, self._ids.new())
        named = request.view_args or {}
        target = str(named.get("station_id") or next(iter(named.values()), ""))
        intent = Intent(key, act_name(request.endpoint or "", named), target, await _detail())
        with trio.move_on_after(WRITES_WITHIN_S), contain(log, "an act could not be kept in the journal"):
            if await self._acts.begin(who(), intent):
                g.act_key = key

    async def _end(self, response: Response) -> Response:
        key: str | None = g.pop("act_key", None)
        if key is not None:
            with trio.move_on_after(WRITES_WITHIN_S), contain(log, "an act could not be kept in the journal"):
                outcome, answer = await _outcome(response)
                if outcome not in UNKNOWN:
                    await self._acts.end(key, outcome, answer)
        return response


def act_name(endpoint: str, named: Mapping[str, Any]) -> str:
    """`station_admin-change`: the door and the handler; of an operation at a station its own name, as pages have it."""
    operation = named.get("name") or named.get("action")
    return str(operation) if operation else "-".join(endpoint.split(".")[-2:]).replace(*SAME_AS)


async def _outcome(response: Response) -> tuple[str, str | None]:
    if response.status_code < 400:
        return DONE, None
    refusal = parse_object(await response.get_data(as_text=False))
    return str(refusal["error"]), str(refusal["message"])


async def _detail() -> str | None:
    """What was written, as far as it names no person and opens nothing."""
    body: Mapping[str, Any] = {}
    with suppress(InvalidRequest):  # a file, or what its route refuses
        body = parse_object(await read_bytes() or b"{}")
    shows_values = (request.endpoint or "").rpartition(".")[0].rpartition(".")[2] in OF_THE_NETWORK
    fields = (_shown(name, value, shows_values=shows_values) for name, value in {**request.args, **body}.items())
    return ", ".join(sorted(fields))[:DETAIL_CHARS_MAX] or None


def _shown(name: str, value: object, *, shows_values: bool) -> str:
    if isinstance(value, dict):
        return f"{name}: {' '.join(sorted(map(str, value)))}"
    is_plain = isinstance(value, str | int | Decimal | bool)
    if not shows_values or not is_plain or any(part in name.lower() for part in SECRET):
        return name
    return f"{name}={value}"[: len(name) + VALUE_CHARS_MAX]
