"""The searches that docs/operating.md gives find their lines, 404s and 500s among them, in a log of real requests."""

from __future__ import annotations

import logging
import subprocess
from pathlib import Path

import pytest

from evpower.server.log_lines import LineFormatter
from tests.guide.page import blocks
from tests.http.fakes import OWNER, STATION, Phone, World

pytestmark = pytest.mark.external
START = "/api/v1/charging/start"
ORDER = {"client_id": OWNER, "station_id": STATION, "connector_id": 1}
GREPS = [
    line.partition("   #")[0].rstrip()
    for block in blocks("docs/operating.md")
    if block.info == "sh grep"
    for line in block.text.splitlines()
]


def grep(part: str) -> str:
    """The one documented search with this in it."""
    (found,) = [each for each in GREPS if part in each]
    return found


def found(command: str, folder: Path) -> list[str]:
    done = subprocess.run(["bash", "-c", command], check=False, cwd=folder, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.fixture
async def app_log(world: World, client: Phone, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> Path:
    """The folder of a log: a start, an unknown path, a wrong method, and a start that failed by a fault of ours."""
    caplog.set_level(logging.INFO, logger="evpower.http")
    await client.post(START, json=ORDER)
    await client.get("/nothing/here")
    await client.get(START)
    world.charging.start_answer = KeyError("the cause")
    await client.post(START, json=ORDER)
    formatter = LineFormatter()
    text = "".join(f"{formatter.format(record)}\n" for record in caplog.records)
    (tmp_path / "app.log").write_text(text, encoding="utf-8")
    return tmp_path


async def test_answers_are_counted_by_status(app_log: Path) -> None:
    counted = [line.split() for line in found(grep("uniq -c"), app_log)]
    assert counted == [["1", "200"], ["1", "404"], ["1", "405"], ["1", "500"]]


async def test_what_failed_on_our_side_is_found(app_log: Path) -> None:
    (line,) = found(grep("5\\d\\d"), app_log)
    assert f"POST {START} - 500 Internal Server Error - " in line


async def test_faults_and_accepted_starts_are_found(app_log: Path) -> None:
    assert any("ERROR" in line for line in found(grep("grep ERROR"), app_log))
    (line,) = found(grep("200 OK"), app_log)
    assert START in line


@pytest.mark.parametrize("command", GREPS)
async def test_every_search_is_one_that_grep_takes(app_log: Path, command: str) -> None:
    assert len(found(command, app_log)) <= 5
