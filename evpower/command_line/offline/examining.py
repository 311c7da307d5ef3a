"""`evpower doctor`: every check at once, for people or for scripts, and what its exit code says."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import trio

from evpower.clock import SystemClock
from evpower.command_line.control import NotReachable, RefusedByServer
from evpower.command_line.language import DOCTOR, terminal_findings
from evpower.command_line.offline.databases import alone, opened_database
from evpower.command_line.screen import REFUSED, USAGE
from evpower.command_line.terminal import Terminal
from evpower.db.pool import open_pool
from evpower.db.which import described
from evpower.doctor.examination import DatabaseAnswer, ask_database, examine, file_facts
from evpower.doctor.finding import Finding, Sentence, Value, in_words, is_ok, sentence
from evpower.doctor.server_facts import ServerFacts, read_server_facts
from evpower.doctor.settings_read import not_read
from evpower.errors import ConfigError, DatabaseUnavailable
from evpower.settings.config import Config
from evpower.texts.catalogue import FALLBACK, Catalogue, load

#: A database that takes longer is as good as away.
DATABASE_S = 20.0
STATE_COLOURS = {"good": "green", "warning": "yellow", "wrong": "red", "unknown": "cyan"}
STATE_WIDTH, CHECK_WIDTH = 9, 14
#: Of findings that ask for the same, for people.
SHOWN = 5


def doctor_says(terminal: Terminal, variables: Sequence[str], usual: Path) -> None:
    """Show every finding; ends the process with 1 when something is wrong, with 2 when the settings are.

    Raises ConfigError for people, who get it as every command shows it.
    """
    try:
        config = terminal.config
    except ConfigError as error:
        if not terminal.screen.as_json:
            raise
        _show(terminal, not_read(error.problems))
        sys.exit(USAGE)
    findings = alone(lambda: _examine(config, variables, usual, _server(terminal)))
    _show(terminal, findings)
    if not is_ok(findings):
        sys.exit(REFUSED)


def _server(terminal: Terminal) -> ServerFacts | None:
    try:
        return read_server_facts(terminal.server.get("doctor"))
    except (NotReachable, RefusedByServer):
        return None


async def _examine(config: Config, variables: Sequence[str], usual: Path, server: ServerFacts | None) -> list[Finding]:
    file = file_facts(config, variables, usual)
    return await examine(config, file, SystemClock(), await _database(config), server)


async def _database(config: Config) -> DatabaseAnswer | Sentence:
    """What it says, or why it says nothing."""
    which: Value = described(config.database.url, config.private_database)
    if not config.database.url:
        which = sentence("database.private", directory=str(config.private_database.resolve()))
    try:
        with trio.fail_after(DATABASE_S):
            async with opened_database(config, beside=True) as url, open_pool(url, size=1) as pool:
                return await ask_database(pool, which, SystemClock(), is_private=not config.database.url)
    except ConfigError:
        return sentence("database.none", directory=str(config.state_dir.absolute()))
    except DatabaseUnavailable as error:
        return sentence("database.reason", reason=error.message)
    except trio.TooSlowError:
        return sentence("database.silent", which=which, seconds=f"{DATABASE_S:g}")


def _show(terminal: Terminal, findings: Sequence[Finding]) -> None:
    screen = terminal.screen
    if screen.as_json:
        english = load(FALLBACK, DOCTOR)
        screen.show({"ok": is_ok(findings), "checks": [_for_scripts(each, english) for each in findings]}, "")
        return
    texts, blank = terminal_findings(), " " * (STATE_WIDTH + CHECK_WIDTH)
    for (check, state, do), alike in groupby(findings, lambda each: (each.check, each.state, each.do)):
        found = [in_words(each.found, texts) for each in alike]
        head = f"{texts.word('states', state):{STATE_WIDTH}}{check:{CHECK_WIDTH}}"
        for text in found[:SHOWN]:
            screen.line(f"{head}{text}", colour=STATE_COLOURS[state], indent=len(blank))
        if len(found) > SHOWN:
            screen.line(blank + in_words(sentence("more", count=len(found) - SHOWN), texts))
        if do:
            screen.line(f"{blank}→ {in_words(do, texts)}", indent=len(blank))


def _for_scripts(finding: Finding, english: Catalogue) -> dict[str, str]:
    """English in every terminal: what a script keeps or searches for does not change with who runs it."""
    do = in_words(finding.do, english) if finding.do else ""
    return {"check": finding.check, "state": finding.state, "found": in_words(finding.found, english), "do": do}
