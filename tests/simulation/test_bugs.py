"""Each planted bug is found: by the seeds that found it first, in this order, and fewer than four of them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from tests.simulation.bugs import BUGS
from tests.simulation.test_seeds import WITHIN_S, begin, output

pytestmark = pytest.mark.timeout(WITHIN_S + 60)

#: Which seeds, and how many hours each, and what one of them is to report.
FOUND_BY: Mapping[str, tuple[str, str, str]] = {
    "settle_twice": ("1", "0.1", "a hold that is not what its phase says"),
    "forget_a_refund": ("1", "0.25", "a hold that is not what its phase says"),
}


@pytest.mark.parametrize("bug", FOUND_BY)
def test_a_planted_bug_is_found(postgres_server: str, bug: str) -> None:
    seeds, hours, report = FOUND_BY[bug]
    said = output(begin(postgres_server, "--seeds", seeds, "--hours", hours, "--first", "--bug", bug))
    assert said.endswith("exit=1"), said
    assert re.search(report, said), said


def test_every_bug_named_here_is_planted() -> None:
    assert FOUND_BY.keys() <= BUGS.keys()
