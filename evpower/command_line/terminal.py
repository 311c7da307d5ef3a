"""What a command is given, and the exit code of each way it can fail."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evpower.command_line.language import terminal_texts
from evpower.command_line.screen import NOT_REACHABLE, REFUSED, USAGE, Screen
from evpower.errors import ConfigError, EvPowerError
from evpower.texts.catalogue import Catalogue
from evpower.urls import without_password

if TYPE_CHECKING:
    from evpower.command_line.control import ControlClient
    from evpower.settings.config import Config


class Terminal:
    """What a command is given: the settings, the screen, the way to the server."""

    def __init__(self, screen: Screen, config_path: Path | None, socket: Path | None) -> None:
        self.screen = screen
        self.texts = screen.texts
        self._config_path = config_path
        self.socket = socket

    @functools.cached_property
    def config(self) -> Config:
        from evpower.settings.config import load

        return load(self._config_path, os.environ)

    @property
    def server(self) -> ControlClient:
        from evpower.command_line.control import SYSTEM_SOCKET, ControlClient, sockets_to_try

        return ControlClient(sockets_to_try(self.config, self.socket, SYSTEM_SOCKET))

    def confirm(self, key: str, /, **places: object) -> None:
        """Go on only when a person says yes to the question of `key`; a script says it with --yes.

        Raises Abort, and UsageError where nobody can be asked.
        """
        if self.screen.as_json or not sys.stdin.isatty():
            raise click.UsageError(self.texts("usage.confirm"))
        click.confirm(self.texts(key, **places), abort=True, err=True)

    def warn(self, warning: str) -> None:
        """A doubt, on standard error."""
        click.echo(self.texts("warning", message=warning), err=True)


_config_option = click.option("--config", "config_path", type=click.Path(path_type=Path), help="Settings (TOML).")


#: What a field of a JSON argument may be called that no argument may hold, in small letters.
SECRETS = frozenset({"password", "authorizationkey", "basicauthpassword", "securityctrlr.basicauthpassword"})


def asked_password() -> str:
    """A password: typed twice at a terminal, else the first line of standard input; `ps` shows neither.

    Raises UsageError when there is none.
    """
    texts = terminal_texts()
    if sys.stdin.isatty():
        typed: str = click.prompt(texts("password"), hide_input=True, confirmation_prompt=True)
        return typed
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise click.UsageError(texts("usage.no_password"))
    return line


def json_object(text: str) -> dict[str, Any]:
    """An argument in JSON; `-` is standard input, the only place for one with a secret.

    Raises UsageError for anything else, and for a secret among the arguments, where `ps` shows it.
    """
    value = _parsed(sys.stdin.read() if text == "-" else text)
    if not isinstance(value, dict):
        raise click.UsageError(terminal_texts()("usage.json_object"))
    if text != "-" and has_secret(value):
        raise click.UsageError(terminal_texts()("usage.password_is_no_argument"))
    return value


def has_secret(value: object) -> bool:
    """Whether a password is among these JSON values: under its own name, as the setting of a station, in a URL."""
    if isinstance(value, str):
        return without_password(value) != value
    if isinstance(value, dict):
        names = {str(name).strip().lower() for name in value}
        named = {str(value.get(each, "")).strip().lower() for each in ("key", "name")}
        return bool(SECRETS & (names | named)) or any(has_secret(each) for each in value.values())
    return isinstance(value, list) and any(has_secret(each) for each in value)


def _parsed(text: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        return None
    return value


def terminal_command(command: Callable[..., None]) -> Callable[..., None]:
    """The options every command of an operator has, and the exit code of each refusal."""

    @click.option("--json", "as_json", is_flag=True, help="Answer in JSON; times in it are UTC.")
    @click.option("--utc", is_flag=True, help="Times in UTC, not by the clocks of billing.timezone.")
    @click.option("--socket", type=click.Path(path_type=Path), help="The server's control socket.")
    @_config_option
    @functools.wraps(command)
    def with_options(as_json: bool, utc: bool, socket: Path | None, config_path: Path | None, **arguments: Any) -> None:
        screen = Screen(as_json, terminal_texts(), lambda: UTC if utc else terminal.config.billing.timezone)
        terminal = Terminal(screen, config_path, socket)
        try:
            command(terminal, **arguments)
        except EvPowerError as error:
            _end_with(screen, error)

    return with_options


def server_command(command: Callable[[Terminal], None]) -> Callable[..., None]:
    """A command that stays: its only option is where the settings are."""

    @_config_option
    @functools.wraps(command)
    def with_options(config_path: Path | None) -> None:
        screen = Screen(False, terminal_texts())
        try:
            command(Terminal(screen, config_path, None))
        except EvPowerError as error:
            _end_with(screen, error)

    return with_options


def _end_with(screen: Screen, error: EvPowerError) -> None:
    from evpower.command_line.control import AmbiguousId, NotReachable, RefusedByServer

    facts: dict[str, Any] = {"error": error.code, "message": error.message}
    texts = screen.texts
    lines = [texts("error", message=_sentence(error, texts))]
    if isinstance(error, ConfigError):
        screen.fail(
            USAGE, {**facts, "problems": error.problems}, (texts("error", message=line) for line in error.problems)
        )
    if isinstance(error, NotReachable):
        screen.fail(NOT_REACHABLE, facts, lines)
    if isinstance(error, AmbiguousId):
        facts["candidates"] = error.candidates
        lines += [f"  {each}" for each in error.candidates]
    if isinstance(error, RefusedByServer):
        facts = error.envelope
        lines += [f"  {each.get('field')}: {each.get('message')}" for each in _fields_of(facts)]
    screen.fail(REFUSED, facts, lines)


def _sentence(error: EvPowerError, texts: Catalogue) -> str:
    """In the terminal's language where the refusal is of the command itself; a server says its own sentence."""
    key = f"refusals.{error.code}"
    return texts(key, message=error.message) if key in texts else error.message


def _fields_of(envelope: dict[str, Any]) -> list[dict[str, Any]]:
    detail = envelope.get("detail")
    return [each for each in detail if isinstance(each, dict)] if isinstance(detail, list) else []
