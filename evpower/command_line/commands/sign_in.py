"""`evpower sign-in`: the keys that our own tokens are signed with."""

from __future__ import annotations

import click

from evpower.command_line.terminal import Terminal, terminal_command


@click.group("sign-in")
def sign_in() -> None:
    """Signing in by phone."""


@sign_in.command("rotate-key")
@click.option("--at-once", is_flag=True, help="The old key is out: no token of it counts any more.")
@terminal_command
def rotate_key(terminal: Terminal, at_once: bool) -> None:
    """Change the key that tokens are signed with; nobody has to sign in anew."""
    terminal.screen.facts(terminal.server.post("signing-keys", body={"at_once": at_once}))
