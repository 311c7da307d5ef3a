"""The script before the executable's content: unpacked once, trusted or left alone, and replaced by what it runs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from artefacts.executable import pack
from tests.artefacts.__main__ import NOBODY, home

pytestmark = pytest.mark.external

PROGRAM = """#!/bin/sh
echo "$$ $*"
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """An ordinary user's home; pytest's own folders are closed to it."""
    with TemporaryDirectory(prefix="evpower-") as place:
        Path(place).chmod(0o755)
        yield Path(place)


@pytest.fixture
def options(folder: Path) -> dict[str, Any]:
    return home(folder, as_ourselves=False)


def packed(folder: Path, name: str = "evpower") -> Path:
    content = folder / "content"
    content.mkdir(exist_ok=True)
    (content / "evpower").write_text(PROGRAM, encoding="utf-8")
    (content / "evpower").chmod(0o755)
    pack(content, folder / name, made_at=1_700_000_000)
    return folder / name


def start(executable: Path, options: dict[str, Any], *arguments: str, **environment: str) -> subprocess.Popen[str]:
    whole = {"PATH": os.environ["PATH"], "HOME": str(options["cwd"]), **environment}
    pipe = subprocess.PIPE
    return subprocess.Popen([executable, *arguments], stdout=pipe, stderr=pipe, text=True, env=whole, **options)


def run(executable: Path, options: dict[str, Any], **environment: str) -> tuple[int, str, str]:
    """Its exit code, and what it wrote to both."""
    process = start(executable, options, **environment)
    said, complaint = process.communicate(timeout=60)
    return process.returncode, said, complaint


def unpacked(place: Path) -> list[Path]:
    return sorted(place.glob("*")) + sorted(place.glob(".*"))


def test_the_same_content_gives_the_same_bytes(folder: Path) -> None:
    first = packed(folder).read_bytes()
    (folder / "content" / "evpower").touch()
    assert packed(folder, "again").read_bytes() == first


def test_it_becomes_what_it_carries(folder: Path, options: dict[str, Any]) -> None:
    """The same process id: what started it can watch and signal it. Arguments arrive whole."""
    process = start(packed(folder), options, "session", "stop", "a  b")
    said, complaint = process.communicate(timeout=60)
    assert (said, complaint, process.returncode) == (f"{process.pid} session stop a  b\n", "", 0)


def test_it_unpacks_once_and_two_at_once_make_one(folder: Path, options: dict[str, Any]) -> None:
    executable = packed(folder)
    both = [start(executable, options), start(executable, options)]
    complaints = [each.communicate(timeout=60)[1] for each in both]
    assert (complaints, [each.returncode for each in both]) == (["", ""], [0, 0])
    [directory] = unpacked(folder / ".cache" / "evpower")
    before = directory.stat().st_mtime_ns
    (directory / "evpower").write_text("#!/bin/sh\necho kept\n", encoding="utf-8")
    assert run(executable, options) == (0, "kept\n", "")
    assert directory.stat().st_mtime_ns == before


def test_a_service_unpacks_into_the_cache_that_systemd_gave_it(folder: Path, options: dict[str, Any]) -> None:
    cache = folder / "service"
    cache.mkdir()
    os.chown(cache, options.get("user", -1), options.get("group", -1))
    assert run(packed(folder), options, CACHE_DIRECTORY=f"{cache}:/another")[0] == 0
    assert len(unpacked(cache / "programs")) == 1


@pytest.mark.parametrize("how", ["written by others", *(["somebody else's"] if os.getuid() == 0 else [])])
def test_a_place_that_others_may_write_is_not_run_from(folder: Path, options: dict[str, Any], how: str) -> None:
    executable, place = packed(folder), folder / ".cache" / "evpower"
    assert run(executable, options)[0] == 0
    place.chmod(0o777)
    if how == "somebody else's":
        place.chmod(0o755)
        os.chown(place, NOBODY + 1, NOBODY + 1)
    code, said, complaint = run(executable, options)
    assert (code, said) == (1, "")
    assert "no place to unpack its programs to" in complaint
    assert str(place) in complaint


def test_a_file_that_was_cut_short_is_never_half_unpacked(folder: Path, options: dict[str, Any]) -> None:
    executable = packed(folder)
    executable.write_bytes(executable.read_bytes()[:-60])
    assert run(executable, options)[0] == 1
    assert unpacked(folder / ".cache" / "evpower") == []
