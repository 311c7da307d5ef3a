"""The install guide does what it says: its own commands, one after the other, on a machine with nothing on it.

`make guide` does it with every Python there is, with whole installations, as root and as an ordinary user.
"""

from __future__ import annotations

import pytest

from tests.guide.machine import machine
from tests.guide.page import blocks

PAGE = "docs/install.md"


@pytest.mark.external
@pytest.mark.timeout(900)
@pytest.mark.parametrize("as_anybody", [False, True], ids=["as whoever tests", "as an ordinary user"])
def test_every_command_of_the_guide_works(as_anybody: bool) -> None:
    runnable = [block for block in blocks(PAGE) if block.runs]
    with machine() as made:
        ran = made.run(runnable, as_anybody=as_anybody)
    assert ran.exit_code == 0, ran.output[-8000:]
    assert ran.output.count("### ") >= len(runnable)
