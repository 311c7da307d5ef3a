"""`evpower demo`, what a newcomer sees first: embedded PostgreSQL, the fleet of config/demo.toml, commands to try."""

from __future__ import annotations

import json
import re
import signal
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trio

from evpower.server.demo.bank import has_providers
from evpower.server.demo.street import DemoFleetMissing, _sms_for_show, run
from evpower.settings.addresses import Bind
from evpower.settings.config import Config
from evpower.settings.http import HttpSettings
from evpower.settings.ocpp import OcppSettings
from evpower.settings.payments import ObankSettings, OdengiSettings
from evpower.settings.sign_in import SmsSettings
from tests.e2e.process import Process, poll, start

pytestmark = pytest.mark.external
#: The test card that wants 3-D Secure.
CARD = (
    '"amount":50,"card_pan":"4169585587654321","card_name":"TEST CARD","card_cvv":"123","card_year":"25",'
    '"card_month":"12","email":"me@example.org"'
)
READY_WITHIN_S = 90.0
ENDED_WITHIN_S = 30.0


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """As open as a checkout; the server closes it to others (safe by default 11)."""
    with tempfile.TemporaryDirectory(prefix="evpower-demo-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)
        assert stat.S_IMODE(Path(directory).stat().st_mode) == 0o700


async def start_demo(nursery: trio.Nursery, state_dir: Path) -> Process:
    environment = {
        "EVPOWER_STATE_DIR": str(state_dir),
        "EVPOWER_HTTP_BIND": "127.0.0.1:0",
        "EVPOWER_OPERATOR_BIND": "",
        "EVPOWER_OCPP_BIND": "127.0.0.1:0",
    }
    demo = await start(nursery, "demo", environment=environment)
    with trio.fail_after(READY_WITHIN_S):
        await demo.wait_for_line("EvPower demo is ready")
        await demo.wait_for_line("ledger check")
    return demo


async def end_demo(demo: Process, number: signal.Signals) -> None:
    demo.process.send_signal(number)
    with trio.fail_after(ENDED_WITHIN_S):
        assert await demo.wait_for_exit() == 0
    assert demo.lines[-1] == "EvPower demo: ended."
    assert not [line for line in demo.lines if "Traceback" in line or "ERROR" in line]


async def shell(command: str) -> Any:
    """The JSON a printed command prints."""
    done = await trio.run_process(["/bin/sh", "-c", command], capture_stdout=True)
    return json.loads(done.stdout)


async def test_the_demo_s_printed_commands_work_and_it_ends_cleanly_and_starts_again(
    state_dir: Path, nursery: trio.Nursery
) -> None:
    demo = await start_demo(nursery, state_dir)
    commands = [line.strip() for line in demo.lines if line.startswith("  ") and ("curl" in line or "evpower" in line)]
    curl = {name: next(each for each in commands if f"/{name}" in each) for name in ("balance", "start", "stop")}
    look = next(each for each in commands if "/charging/status/" in each)
    assert (await shell(curl["balance"]))["balance"] == 1000
    started = await shell(curl["start"])
    assert started["success"], started
    session_id = started["session_id"]

    async def charges() -> bool:
        return bool((await shell(look.replace("SESSION_ID", session_id)))["energy_consumed"] > 0)

    with trio.fail_after(30):
        await poll(charges, 0.2)
    stopped = await shell(curl["stop"].replace("SESSION_ID", session_id))
    assert (stopped["status"], stopped["station_online"]) == ("stopped", True)
    [ledger] = [each for each in commands if re.search("ledger check", each)]
    assert (await shell(f"{ledger} --json"))["ok"]

    async def has_site() -> bool:
        groups = await shell(f"{ledger.replace('ledger check', 'power list')} --json")
        return [(each["limit_a"], len(each["members"])) for each in groups] == [(40, 6)]

    with trio.fail_after(30):
        await poll(has_site, 0.2)
    await end_demo(demo, signal.SIGINT)

    again = await start_demo(nursery, state_dir)
    balance = next(line.strip() for line in again.lines if "/balance/" in line)
    assert (await shell(balance))["balance"] == stopped["new_balance"]
    await end_demo(again, signal.SIGTERM)


def shown(command: str, commands: list[str]) -> str:
    return next(each for each in commands if command in each)


async def test_a_person_tops_up_in_the_demo_by_qr_code_and_by_card_with_no_bank_outside(
    state_dir: Path, nursery: trio.Nursery
) -> None:
    """As the README's tour does it: the printed curl, then the bank's own pages."""
    demo = await start_demo(nursery, state_dir)
    order = await shell(shown("topup-qr", demo.lines))
    assert order["success"], order
    [page_url] = [line.rsplit(" ", 1)[1] for line in demo.lines if "Pay or refuse at" in line]
    assert order["app_link"].startswith(page_url)
    async with httpx2.AsyncClient() as browser:
        assert order["invoice_id"] in (await browser.get(page_url)).text
        await browser.post(f"{order['app_link']}/approve")
    await balance_is(1100, demo)

    by_card = shown("topup-qr", demo.lines).replace("topup-qr", "topup-card").replace('"amount":100', CARD)
    challenge = await shell(by_card)
    assert challenge["requires_3ds"], challenge
    async with httpx2.AsyncClient() as browser:
        form = {"MD": challenge["md"], "TermUrl": challenge["term_url"] or "", "code": "1234", "act": "confirm"}
        await browser.post(f"{page_url}acs/answer", data=form)
    await balance_is(1150, demo)
    await end_demo(demo, signal.SIGINT)


async def test_a_person_signs_in_in_the_demo_by_the_code_on_the_screen(state_dir: Path, nursery: trio.Nursery) -> None:
    demo = await start_demo(nursery, state_dir)
    await shell(shown("send-otp", demo.lines))
    with trio.fail_after(30):
        code = re.search(r"EvPower: (\d{6})", await demo.wait_for_line("SMS to +996700123456"))
    assert code is not None
    signed_in = await shell(shown("verify-otp", demo.lines).replace("CODE", code[1]))
    me = await shell(shown("/auth/me", demo.lines).replace("ACCESS_TOKEN", signed_in["access_token"]))
    assert me["user"] == signed_in["user"]
    await end_demo(demo, signal.SIGINT)


@pytest.mark.parametrize(
    ("config", "transport"),
    [
        (Config(), "log"),
        (replace(Config(), http=HttpSettings(public_url="https://evpower.example")), "off"),
        (replace(Config(), http=HttpSettings(bind=(Bind("0.0.0.0", 8080),))), "off"),
        (replace(Config(), ocpp=OcppSettings(bind=(Bind("0.0.0.0", 9000),))), "off"),
        (replace(Config(), sms=SmsSettings(transport="http", url="https://sms.example")), "http"),
    ],
    ids=["alone", "behind a proxy", "open to phones", "open to chargers", "with a gateway"],
)
def test_codes_are_on_the_screen_for_who_is_alone_at_it(config: Config, transport: str) -> None:
    assert _sms_for_show(config).transport == transport


async def balance_is(som: int, demo: Process) -> None:
    async def look() -> bool:
        return bool((await shell(shown("/balance/test-client-123", demo.lines)))["balance"] == som)

    with trio.fail_after(30):
        await poll(look, 0.2)


def test_with_a_provider_of_their_own_nobody_gets_the_demo_s_bank(tmp_path: Path) -> None:
    """Money that is real does not go to the demo's clients through a bank that is not."""
    assert not has_providers(Config())
    certificate = tmp_path / "point.p12"
    assert has_providers(replace(Config(), odengi=OdengiSettings(url="https://bank.example", sid="1", secret="s")))
    obank = ObankSettings(url="https://bank.example", point="1", service="2", certificate=str(certificate))
    assert has_providers(replace(Config(), obank=obank))


async def test_without_its_fleet_file_the_demo_says_where_it_looked(tmp_path: Path) -> None:

    with pytest.raises(DemoFleetMissing, match=r"nowhere/demo.toml.*make run"):
        await run(Config(), fleet_file=tmp_path / "nowhere" / "demo.toml")
