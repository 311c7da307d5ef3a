"""Two releases of the page: this tree's, and the next one, which has a migration that the first one does not know."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import evpower
from tests.guide.page import ROOT

#: The version that the page begins with, and the one it upgrades to.
OLDER = evpower.__version__
NEWER = "1.1.0"
BESIDE_THE_WHEEL = ("requirements.lock", "evpower.service", "config")
VERSION = re.compile(rf'^((?:__)?version(?:__)? = )"{re.escape(OLDER)}"', re.MULTILINE)
#: What a wheel is built from.
SOURCES = ("evpower", "pyproject.toml", "README.md", "LICENSE", "NOTICE", "requirements.lock")
#: On the rows of the charge that runs: a column for each of them, a value that is counted, and an index.
MIGRATION = "9001_of_the_next_version.sql"
MIGRATION_SQL = """
ALTER TABLE public.charging_sessions ADD COLUMN of_the_next_version bigint NOT NULL DEFAULT 0;
UPDATE public.charging_sessions SET of_the_next_version = 1;
CREATE INDEX ON public.charging_sessions (of_the_next_version);
"""


def put_release(folder: Path, version: str, placed: Callable[[str], str]) -> None:
    """A release in a new folder: its wheel and what lies beside it, which names paths and ports as the page does."""
    folder.mkdir()
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        _copy(ROOT / name, source / name)
    if version != OLDER:
        _make_newer(source, version)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, check=True, cwd=source, capture_output=True)
    shutil.rmtree(source)
    for name in BESIDE_THE_WHEEL:
        _copy(ROOT / name, folder / name)
    written = [each for each in (folder / "config").rglob("*") if each.is_file()]
    for file in (folder / "evpower.service", *written):
        file.write_text(placed(file.read_text(encoding="utf-8")), encoding="utf-8")


def _make_newer(source: Path, version: str) -> None:
    (source / "evpower/db/migrations" / MIGRATION).write_text(MIGRATION_SQL, encoding="utf-8")
    for file in (source / "pyproject.toml", source / "evpower/__init__.py"):
        text = file.read_text(encoding="utf-8")
        changed = re.sub(
            rf'^((?:__)?version(?:__)? = )"{re.escape(OLDER)}"', rf'\g<1>"{version}"', text, flags=re.MULTILINE
        )
        assert changed != text, f"{file.name} names no version"
        file.write_text(changed, encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)
