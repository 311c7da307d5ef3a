"""The package as a house: small folders that say what they are, one name for one thing, pages that find their files."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "evpower"
FOLDERS = sorted({file.parent for file in PACKAGE.rglob("*.py")})
ROOMS = [folder for folder in FOLDERS if folder.parent == PACKAGE]
PAGES = sorted(
    [*(ROOT / f"{name}.md" for name in ("ARCHITECTURE", "CONTRIBUTING", "README")), *ROOT.glob("docs/**/*.md")]
)

FILES_MAX = 15
#: A path with at least one folder: `evpower/room/file.py`, or short `room/file.py`.
PATH = re.compile(r"(?<![\w./-])(?:\w+/)+\w+\.py\b")
#: Names that bind no type of their own.
VARIABLES = ("TypeVar", "TypeVarTuple", "ParamSpec")

WIRE = "OCPP-J's own word; the simulated peer shares no code with the server"
PARTS = "network_file: a part of the fleet file, as it is written there"
#: A type's name that several rooms give: the rooms, and why each may.
SHARED_NAMES = {
    "Answer": ("http ocpp", "http: a body with its status; ocpp: who answers a CALL"),
    "Call": ("ocpp simulator", WIRE),
    "CallError": ("ocpp simulator", WIRE),
    "CallResult": ("ocpp simulator", WIRE),
    "Card": ("payments tags", "payments: a bank's; tags: a driver's, which the charger reads"),
    "Client": ("billing network_file", PARTS),
    "Conversation": ("link ocpp", "link: a task that outlives its request; ocpp: one connection's trace"),
    "IdTag": ("identifiers network_file", PARTS),
    "Kind": ("cluster ocpp settings stations", "each room's own: of a command, an oddity, a setting, a transfer"),
    "OcppSettings": ("ocpp settings", "settings: the section as it is written; ocpp: what the door is given"),
    "Outcome": ("link payments", "link: of a command; payments: of a provider's call"),
    "Phase": ("charging payments", "charging: of a session; payments: of a top-up"),
    "Problem": ("network_file ocpp", "both: a field and what is wrong with it"),
    "Refusal": ("errors ocpp", "errors: of a start; ocpp: of a connection, counted"),
    "SampledValue": ("metering ocpp", "metering: the domain's; ocpp: the wire's"),
    "Verdict": ("ocpp payments", "ocpp: on a newcomer; payments: on a provider's answer"),
}

#: Where JSON is what it is about: doors, what shares no code with the server, settings, the driver.
OUTSIDE = ("http", "pages", "ocpp", "command_line", "simulator", "settings", "db")
RAW = "an action of any name with the payload an operator wrote"
JSON_BETWEEN = "what one process writes for another"
ROW = "still a row as it is stored"
#: Functions of rooms that hand a dict out all the same, and why each may.
DICTS = {
    "cluster/network_link.py command": RAW,
    "cluster/remote_commands.py read": JSON_BETWEEN,
    "cluster/remote_commands.py read_answer": JSON_BETWEEN,
    "cluster/remote_commands.py written_ask": JSON_BETWEEN,
    "link/ports.py command": RAW,
    "network_file/changes.py given_fields": "what an administrator wrote, before it is read",
    "security/certificates.py held": ROW,
    "security/rows/certificates.py list_certificates": ROW,
    "stations/commands.py send": RAW,
    "stations/configuration.py known": ROW,
    "stations/rows/configuration.py read_known": ROW,
}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def own_files(folder: Path) -> list[str]:
    """The modules of a folder itself, besides its `__init__`."""
    return sorted(file.name for file in folder.glob("*.py") if file.name != "__init__.py")


def docstring(folder: Path) -> str:
    """What a package's `__init__` says of it; nothing without one."""
    init = folder / "__init__.py"
    return (ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))) or "") if init.exists() else ""


def sentences(text: str) -> int:
    return len(re.findall(r"[.!?](?=\s|$)", text))


def public_types(tree: ast.Module) -> Iterator[str]:
    """Classes anywhere, and what a module binds by a name written like a class's: an alias, a NewType."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.name
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            target, called = node.targets[0].id, getattr(getattr(node.value, "func", None), "id", "")
            if re.match(r"[A-Z]\w*[a-z]", target) and called not in VARIABLES:
                yield target


def names_of_several_rooms() -> dict[str, str]:
    """Each public type's name that more than one room gives, with those rooms in order."""
    rooms = defaultdict(set)
    for file in PACKAGE.rglob("*.py"):
        room = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for each in public_types(ast.parse(file.read_text(encoding="utf-8"))):
            rooms[each].add(room)
    return {each: " ".join(sorted(of)) for each, of in rooms.items() if len(of) > 1}


def dicts_handed_out() -> set[str]:
    """Public functions of rooms whose answer is or holds a dict of anything."""
    found = set()
    for file in PACKAGE.rglob("*.py"):
        path = file.relative_to(PACKAGE)
        if path.parts[0] in OUTSIDE:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
                continue
            if node.returns is not None and "dict[str, Any]" in ast.unparse(node.returns):
                found.add(f"{path} {node.name}")
    return found


def missing_files(text: str) -> list[str]:
    """Paths of Python files that lead nowhere, neither from the root nor from the package."""
    named = sorted(set(PATH.findall(text)))
    return [path for path in named if not (ROOT / path).is_file() and not (PACKAGE / path).is_file()]


@pytest.mark.parametrize("folder", FOLDERS, ids=name)
def test_no_folder_holds_more_than_a_reader_can_look_over(folder: Path) -> None:
    assert len(own_files(folder)) <= FILES_MAX, own_files(folder)


@pytest.mark.parametrize("folder", FOLDERS, ids=name)
def test_every_folder_says_what_it_is(folder: Path) -> None:
    assert docstring(folder)


@pytest.mark.parametrize("room", ROOMS, ids=name)
def test_every_room_says_what_it_is_and_what_it_decides_or_leaves_to_others(room: Path) -> None:
    assert sentences(docstring(room)) >= 2


def test_two_rooms_give_no_types_the_same_name_without_a_reason() -> None:
    """An entry of the table that is not needed any more fails too."""
    assert names_of_several_rooms() == {each: rooms for each, (rooms, _) in SHARED_NAMES.items()}


def test_what_a_room_hands_out_has_a_type() -> None:
    """A dict of a row is not an answer: a renamed column would change what doors show. An entry of the table that is
    not needed any more fails too."""
    assert dicts_handed_out() == set(DICTS)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_python_file_a_page_names_exists(page: Path) -> None:
    """From the root (`evpower/server/app.py`) or from the package (`server/app.py`)."""
    assert missing_files(page.read_text(encoding="utf-8")) == []


def test_a_path_that_leads_nowhere_is_found() -> None:
    assert missing_files("`server/app.py`, evpower/server/nowhere.py, (rooms/app.py)") == [
        "evpower/server/nowhere.py",
        "rooms/app.py",
    ]
