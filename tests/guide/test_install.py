"""The install guide does what it says: its own commands, one after the other, on a machine with nothing on it.

A charge runs through a restore, an upgrade whose version migrates, the way back and the upgrade of one process beside
another; its bill is that of what it delivered.
`make guide` does it with every Python there is, with whole installations, as root and as an ordinary user.
"""

from __future__ import annotations

import pytest

from tests.guide.machine import machine
from tests.guide.outcome import complaints
from tests.guide.page import blocks

#: In this order: the second page's commands find the network that the first one made.
PAGES = ("docs/install.md", "docs/operating.md")


@pytest.mark.external
@pytest.mark.timeout(900)
def test_every_command_of_the_pages_works() -> None:
    runnable = [block for page in PAGES for block in blocks(page) if block.runs]
    with machine() as made:
        ran = made.run(runnable, as_anybody=False)
    assert list(complaints(ran)) == [], ran.output[-8000:] + ran.logs
    assert ran.output.count("### ") >= len(runnable)
