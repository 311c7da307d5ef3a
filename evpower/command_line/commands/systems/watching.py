"""`evpower events`, `evpower hours`, `evpower station availability`: what was done, and how well the network ran."""

from __future__ import annotations

import click

from evpower.command_line.columns import Column
from evpower.command_line.commands.station import station
from evpower.command_line.completion import complete
from evpower.command_line.listing import Wanted, listing
from evpower.command_line.terminal import Terminal, terminal_command

EVENT_COLUMNS = (
    Column("at", "when", rank=0),
    Column("who", rank=0),
    Column("door", rank=2),
    Column("kind", rank=1),
    Column("target", rank=0),
    Column("what", rank=0, is_text=True),
    Column("outcome", rank=1),
)
HOUR_COLUMNS = (
    Column("hour", rank=0),
    Column("uptime", rank=0),
    Column("starts_asked"),
    Column("starts_reached"),
    Column("charges", rank=0),
    Column("energy_wh", "wh", rank=0),
    Column("revenue_som", rank=0),
    Column("topped_up_som"),
)
OUTAGE_COLUMNS = (
    Column("began_at", rank=0),
    Column("ended_at", rank=0),
    Column("cause", rank=0),
    Column("close_code"),
)


@click.command()
@listing("station", "since")
def events(terminal: Terminal, wanted: Wanted) -> None:
    """Who did what, and what stations reported of themselves, newest first."""
    asked = wanted.query(terminal)
    found = terminal.server.get("events", **{"from" if name == "since" else name: each for name, each in asked.items()})
    terminal.screen.rows(found["events"], EVENT_COLUMNS, "nothing.events")
    wanted.note_cut(terminal, len(found["events"]))


@click.command()
@click.option("--hours", type=click.IntRange(1, 24 * 31), default=24, help="So many, the present one included.")
@terminal_command
def hours(terminal: Terminal, hours: int) -> None:
    """The network hour by hour: uptime, starts, charges, energy, revenue."""
    terminal.screen.rows(terminal.server.get("hours", hours=hours), HOUR_COLUMNS, "nothing.hours")


@station.command("availability")
@click.argument("station_id", metavar="STATION", shell_complete=complete("stations"))
@click.option("--days", type=click.IntRange(1, 60), default=30, help="So many, today included.")
@terminal_command
def availability(terminal: Terminal, station_id: str, days: int) -> None:
    """How much of the time STATION was heard of, and each time that it was not."""
    whole_id = terminal.server.whole_id("stations", station_id)
    found = terminal.server.get("stations", whole_id, "availability", days=days)
    if terminal.screen.as_json:
        terminal.screen.facts(found)
        return
    terminal.screen.facts({name: found[name] for name in ("station_id", "uptime")})
    terminal.screen.rows(found["outages"], OUTAGE_COLUMNS, "nothing.outages")
