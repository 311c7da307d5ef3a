"""The pages agree with the code: links, commands, the table of OCPP actions, the list of shields."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest

from evpower.billing.rows.ledger import CHECKS
from evpower.cli import main
from evpower.ocpp.v16.actions import ACTIONS
from evpower.ocpp.v16.commands.schemas import COMMANDS
from evpower.ocpp.v16.dialect import OCPP_16

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
#: `evpower session stop` in a sentence or an example; a following word in capitals, an option or a path is an argument.
COMMAND = re.compile(r"(?:^|[`/ ])evpower((?: [a-z]+(?:-[a-z]+)*)+)", re.MULTILINE)
OURS_TO_SAY = "To chargers"


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are made on the web."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def unknown_commands(text: str) -> list[str]:
    """What is written like a command in code and is none."""
    blocks = re.findall(r"```(?:[a-z]+)?\n(.*?)```", text, re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    written = [found.strip() for found in COMMAND.findall("\n".join([*blocks, *inline]))]
    return [words for words in written if not is_command(words)]


def is_command(written: str) -> bool:
    """Whether the words lead to a command; words after it are its arguments."""
    command: click.Command = main
    for word in written.split():
        if not isinstance(command, click.Group):
            return True
        if word not in command.commands:
            return False
        command = command.commands[word]
    return True


def action_rows() -> dict[str, dict[str, list[str]]]:
    """The rows of docs/ocpp-support.md by heading and action."""
    rows: dict[str, dict[str, list[str]]] = {}
    heading = ""
    for line in (ROOT / "docs/ocpp-support.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif (found := re.match(r"\| ([A-Z]\w+) \| (.+) \|$", line)) and found[1] != "Action":
            rows.setdefault(heading, {})[found[1]] = [cell.strip() for cell in found[2].split(" | ")]
    return rows


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_named_exists(page: Path) -> None:
    assert unknown_commands(page.read_text(encoding="utf-8")) == []


def test_a_command_that_does_not_exist_is_found() -> None:
    assert unknown_commands("`evpower session burn ID`, `.venv/bin/evpower ledger check`") == ["session burn"]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_file_named_in_code_exists(page: Path) -> None:
    """Paths from the root of the project, such as `evpower/server/app.py`."""
    paths = re.findall(r"`((?:evpower|tests|config|docs|benchmarks)/[\w./-]+)`", page.read_text(encoding="utf-8"))
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_action_a_charger_may_send_has_a_row() -> None:
    """Handled ones with what we do, the others named NotSupported."""
    rows = action_rows()["From chargers"]
    refused = {action for action, cells in rows.items() if cells[0].startswith("NotSupported")}
    assert rows.keys() - refused == ACTIONS.keys()
    assert rows.keys() <= OCPP_16.known_actions


def test_every_command_of_ours_has_a_row() -> None:
    rows = action_rows()[OURS_TO_SAY]
    unsent = {action for action, cells in rows.items() if cells[0].startswith("not sent")}
    assert rows.keys() - unsent == set(COMMANDS)


def test_every_action_of_the_standard_has_a_row() -> None:
    rows = action_rows()
    assert rows["From chargers"].keys() | rows[OURS_TO_SAY].keys() == OCPP_16.known_actions


def test_every_check_of_the_ledger_is_listed() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    listed = page.partition("### Invariants")[2].partition("\n## ")[0]
    assert len(re.findall(r"^\d+\. ", listed, re.MULTILINE)) == len(CHECKS)


def test_every_direct_dependency_is_explained() -> None:
    """With the version the lock has."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Dependencies")[2]
    for requirement in project["dependencies"]:
        package = re.split(r"[\[<>=~ ]", requirement)[0]
        row = re.search(rf"^\|[^|]*\b{package}\b[^|]*\|[^|]*\|", table, re.MULTILINE)
        assert row is not None, package
        locked = re.search(rf"^{package}==([^ ;\\]+)", lock, re.MULTILINE)
        assert locked is not None, package
        assert locked[1] in row[0], package


def test_every_shield_is_explained() -> None:
    """Each file that shields is in ARCHITECTURE's table."""
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    listed = page.partition("### What is shielded")[2].partition("\n## ")[0]
    for path in sorted((ROOT / "evpower").rglob("*.py")):
        if "simulator" not in path.parts and "shield=True" in path.read_text(encoding="utf-8"):
            assert f"`{path.relative_to(ROOT / 'evpower')}`" in listed
