"""`evpower completion`: what a shell needs to complete commands, options and ids."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

VARIABLE = "_EVPOWER_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion of SHELL; ids are completed while the server runs.

    bash: source it in ~/.bashrc. zsh: in ~/.zshrc. fish: write it to ~/.config/fish/completions/evpower.fish.
    """
    completer = get_completion_class(shell)
    assert completer is not None, "a shell of the choice"
    # What bash's own version check would ask bash for is older than any system that runs us.
    click.echo(ShellComplete.source(completer(context.find_root().command, {}, "evpower", VARIABLE)))
