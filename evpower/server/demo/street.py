"""`evpower demo`: all of EvPower at work on one machine, for a first look after cloning (design §8).

The server as it always runs, the fleet of `config/demo.toml`, a simulated station for each of its stations, a few
people with phones, and a bank for their top-ups. A fault of stations or people never ends the server; the end of the
server ends everything.
"""

from __future__ import annotations

import logging
import random
import shlex
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click
import httpx2
import trio

from evpower.errors import EvPowerError
from evpower.network_file.file import parse_fleet
from evpower.network_file.parts import Fleet, Station
from evpower.server import logs, supervisor
from evpower.server.demo.bank import has_providers, sandbox_settings, with_sandbox
from evpower.server.demo.site import HABITS, LIMIT_A, is_of_the_site, make_site, nature_of_a_socket, outlets_of
from evpower.server.demo.troubles import TROUBLED, Troubles, nature_of, quick_to_notice
from evpower.server.doors import Running
from evpower.settings.config import Config
from evpower.settings.sign_in import SmsSettings
from evpower.settings.state_directory import make_private
from evpower.simulator.fleet import StationPlan, run_fleet
from evpower.simulator.people.drivers import Habits
from evpower.simulator.people.phones import Outlet, PhoneHabits, PhoneUser, Say
from evpower.simulator.providers.running import run_sandbox
from evpower.simulator.providers.sandbox import Sandbox
from evpower.simulator.station.settings import StationSettings
from evpower.simulator.station.station import SimulatedStation
from evpower.worker import contain

log = logging.getLogger("evpower.demo")

FLEET_FILE = Path(__file__).parents[3] / "config" / "demo.toml"
#: Left to the person at the keyboard.
OWN_STATION, OWN_CLIENT, OWN_PHONE = "EVP-TEST-01", "test-client-123", "+996700123456"
#: Speaks OCPP 2.0.1, as the others speak 1.6.
NEWER_STATION = "EVP-006-01"
#: Whom the operators' pages know this person by.
OPERATOR = "demo-operator"
#: Seven kWh at 60 kW in about a minute, by a clock that runs as fast: what it says is what a connector can deliver.
SPEED = 6.0
#: What simulated cars take at most.
CAR_KW_MAX = 150.0
#: Between samples a charge runs on, at this speed, past the moment that the server expects its limit.
SAMPLE_INTERVAL_S = 2
#: A simulated station forgets its charge with the process, so there is nothing to wait for.
REBOOT_GRACE_S = 10.0
PHONE_USERS = 3
#: What BootNotification has room for.
CI_STRING_20 = 20
SEED = 20261123
BOOTED_WITHIN_S = 30.0
#: A simulated driver below it goes home, and another one comes with a full purse.
LEAST_SOM, OPENING_SOM = 250, 2000
IMPORT_WITHIN_S = 60.0


class DemoFleetMissing(EvPowerError):
    """The demo needs the source tree's `config/demo.toml`; the message says where it was looked for."""

    code = "demo_fleet_missing"


async def run(config: Config, *, say: Say = click.echo, fleet_file: Path = FLEET_FILE) -> None:
    """Run the server and its demo until SIGTERM, SIGINT or cancellation.

    Raises DemoFleetMissing before anything starts, and what `supervisor.run` raises.
    """
    text = _read(fleet_file)
    config = _for_show(config)
    say("EvPower demo: starting …")
    async with trio.open_nursery() as demo:
        bank: Sandbox | None = None
        if not has_providers(config):
            bank = await demo.start(run_sandbox, sandbox_settings(config))
            config = with_sandbox(config, bank)
        running: Running = await demo.start(_serve, config, demo.cancel_scope)
        await _guarded(_Street(config, running, text, say, bank).live)
    say("EvPower demo: ended.")


def _read(fleet_file: Path) -> str:
    try:
        return fleet_file.read_text(encoding="utf-8")
    except OSError as error:
        raise DemoFleetMissing(
            f"the demo's fleet {fleet_file} cannot be read ({error.strerror}): run the demo from a checkout (make run)"
        ) from None


def _for_show(config: Config) -> Config:
    """What a person watching wants: figures that move, and charges of an earlier demo that soon make room.

    The whole log goes to a file, warnings also to the screen, where the help must stay in sight.
    """
    make_private(config.state_dir)
    file = config.log.file or str(config.state_dir / "evpower.log")
    shown = replace(
        config,
        log=replace(config.log, file=file),
        http=replace(config.http, openapi=True),
        ocpp=replace(config.ocpp, sample_interval_s=min(config.ocpp.sample_interval_s, SAMPLE_INTERVAL_S)),
        charging=replace(config.charging, reboot_grace_s=min(config.charging.reboot_grace_s, REBOOT_GRACE_S)),
        sms=_sms_for_show(config),
    )
    logs.configure(shown.log, stream_level="WARNING")
    return quick_to_notice(shown)


def _sms_for_show(config: Config) -> SmsSettings:
    """Codes for signing in appear on the screen, unless a gateway sends them or others can reach the server."""
    binds = (*config.http.bind, *config.ocpp.bind, *config.ocpp.tls_bind)
    alone = not config.http.public_url and all(bind.is_loopback for bind in binds)
    return replace(config.sms, transport="log") if alone and config.sms.transport == "off" else config.sms


async def _serve(
    config: Config, everything: trio.CancelScope, *, task_status: trio.TaskStatus[Running] = trio.TASK_STATUS_IGNORED
) -> None:
    await supervisor.run(config, task_status=task_status)
    everything.cancel()


async def _guarded(part: Callable[[], Awaitable[None]]) -> None:
    try:
        await part()
    except Exception:
        log.exception("a part of the demo has ended; the server goes on")


@dataclass(frozen=True)
class _Street:
    """The simulated world around the server."""

    config: Config
    running: Running
    text: str
    say: Say
    #: Where the person at the keyboard pays; None when real providers are configured.
    bank: Sandbox | None

    async def live(self) -> None:
        """Import the fleet, plug the stations in, show the help, let people charge; until cancelled."""
        await self._import(self.text)
        fleet = parse_fleet(self.text)
        async with httpx2.AsyncClient(base_url=self._http_url) as http, trio.open_nursery() as street:
            habits = Habits(plug_after_s=1.0)
            chargers: list[SimulatedStation] = await street.start(
                partial(run_fleet, self._ocpp_url, _plans(fleet), habits=habits, seed=SEED)
            )
            await self._wait_for_boots(chargers)
            self.say(_help(self._http_url, self._ocpp_url, self.config, len(chargers), self.bank))
            for number in range(1, PHONE_USERS + 1):
                street.start_soon(_guarded, self._user(http, number, _outlets(fleet)).run)
            site = await self._site(fleet)
            for number, outlet in enumerate(outlets_of(_all_outlets(fleet), fleet.stations), PHONE_USERS + 1):
                street.start_soon(_guarded, self._user(http, number, [outlet], HABITS).run)
            if self.running.pages_urls:
                by_id = {charger.station_id: charger for charger in chargers}
                await Troubles(http, by_id, _Purse(http, self._import, 0).client, self.bank).make()
                self.say(f"  The operators' pages, signed in as {OPERATOR}:  {await self._pages_link()}\n")
                if site is not None:
                    self.say(f"  Six sockets share {LIMIT_A} A:  {self._pages_url}/network/power/{site}\n")

    def _user(
        self, http: httpx2.AsyncClient, number: int, outlets: Sequence[Outlet], habits: PhoneHabits | None = None
    ) -> PhoneUser:
        """Somebody with a phone, who is the same in each demo."""
        people, purse = random.Random(f"{SEED}/{number}"), _Purse(http, self._import, number)
        return PhoneUser(http, purse.client, outlets, people, self._print, habits)

    async def _site(self, fleet: Fleet) -> int | None:
        """The power group of the site where sockets share a line, if it could be made."""
        site: int | None = None
        async with self._control() as control:
            with contain(log, "the demo's site with a limit could not be made"):
                site = await make_site(control, fleet.stations)
        return site

    def _control(self) -> httpx2.AsyncClient:
        transport = httpx2.AsyncHTTPTransport(uds=self.running.control_socket)
        return httpx2.AsyncClient(transport=transport, base_url="http://evpower", timeout=IMPORT_WITHIN_S)

    @property
    def _pages_url(self) -> str:
        return _dialled(self.running.pages_urls[0])

    @property
    def _http_url(self) -> str:
        return _dialled(self.running.http_urls[0])

    @property
    def _ocpp_url(self) -> str:
        return _dialled(self.running.ocpp_urls[0])

    def _print(self, what: str) -> None:
        self.say(f"  {what}")

    async def _pages_link(self) -> str:
        """A link that signs the person at the keyboard in, once."""
        async with self._control() as http:
            # There since an earlier demo: that is fine too.
            await http.post("/control/users", json={"id": OPERATOR, "role": "superadmin"})
            made = (await http.post(f"/control/users/{OPERATOR}/link")).raise_for_status().json()
        return f"{self._pages_url}{made['data']['path']}"

    async def _import(self, text: str) -> None:
        """As `evpower import` does, over the control socket. Raises EvPowerError when it is refused."""
        async with self._control() as http:
            response = await http.post("/control/import", content=text.encode())
        if not response.is_success:
            raise EvPowerError(f"the demo's fleet was refused: {response.text}")

    async def _wait_for_boots(self, chargers: Sequence[SimulatedStation]) -> None:
        with trio.move_on_after(BOOTED_WITHIN_S) as waiting:
            for charger in chargers:
                await charger.trace.wait_until(partial(_is_ready, charger))
        if waiting.cancelled_caught:
            log.warning("not every charger of the demo has booted")


@dataclass
class _Purse:
    """Finds a client with money, making the next one when the last has spent it."""

    http: httpx2.AsyncClient
    book: Callable[[str], Awaitable[None]]
    user: int
    made: int = 1

    async def client(self) -> str:
        """The id of a client who can pay for a charge."""
        while True:
            client_id = f"demo-driver-{self.user}-{self.made}"
            await self._import_client(client_id)
            answer = (await self.http.get(f"/api/v1/balance/{client_id}")).json()
            if answer["balance"] >= LEAST_SOM:
                return client_id
            self.made += 1

    async def _import_client(self, client_id: str) -> None:
        """The opening balance is booked once, however often."""
        await self.book(f'[[clients]]\nid = "{client_id}"\nopening_balance = {OPENING_SOM}\n')


def _is_ready(charger: SimulatedStation) -> bool:
    return charger.conversation.ready


def _plans(fleet: Fleet) -> list[StationPlan]:
    return [
        StationPlan(
            station_id=station.id,
            connectors=len(station.connectors),
            settings=nature_of(station.id, _nature(station)),
        )
        for station in fleet.stations
    ]


def _nature(station: Station) -> StationSettings:
    plain = StationSettings(password=station.password, speed=SPEED, sample_interval_s=SAMPLE_INTERVAL_S)
    if is_of_the_site(station):
        plain = nature_of_a_socket(plain)
    return replace(
        plain,
        ocpp="2.0.1" if station.id == NEWER_STATION else plain.ocpp,
        vendor=(station.manufacturer or plain.vendor)[:CI_STRING_20],
        model=(station.model or plain.model)[:CI_STRING_20],
        connector_power_w=round(_power_kw(station) * 1000),
    )


def _power_kw(station: Station) -> float:
    """What each of its connectors delivers: the weakest one's rating, above which a figure is doubtful."""
    return min((float(each.power_kw) for each in station.connectors if each.power_kw is not None), default=60.0)


def _outlets(fleet: Fleet) -> list[Outlet]:
    """Where the demo's people charge who charge anywhere; the site with a limit has people of its own."""
    site = {str(station.id) for station in fleet.stations if is_of_the_site(station)}
    return [each for each in _all_outlets(fleet) if each.station_id not in site]


def _all_outlets(fleet: Fleet) -> list[Outlet]:
    """What is in service, and not the station left to the person watching."""
    return [
        Outlet(station.id, connector.connector_number, min(_power_kw(station), CAR_KW_MAX) * SPEED / 60)
        for station in fleet.stations
        if station.id != OWN_STATION and station.id not in TROUBLED and station.status in (None, "active")
        for connector in station.connectors
    ]


def _dialled(url: str) -> str:
    """A wildcard address as somebody on this machine dials it."""
    return url.replace("://0.0.0.0:", "://127.0.0.1:").replace("://[::]:", "://[::1]:")


def _help(http_url: str, ocpp_url: str, config: Config, chargers: int, bank: Sandbox | None) -> str:
    api, curl = f"{http_url}/api/v1", "curl -s"
    post = "-H 'Content-Type: application/json' -d"
    start = f'{{"client_id":"{OWN_CLIENT}","station_id":"{OWN_STATION}","connector_id":1,"amount_som":100}}'
    command, options = _command(config)
    return f"""\
EvPower demo is ready: {chargers} chargers are connected, {PHONE_USERS} people charge. Ctrl-C ends it.

  REST API   {http_url}     health: {curl} {http_url}/health
  Chargers   {ocpp_url}
  Whole log  tail -f {config.log.file}

{OWN_STATION} is yours, with 1000 som for {OWN_CLIENT}. Cars charge {SPEED:g} times as fast as real ones,
but where six sockets share a line.

  {curl} {api}/balance/{OWN_CLIENT}
  {curl} {api}/station/status/{OWN_STATION}
  {curl} {api}/charging/start {post} '{start}'
  {curl} {api}/charging/status/SESSION_ID
  {curl} {api}/charging/stop {post} '{{"session_id":"SESSION_ID","client_id":"{OWN_CLIENT}"}}'

{_top_up_help(f"{curl} {api}", post, bank)}
{_sign_in_help(f"{curl} {api}", post, config)}
From another terminal, what an operator sees and does:

  {command} status{options}
  {command} stations{options}
  {command} sessions{options}
  {command} session stop SESSION_ID{options}
  {command} ledger check{options}
"""


def _top_up_help(curl: str, post: str, bank: Sandbox | None) -> str:
    if bank is None:
        return "Top-ups go to the payment providers you have configured; the demo imitates none."
    order = f'{{"client_id":"{OWN_CLIENT}","amount":100}}'
    return f"""\
Top up with play money; its bank runs here too. Pay or refuse at {bank.page_url}/

  {curl}/balance/topup-qr {post} '{order}'
  {curl}/payment/status/INVOICE_ID"""


def _sign_in_help(curl: str, post: str, config: Config) -> str:
    if config.sms.transport == "off":
        return ""
    phone = f'{{"phone":"{OWN_PHONE}"'
    where = "the code appears here, no SMS is sent" if config.sms.transport == "log" else "the code comes by SMS"
    return f"""
Sign in by phone; {where}. The token then names the client.

  {curl}/auth/send-otp {post} '{phone}}}'
  {curl}/auth/verify-otp {post} '{phone},"code":"CODE"}}'
  {curl}/auth/me -H 'Authorization: Bearer ACCESS_TOKEN'
"""


def _command(config: Config) -> tuple[str, str]:
    """How to call us from here, and which options lead to this server."""
    program = Path(sys.executable).with_name("evpower")
    if program.is_relative_to(Path.cwd()):
        program = program.relative_to(Path.cwd())
    elsewhere = config.control_socket.resolve() != (Path.cwd() / "var" / "evpower.sock").resolve()
    return shlex.quote(str(program)), f" --socket {shlex.quote(str(config.control_socket))}" if elsewhere else ""
