"""What `--help` says, in the terminal's language: the docstrings and option texts in the code are its English."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from evpower.command_line.language import terminal_help
from evpower.texts.catalogue import Catalogue

ROOT = "evpower"


class TranslatedGroup(click.Group):
    """The parser as a whole; each run of it takes the language of its terminal."""

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        """As click does, with every text in the language that the environment names now."""
        translate(self, terminal_help())
        return super().make_context(*arguments, **extra)


def translate(root: click.Group, texts: Catalogue) -> None:
    """Give every command and every option its text. Raises KeyError for one that the catalogue does not know."""
    for path, context in commands(root):
        context.command.help = texts(f"commands.{path or ROOT}")
        for option in options(context):
            option.help = texts(option_key(texts, path, option))


def commands(
    command: click.Command, above: click.Context | None = None, path: str = ""
) -> Iterator[tuple[str, click.Context]]:
    """Every command in its context, with its path, `session show`; that of the root is empty."""
    context = click.Context(command, above, **command.context_settings)
    yield path, context
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from commands(each, context, f"{path} {name}".strip())


def options(context: click.Context) -> Iterator[click.Option]:
    """Those that say what they are for, `--help` too."""
    for each in context.command.get_params(context):
        if isinstance(each, click.Option) and each.help:
            yield each


def option_key(texts: Catalogue, path: str, option: click.Option) -> str:
    """An option's own text, or the one that it shares with those of its name."""
    name = next(each for each in option.opts if each.startswith("--"))
    own = f"options.{path} {name}"
    return own if own in texts else f"options.{name}"
