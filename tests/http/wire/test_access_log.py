"""The line operators grep (contract/rest-api §1.10), and what must never be in it."""

from __future__ import annotations

import logging
import re

import pytest

from tests.http.fakes import OWNER, STATION, Phone, World

START = "/api/v1/charging/start"
ORDER = {"client_id": OWNER, "station_id": STATION, "connector_id": 1}
FORMAT = logging.Formatter("[%(asctime)s] %(levelname)s - %(message)s", "%Y-%m-%d %H:%M:%S")


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="evpower.http")
    return caplog


def lines(log: pytest.LogCaptureFixture) -> list[str]:
    """The log as the root formatter writes it, one grep-able line each."""
    return "\n".join(FORMAT.format(record) for record in log.records).splitlines()


async def test_a_request_is_one_line_of_the_contract(client: Phone, log: pytest.LogCaptureFixture) -> None:
    await client.post(START, json=ORDER, scope_base={"client": ("192.168.1.100", 5000)})
    (line,) = lines(log)
    assert re.fullmatch(
        r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] INFO - "
        r"POST /api/v1/charging/start - 200 OK - \d+ms - IP: 192\.168\.1\.100 - ID: [A-Za-z0-9._-]+",
        line,
    )


async def test_grep_finds_the_accepted_starts(client: Phone, log: pytest.LogCaptureFixture) -> None:
    """grep "POST /api/v1/charging/start" | grep "200 OK"."""
    await client.post(START, json=ORDER)
    await client.post(START, data=b"{")
    assert len([line for line in lines(log) if "POST /api/v1/charging/start" in line and "200 OK" in line]) == 1


@pytest.mark.parametrize(
    ("path", "words"),
    [("/nowhere", "404 Not"), (START, "405 Method"), ("/version", "200 OK"), ("/api/v1/balance/a.b", "400 Bad")],
)
async def test_grep_finds_status_words(client: Phone, log: pytest.LogCaptureFixture, path: str, words: str) -> None:
    r"""grep -oP '\d{3} \w+'."""
    await client.get(path)
    assert words in re.findall(r"\d{3} \w+", lines(log)[-1])


async def test_grep_error_finds_a_failure_with_its_traceback(
    world: World, client: Phone, log: pytest.LogCaptureFixture
) -> None:
    """grep ERROR."""
    world.charging.start_answer = KeyError("the cause")
    await client.post(START, json=ORDER)
    assert any("ERROR" in line for line in lines(log))
    assert any("KeyError: 'the cause'" in line for line in lines(log))
    assert "500 Internal Server Error" in lines(log)[-1]


async def test_a_refusal_is_no_error(client: Phone, log: pytest.LogCaptureFixture) -> None:
    await client.post("/api/v1/charging/stop", json={"session_id": "nobody"})
    assert not [line for line in lines(log) if "ERROR" in line]


async def test_secrets_stay_out_of_the_log(world: World, client: Phone, log: pytest.LogCaptureFixture) -> None:
    world.charging.start_answer = KeyError("bug")
    headers = {"Authorization": "Bearer hush", "Cookie": "evp_access=hush"}
    await client.post(f"{START}?token=hush", json=ORDER, headers=headers)
    assert "hush" not in "\n".join(lines(log))


async def test_a_path_cannot_write_a_line_of_its_own(client: Phone, log: pytest.LogCaptureFixture) -> None:
    path = "/api/v1/balance/x%0A[2025-09-30 12:34:56] ERROR - all is lost"
    await client.get(path)
    assert len(lines(log)) == 1


@pytest.mark.parametrize(
    ("peer", "forwarded", "logged"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("127.0.0.1", "10.0.0.1, 198.51.100.1", "198.51.100.1"),
        ("::1", "2001:db8::1", "2001:db8::1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("local", "198.51.100.1", "local"),
    ],
)
async def test_only_a_proxy_on_this_machine_may_name_the_client(
    client: Phone, log: pytest.LogCaptureFixture, peer: str, forwarded: str, logged: str
) -> None:
    await client.get("/version", headers={"X-Forwarded-For": forwarded}, scope_base={"client": (peer, 1)})
    assert lines(log)[-1].partition(" - ID: ")[0].endswith(f" - IP: {logged}")
