"""`make simulate` as the tests start it: in a process of its own, on the tests' PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.worlds.postgres import OUTSIDE, TEMPLATE_OUTSIDE

ROOT = Path(__file__).parents[2]
#: Far beyond the few seconds that they take: a machine may be busy.
WITHIN_S = 800
#: The tests' PostgreSQL, and its migrated database.
Server = tuple[str, str]


def begin(server: Server, *options: str, stdin: int | None = None) -> subprocess.Popen[str]:
    """`make simulate` in a process of its own."""
    url, template = server
    environment = {**os.environ, OUTSIDE: url, TEMPLATE_OUTSIDE: template, "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "tests.simulation", *options]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdin=stdin, stdout=subprocess.PIPE, text=True)


def output(process: subprocess.Popen[str]) -> str:
    """All it said, with its exit code."""
    said, _ = process.communicate(timeout=WITHIN_S)
    return f"{said}exit={process.returncode}"
