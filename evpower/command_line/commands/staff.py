"""`evpower staff`: the people who run the network, and their second factors."""

from __future__ import annotations

import click

from evpower.command_line.columns import Column
from evpower.command_line.terminal import Terminal, terminal_command

COLUMNS = (
    Column("id"),
    Column("role"),
    Column("is_active"),
    Column("phone"),
    Column("email"),
    Column("locations"),
    Column("has_second_factor"),
)
ROLES = click.Choice(["operator", "admin", "superadmin"])
PERSON = click.argument("user_id", metavar="ID")
LOCATION = click.argument("location_id", metavar="LOCATION")


@click.group()
def staff() -> None:
    """The people who run the network."""


@staff.command("list")
@terminal_command
def list_staff(terminal: Terminal) -> None:
    """Everyone, switched off ones too."""
    found = terminal.server.get("users", per_page=500)
    terminal.screen.rows(found["users"], COLUMNS, "nothing.staff")


@staff.command()
@click.option("--role", type=ROLES, required=True)
@click.option("--phone", metavar="+996…", help="Who signs in with this number is this person.")
@click.option("--id", "user_id", metavar="ID", help="The `sub` of their tokens (Supabase: the user's UUID).")
@click.option("--email")
@terminal_command
def add(terminal: Terminal, role: str, phone: str | None, user_id: str | None, email: str | None) -> None:
    """Add a person: known by --phone, by --id, or by both."""
    body = {"role": role, "phone": phone, "email": email}
    terminal.screen.facts(terminal.server.post("users", body=body if user_id is None else {**body, "id": user_id}))


@staff.command()
@PERSON
@click.option("--role", type=ROLES)
@click.option("--phone", metavar="+996…")
@click.option("--email")
@terminal_command
def change(terminal: Terminal, user_id: str, **fields: str | None) -> None:
    """Change what is named of a person."""
    body = {name: value for name, value in fields.items() if value is not None}
    if not body:
        raise click.UsageError(terminal.texts("usage.role_phone_email"))
    terminal.screen.facts(terminal.server.put("users", user_id, body=body))


@staff.command()
@PERSON
@terminal_command
def disable(terminal: Terminal, user_id: str) -> None:
    """Refuse a person from the next request on; their past stays."""
    terminal.screen.facts(terminal.server.delete("users", user_id))


@staff.command()
@PERSON
@terminal_command
def enable(terminal: Terminal, user_id: str) -> None:
    """Let a person in again."""
    terminal.screen.facts(terminal.server.post("users", user_id, "activate"))


@staff.command()
@PERSON
@LOCATION
@terminal_command
def grant(terminal: Terminal, user_id: str, location_id: str) -> None:
    """Give a location, with its stations, to an operator."""
    terminal.screen.facts(terminal.server.put("users", user_id, "locations", location_id, body={}))


@staff.command()
@PERSON
@LOCATION
@terminal_command
def withdraw(terminal: Terminal, user_id: str, location_id: str) -> None:
    """Take a granted location away."""
    terminal.screen.facts(terminal.server.delete("users", user_id, "locations", location_id))


@staff.command()
@PERSON
@terminal_command
def totp(terminal: Terminal, user_id: str) -> None:
    """Give a person a second factor, in place of any: shown once, for an authenticator app.

    With --json nothing is asked: confirm it with `evpower staff confirm`.
    """
    terminal.screen.facts(terminal.server.post("users", user_id, "totp"))
    if not terminal.screen.as_json:
        _confirm(terminal, user_id)


@staff.command()
@PERSON
@terminal_command
def link(terminal: Terminal, user_id: str) -> None:
    """A link that signs a person in to the operators' pages, once, within half an hour."""
    terminal.screen.facts(terminal.server.post("users", user_id, "link"))


@staff.command()
@PERSON
@terminal_command
def confirm(terminal: Terminal, user_id: str) -> None:
    """Switch a second factor on: asks for a code of the authenticator app."""
    _confirm(terminal, user_id)


def _confirm(terminal: Terminal, user_id: str) -> None:
    code = click.prompt(terminal.texts("code"), hide_input=True, err=True)
    terminal.screen.facts(terminal.server.post("users", user_id, "totp", "confirm", body={"code": code}))
