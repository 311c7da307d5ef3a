"""A planted bug is seen, and no bug is not; each line of safe by default has one (safe by default 14)."""

from __future__ import annotations

import pytest

from tests.planted.__main__ import is_seen
from tests.planted.bugs import BUGS, ROOT, Bug

pytestmark = pytest.mark.external


def test_each_line_has_a_bug_and_a_test_that_exists() -> None:
    assert list(BUGS) == [str(line) for line in range(1, 15)]
    for bug in BUGS.values():
        file, _, name = bug.test.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), bug.test


def test_a_bug_is_seen_by_its_test() -> None:
    """The others: `make planted`."""
    assert is_seen("13", BUGS["13"])


def test_a_test_that_has_nothing_to_do_with_the_bug_does_not_see_it() -> None:
    unseen = Bug("", "", "tests/house/test_supply.py::test_the_lock_has_nothing_but_locked_versions")
    assert not is_seen("11", unseen)
