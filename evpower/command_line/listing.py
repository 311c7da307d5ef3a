"""The options of every list: how much of it, whose, where, since when; and a look at it that goes on."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import click

from evpower.command_line.completion import complete
from evpower.command_line.terminal import Terminal, terminal_command

WATCH_EVERY_S = 2.0
#: As many as a door shows (`evpower/narrowing.py`).
ROWS_MAX = 500
Filter: TypeAlias = Literal["station", "client", "phase", "since"]
OPTIONS = {
    "phase": click.option("--phase", metavar="PHASE", help="In this phase alone."),
    "client": click.option("--client", metavar="CLIENT", shell_complete=complete("clients"), help="Of this client."),
    "station": click.option("--station", metavar="STATION", shell_complete=complete("stations"), help="At this one."),
    "since": click.option("--since", metavar="TIME", help="Since 30m, 2h, 3d ago, since a day or a time."),
}


@dataclass(frozen=True)
class Wanted:
    """What of a list is asked for."""

    limit: int | None
    given: dict[Filter, str]

    def query(self, terminal: Terminal) -> dict[str, object]:
        """The fields of the door's query: whole ids, times in UTC. Raises UsageError, AmbiguousId."""
        fields: dict[str, object] = {"limit": self.limit}
        fields.update(self.given.items())
        if "since" in self.given:
            fields["since"] = _since(terminal, self.given["since"])
        if "client" in self.given:
            fields["client"] = terminal.server.whole_id("clients", self.given["client"])
        if "station" in self.given:
            fields["station"] = terminal.server.whole_id("stations", self.given["station"])
        return fields

    def note_cut(self, terminal: Terminal, shown: int) -> None:
        """What was not shown is said, on a terminal."""
        if not terminal.screen.as_json and shown == (self.limit or ROWS_MAX):
            terminal.screen.note(terminal.texts("cut", rows=shown))


def listing(*filters: Filter) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command that lists: `terminal_command` with these filters, `--limit` and `--watch`."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def with_filters(terminal: Terminal, limit: int | None, watch: bool, **arguments: Any) -> None:
            given: dict[Filter, str] = {name: arguments.pop(name) for name in filters if arguments[name] is not None}
            for name in filters:
                arguments.pop(name, None)
            show = functools.partial(command, terminal, Wanted(limit, given), **arguments)
            if watch:
                watched(terminal, show)
            else:
                show()

        options = [OPTIONS[name] for name in filters]
        options.append(
            click.option("--limit", type=click.IntRange(1, ROWS_MAX), help="At most so many, those that come first.")
        )
        options.append(WATCH)
        return functools.reduce(lambda made, option: option(made), reversed(options), terminal_command(with_filters))

    return decorate


WATCH = click.option("--watch", is_flag=True, help="Look again every 2 seconds, until Ctrl-C.")


def watched(terminal: Terminal, show: Callable[[], None]) -> None:
    """Show again and again, each time over what was shown before. Raises UsageError with --json."""
    if terminal.screen.as_json:
        raise click.UsageError(terminal.texts("usage.watch_or_json"))
    try:
        while True:
            terminal.screen.is_over = True
            show()
            pause(WATCH_EVERY_S)
    except KeyboardInterrupt:
        pass


def pause(seconds: float) -> None:
    """Let a while pass."""
    time.sleep(seconds)


def _since(terminal: Terminal, text: str) -> str:
    from evpower.clock import SystemClock
    from evpower.command_line.times import moment_of

    try:
        at = moment_of(text, terminal.screen.zone, SystemClock().now())
    except ValueError:
        raise click.UsageError(terminal.texts("usage.since")) from None
    return at.isoformat().replace("+00:00", "Z")
