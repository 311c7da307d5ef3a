"""`/system`: processes, PostgreSQL, Redis, providers, refused sockets, warnings, settings; is a restart safe now
(contract/operator-pages §8)? It is there when PostgreSQL is not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import trio
from quart import Blueprint, Response, request

from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import signed_in
from evpower.payments.provider_calls import ProviderCall, ProviderState
from evpower.staff.rights import Right

WITHIN_S = 10
LEVELS = ("WARNING", "ERROR")
FILTER_CHARS_MAX = 100


@dataclass(frozen=True)
class RunningProcess:
    """A process by its lease; `version` is None where an older one runs."""

    process_id: str
    started_at: datetime
    lease_until: datetime
    version: str | None
    stations: int


@dataclass(frozen=True)
class DatabaseState:
    """PostgreSQL, and what would be cut off by a restart of this process."""

    version: str
    size_bytes: int
    connections: int
    oldest_transaction_at: datetime | None
    processes: Sequence[RunningProcess]
    starting: int
    stopping: int
    refunds_sent: int

    @property
    def may_restart(self) -> bool:
        """Nothing is under way whose answer a restart would lose, to be found out again."""
        return not (self.starting or self.stopping or self.refunds_sent)


@dataclass(frozen=True)
class LogLine:
    """A warning or an error, as it was written."""

    at: datetime
    level: str
    logger: str
    text: str


@dataclass(frozen=True)
class SettingInForce:
    """A setting's value as text; of a secret whether it is set."""

    name: str
    value: str
    is_secret: bool
    is_default: bool


@dataclass(frozen=True)
class SystemFacts:
    """This process, and what it stands on; `database` None: it does not answer."""

    process_id: str
    database: DatabaseState | None
    pool_size: int
    pool_in_use: int
    pool_waiting: int
    journal_lag_s: float
    free_bytes: int
    total_bytes: int
    #: None: no file is named; with a time of None it is not there.
    backup: tuple[str, datetime | None] | None
    #: None: there is none.
    redis_up: bool | None
    providers: Mapping[str, ProviderState]
    provider_calls: Mapping[str, Sequence[ProviderCall]]
    refused_sockets: Mapping[str, int]
    failed_logins: int
    slowed_addresses: Sequence[str]
    lines: Sequence[LogLine]
    settings: Sequence[SettingInForce]


ReadSystem = Callable[[], Awaitable[SystemFacts]]


def system_routes(read: ReadSystem, pages: Pages) -> Blueprint:
    """For administrators; settings are for chief ones."""
    routes = Blueprint("system", __name__)

    @routes.get("/system")
    async def system() -> Response:
        visitor = signed_in()
        visitor.require(Right.NETWORK)
        level, word = request.args.get("level", ""), request.args.get("word", "").strip()[:FILTER_CHARS_MAX]
        with trio.fail_after(WITHIN_S):
            facts = await read()
        lines = [line for line in facts.lines if _is_wanted(line, level, word.casefold())]
        names: dict[str, Any] = {"facts": facts, "lines": lines, "levels": LEVELS, "level": level, "word": word}
        return await pages.show("system/system.html", **names)

    return routes


def _is_wanted(line: LogLine, level: str, word: str) -> bool:
    return (level not in LEVELS or line.level == level) and word in f"{line.logger} {line.text}".casefold()
