"""`python -m tests.guide [3.11 …]`: the pages' commands with every Python there is, whole installations, as root and as
anybody.

Needs curl and openssl; as root, `unshare` for the ordinary user.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.guide.machine import machine
from tests.guide.outcome import complaints
from tests.guide.page import blocks
from tests.guide.test_install import PAGES

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
VERSION = "import sys; print(sys.executable if sys.version_info[:2] == tuple(map(int, sys.argv[1].split('.'))) else '')"


def pythons(versions: Sequence[str]) -> Iterator[str]:
    """One of each version: of PATH, or of the versions beside this one (pyenv)."""
    beside = Path(os.path.realpath(sys.executable)).parents[2]
    for version in versions:
        for candidate in (shutil.which(f"python{version}"), *map(str, sorted(beside.glob(f"{version}.*/bin/python3")))):
            if candidate is None:
                continue
            asked = subprocess.run([candidate, "-c", VERSION, version], check=False, capture_output=True, text=True)
            if asked.stdout.strip():
                yield asked.stdout.strip()
                break


def main() -> int:
    runnable = [block for page in PAGES for block in blocks(page) if block.runs]
    failed = 0
    for python in pythons(sys.argv[1:] or VERSIONS):
        for as_anybody in (False, True) if os.getuid() == 0 else (True,):
            user = "an ordinary user" if as_anybody else "root"
            with machine(python, borrows=False) as made:
                ran = made.run(runnable, as_anybody=as_anybody)
            wrong = list(complaints(ran))
            failed += bool(wrong)
            outcome = f"FAILED: {wrong}\n{ran.output[-6000:]}\n{ran.logs}" if wrong else "every command works"
            sys.stdout.write(f"{python}, {user}: {outcome}\n")
            sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
