"""`evpower power`: sites with a limit, and who may draw what there."""

from __future__ import annotations

from typing import TextIO

import click
import msgspec

from evpower.command_line.columns import Column
from evpower.command_line.terminal import Terminal, terminal_command

GROUPS = (
    Column("id", rank=0),
    Column("name", rank=0, is_text=True),
    Column("parent_id"),
    Column("location_id", rank=2),
    Column("limit_a", rank=0),
    Column("limit_kw", rank=0),
    Column("failsafe_a"),
    Column("active"),
    Column("warnings", is_text=True),
)
NOW = (
    Column("station_id", rank=0),
    Column("connector_id", rank=0),
    Column("charging"),
    Column("online"),
    Column("obeys"),
    Column("wanted_a"),
    Column("granted_a", rank=0),
    Column("measured_a", rank=0),
    Column("possible_a"),
    Column("paused_since", rank=2),
)


@click.group()
def power() -> None:
    """Sites with a limit, and who may draw what there."""


@power.command("list")
@terminal_command
def list_groups(terminal: Terminal) -> None:
    """Every group, with its limit and what asks for a look."""
    terminal.screen.rows(terminal.server.get("power-groups"), GROUPS, "nothing.power")


@power.command("state")
@click.argument("group_id", metavar="ID", type=click.IntRange(1))
@terminal_command
def show_state(terminal: Terminal, group_id: int) -> None:
    """The connectors of a group's site: granted, measured, and whether they obey."""
    state = terminal.server.get("power-groups", group_id, "state")
    terminal.screen.rows(state["members"], NOW, "nothing.power")


@power.command("write")
@click.argument("file", type=click.File())
@click.option("--group", "group_id", type=click.IntRange(1), help="This group; without it a new one.")
@terminal_command
def write_group(terminal: Terminal, file: TextIO, group_id: int | None) -> None:
    """Make a group of FILE (JSON, as docs/power.md has it; - is standard input), or write one anew."""
    try:
        body = msgspec.json.decode(file.read())
    except msgspec.DecodeError as error:
        raise click.BadParameter(str(error), param_hint="FILE") from None
    if group_id is None:
        written = terminal.server.post("power-groups", body=body)
    else:
        written = terminal.server.put("power-groups", group_id, body=body)
    terminal.screen.rows([written], GROUPS, "nothing.power")


@power.command("limit")
@click.argument("group_id", metavar="ID", type=click.IntRange(1))
@click.option("--kw", "limit_kw", type=float, help="In kW of all phases.")
@click.option("--a", "limit_a", type=float, help="In A of each phase.")
@click.option("--until", "valid_until", required=True, help="Until this moment (ISO 8601).")
@terminal_command
def limit_group(
    terminal: Terminal, group_id: int, limit_kw: float | None, limit_a: float | None, valid_until: str
) -> None:
    """A limit from outside; the smaller of it and the own one counts until then."""
    limits = {"limit_kw": limit_kw, "limit_a": limit_a}
    body = {name: value for name, value in limits.items() if value is not None} | {"valid_until": valid_until}
    written = terminal.server.put("power-groups", group_id, "limit", body=body)
    terminal.screen.rows([written], GROUPS, "nothing.power")


@power.command("delete")
@click.argument("group_id", metavar="ID", type=click.IntRange(1))
@terminal_command
def delete_group(terminal: Terminal, group_id: int) -> None:
    """Its connectors are limited no more."""
    terminal.screen.rows(terminal.server.delete("power-groups", group_id), GROUPS, "nothing.power")
