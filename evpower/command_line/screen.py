"""What an operator sees: tables for people, JSON for scripts; failures in one place, with their exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import click

from evpower.urls import without_password

if TYPE_CHECKING:
    from rich.console import Console

REFUSED, USAGE, NOT_REACHABLE = 1, 2, 3
#: A pipe has no width; wide enough that nothing is cut.
PIPE_WIDTH = 240


class Screen:
    """Standard output, as tables or as JSON."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def show(self, data: Any, text: str) -> None:
        """One sentence, or the data."""
        _say(_json(data) if self.as_json else text)

    def facts(self, data: Mapping[str, Any]) -> None:
        """Names and values."""
        if self.as_json:
            _say(_json(data))
            return
        self._table(("", ""), ((name.replace("_", " "), _cell(value)) for name, value in data.items()), header=False)

    def rows(self, data: list[dict[str, Any]], columns: Mapping[str, str], nothing: str) -> None:
        """A row for each item; `columns` maps heading to key."""
        if self.as_json:
            _say(_json(data))
        elif not data:
            _say(nothing)
        else:
            self._table(tuple(columns), (tuple(_cell(item.get(key)) for key in columns.values()) for item in data))

    def fail(self, exit_code: int, envelope: Mapping[str, Any], lines: Iterable[str]) -> None:
        """Say why on standard error (as JSON: on standard output) and end with the exit code."""
        if self.as_json:
            _say(_json({"success": False, **envelope}))
        else:
            for line in lines:
                _say(line, err=True)
        sys.exit(exit_code)

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
                bars.reset(task, total=None, description="Writing")

            yield sent()

    def _table(self, headings: tuple[str, ...], rows: Iterable[tuple[str, ...]], *, header: bool = True) -> None:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(*headings, box=box.SIMPLE_HEAD if header else None, show_header=header)
        for column in table.columns:
            column.overflow = "fold"
        for row in rows:
            table.add_row(*(Text(without_password(cell)) for cell in row))
        _console(sys.stdout).print(table)


def _say(text: str, *, err: bool = False) -> None:
    """No password of a URL is shown, whatever it stands in (safe by default 11)."""
    click.echo(without_password(text), err=err)


def _console(file: IO[str]) -> Console:
    from rich.console import Console

    return Console(file=file, width=None if file.isatty() else PIPE_WIDTH)


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2, default=str)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_cell(item)}" for name, item in value.items()) or "-"
    return str(value)
