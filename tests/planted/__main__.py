"""`python -m tests.planted [LINE …]`: whether each planted bug is seen by the test that is named for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import pytest

from tests.planted.bugs import BUGS, ROOT, Bug


def pytest_with(*arguments: str) -> int:
    """The exit code of a run of its own."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments]
    return subprocess.run(command, check=False, cwd=ROOT, capture_output=True).returncode


def is_seen(line: str, bug: Bug) -> bool:
    """Whether the test fails with the bug: it ran, and was not merely broken."""
    code = pytest_with("-p", "tests.planted.plugin", "--planted", line, bug.test)
    return code == pytest.ExitCode.TESTS_FAILED


def main(lines: Sequence[str]) -> int:
    """How many were not seen."""
    wanted = {line: BUGS[line] for line in lines or BUGS}
    if pytest_with(*(bug.test for bug in wanted.values())) != pytest.ExitCode.OK:
        sys.stdout.write("the tests fail without any bug\n")
        return 1
    unseen = 0
    for line, bug in wanted.items():
        seen = is_seen(line, bug)
        unseen += not seen
        sys.stdout.write(f"{line}: {bug.what}: {'seen' if seen else 'NOT SEEN'} by {bug.test}\n")
        sys.stdout.flush()
    return unseen


if __name__ == "__main__":
    sys.exit(min(1, main(sys.argv[1:])))
