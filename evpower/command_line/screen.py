"""What an operator sees: tables for people, JSON for scripts; failures in one place, with their exit codes."""

from __future__ import annotations

import functools
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, tzinfo
from typing import IO, TYPE_CHECKING, Any

import click

from evpower.command_line.columns import GAP, Column, fit, padded, printable, shortened, width_of
from evpower.command_line.times import MOMENT, in_utc, with_moments
from evpower.texts.catalogue import Catalogue
from evpower.urls import without_password

if TYPE_CHECKING:
    from rich.console import Console

REFUSED, USAGE, NOT_REACHABLE = 1, 2, 3
#: What a word of a row says at a glance.
COLOURS = {
    **dict.fromkeys(("Available", "available", "accepted", "Accepted", "settled", "approved", "active", "✔"), "green"),
    **dict.fromkeys(("charging", "Charging", "started", "starting", "reserved", "processing", "Preparing"), "cyan"),
    **dict.fromkeys(("estimated", "pending", "ended", "stopping", "review", "Unavailable", "released"), "yellow"),
    **dict.fromkeys(("Faulted", "error", "failed", "offline", "blocked", "Blocked", "canceled", "✘"), "red"),
}


class Screen:
    """Standard output, as tables or as JSON; `zone` finds out by which clocks people read, when a time is shown."""

    def __init__(self, as_json: bool, texts: Catalogue, zone: Callable[[], tzinfo] = lambda: UTC) -> None:
        self.as_json = as_json
        self.texts = texts
        self._zone = zone
        #: The next thing that is shown begins at the top of an empty terminal.
        self.is_over = False

    @functools.cached_property
    def zone(self) -> tzinfo:
        """By whose clocks times are shown."""
        return self._zone()

    def show(self, data: Any, text: str) -> None:
        """One sentence, or the data."""
        self._out(_json(data) if self.as_json else text)

    def line(self, text: str = "", *, colour: str | None = None, bold: bool = False, indent: int = 0) -> None:
        """A line for people; where it is longer than the terminal is wide, it goes on after `indent` blanks."""
        shown = self._wrapped(printable(self._timed(text)), indent, begins_at=0)
        self._out(_styled(shown, colour, bold=bold) if colour or bold else shown)

    def note(self, text: str) -> None:
        """A remark about what was shown."""
        self._out(_styled(text, None, dim=True))

    def facts(self, data: Mapping[str, Any]) -> None:
        """Names and values."""
        if self.as_json:
            self._out(_json(data))
            return
        names = [self.texts.sentences.get(f"columns.{name}", name.replace("_", " ")) for name in data]
        indent = max(map(width_of, names), default=0) + GAP
        for name, value in zip(names, data.values(), strict=True):
            self._out(f"{padded(name, indent)}{self._wrapped(self.cell(value), indent)}")

    def rows(self, data: Sequence[Mapping[str, Any]], columns: Sequence[Column], nothing: str) -> None:
        """A row for each item; without any the sentence that `nothing` is the key of."""
        if self.as_json:
            self._out(_json(data))
        elif not data:
            self._out(self.texts(nothing))
        else:
            self._table(data, columns)

    def fail(self, exit_code: int, envelope: Mapping[str, Any], lines: Iterable[str]) -> None:
        """Say why on standard error (as JSON: on standard output) and end with the exit code."""
        if self.as_json:
            _say(_json({"success": False, **envelope}))
        else:
            for line in lines:
                _say(line, err=True)
        sys.exit(exit_code)

    def cell(self, value: Any) -> str:
        """A value as a person reads it, on one line."""
        if value is None:
            return "-"
        if isinstance(value, bool):
            return self.texts("yes") if value else self.texts("no")
        if isinstance(value, list):
            return ", ".join(self.cell(item) for item in value) or "-"
        if isinstance(value, dict):
            return ", ".join(f"{name}: {self.cell(item)}" for name, item in value.items()) or "-"
        return printable(self._timed(without_password(str(value))))

    @contextmanager
    def progress(self, what: str, content: bytes, chunk: int = 65_536) -> Iterator[Iterator[bytes]]:
        """The content in pieces, with a bar on a terminal; it keeps moving while the server works."""
        pieces = (content[start : start + chunk] for start in range(0, len(content), chunk))
        if self.as_json or not sys.stderr.isatty():
            yield pieces
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        layout = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*layout, console=_console(sys.stderr), transient=True) as bars:
            task = bars.add_task(what, total=len(content))

            def sent() -> Iterator[bytes]:
                for piece in pieces:
                    yield piece
                    bars.advance(task, len(piece))
                bars.reset(task, total=None, description=self.texts("writing"))

            yield sent()

    def _table(self, data: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> None:
        width = width_of_terminal()
        values = [[row.get(column.key) for row in data] for column in columns]
        cells = [[self.cell(value) for value in column] for column in values]
        if width is not None:
            cells = [shortened(column) for column in cells]
        headings = [self.texts.word("columns", column.heading) for column in columns]
        natural = [max(map(width_of, (head, *column))) for head, column in zip(headings, cells, strict=True)]
        fitted = fit(columns, natural, width)
        right = {place for place, column in enumerate(values) if _are_numbers(column)}
        head = [padded(headings[place], wide, right=place in right) for place, wide in fitted.widths.items()]
        self._out(_styled((" " * GAP).join(head).rstrip(), None, bold=True))
        self._out((" " * GAP).join("─" * wide for wide in fitted.widths.values()))
        for number in range(len(data)):
            row = [
                _coloured(padded(cells[place][number], wide, right=place in right), cells[place][number])
                for place, wide in fitted.widths.items()
            ]
            self._out((" " * GAP).join(row).rstrip())
        if fitted.left_out:
            names = ", ".join(headings[place] for place in fitted.left_out)
            self.note(self.texts("left_out", columns=names))

    def _timed(self, text: str) -> str:
        return with_moments(text, self.zone) if MOMENT.search(text) else text

    def _wrapped(self, text: str, indent: int, *, begins_at: int | None = None) -> str:
        """A long value goes on below its begin, and no id of it is broken; it begins after `indent` blanks already."""
        width = width_of_terminal()
        begin = indent if begins_at is None else begins_at
        if width is None or begin + width_of(text) <= width:
            return text
        lines = textwrap.wrap(
            text,
            max(20, width),
            initial_indent=" " * begin,
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        return "\n".join(lines)[begin:]

    def _out(self, text: str) -> None:
        if self.is_over and sys.stdout.isatty():
            click.clear()
        self.is_over = False
        _say(text)


def width_of_terminal() -> int | None:
    """How many places a line has: of `COLUMNS`, or of the terminal; None for a pipe, where nothing is cut."""
    if not os.environ.get("COLUMNS") and not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def _styled(text: str, colour: str | None, *, bold: bool = False, dim: bool = False) -> str:
    """Coloured on a terminal alone, and not where `NO_COLOR` asks for none (no-color.org)."""
    if os.environ.get("NO_COLOR") or not sys.stdout.isatty():
        return text
    return click.style(text, fg=colour, bold=bold or None, dim=dim or None)


def _coloured(cell: str, word: str) -> str:
    colour = COLOURS.get(word)
    return cell if colour is None else _styled(cell, colour)


def _are_numbers(values: Sequence[Any]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)


def _say(text: str, *, err: bool = False) -> None:
    """No password of a URL is shown, whatever it stands in (safe by default 11)."""
    click.echo(without_password(text), err=err)


def _console(file: IO[str]) -> Console:
    from rich.console import Console

    return Console(file=file)


def _json(data: Any) -> str:
    return json.dumps(in_utc(data), ensure_ascii=False, indent=2, default=str)
