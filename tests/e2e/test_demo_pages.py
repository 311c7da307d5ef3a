"""What a newcomer sees on the operators' pages within ten seconds of the printed link (operator-pages §11)."""

from __future__ import annotations

import re
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import trio

from tests.e2e.process import Process, poll, start

pytestmark = pytest.mark.external
LINK_WITHIN_S = 120.0
SEEN_WITHIN_S = 10.0
LINK = re.compile(r"signed in as \S+:\s+(http://\S+)(/sign-in/\S+)")
#: Moving charges, a fault, a silent station, an estimated charge, a parked payment: as English words of the page.
WANTED = ("GroundFailure", "EVP-010-01 is offline", "was billed by estimate", "waits for a decision")


@pytest.fixture
def state_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="evpower-demo-", ignore_cleanup_errors=True) as directory:
        yield Path(directory)


async def linked(nursery: trio.Nursery, state_dir: Path) -> tuple[Process, str, str]:
    """A demo that has printed its link: where the pages are, and the path that signs in."""
    environment = {
        "EVPOWER_STATE_DIR": str(state_dir),
        "EVPOWER_HTTP_BIND": "127.0.0.1:0",
        "EVPOWER_OPERATOR_BIND": "127.0.0.1:0",
        "EVPOWER_OCPP_BIND": "127.0.0.1:0",
    }
    demo = await start(nursery, "demo", environment=environment)
    with trio.fail_after(LINK_WITHIN_S):
        line = await demo.wait_for_line("signed in as")
    found = LINK.search(line)
    assert found is not None, line
    return demo, found[1], found[2]


async def test_a_newcomer_sees_charges_that_move_and_everything_that_goes_wrong(
    state_dir: Path, nursery: trio.Nursery
) -> None:
    demo, url, path = await linked(nursery, state_dir)
    seen: list[str] = []
    powers = set[str]()
    async with httpx2.AsyncClient(base_url=url, headers={"Origin": url, "Accept-Language": "en"}) as browser:
        assert (await browser.post(path)).status_code == 303

        async def shows() -> bool:
            page = (await browser.get("/")).text
            running = page.partition('id="running"')[2]
            powers.update(re.findall(r"[\d.]+\N{NARROW NO-BREAK SPACE}kW\b", running))
            seen[:] = [words for words in WANTED if words not in page]
            return not seen and len(powers) > 1 and page.count('class="c"') > 1

        with trio.move_on_after(SEEN_WITHIN_S) as waiting:
            await poll(shows, 0.5)
        assert not waiting.cancelled_caught, (seen, powers)
    demo.process.send_signal(signal.SIGINT)
    with trio.fail_after(30):
        assert await demo.wait_for_exit() == 0
    assert not [line for line in demo.lines if "Traceback" in line]
