"""The load: stations on real sockets, drivers who ask until they are answered, people who pay by QR code."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import httpx2
import trio

from evpower.simulator.providers.sandbox import Sandbox
from evpower.simulator.station.power import Vehicle
from evpower.simulator.station.settings import StationSettings
from evpower.simulator.station.station import SimulatedStation
from tests.crash.proxy import Proxy
from tests.e2e.process import Server

RATE, OPENING = Decimal("13.5"), Decimal(50_000)
POWER_KW = 600
TRUCK = Vehicle(capacity_wh=10_000_000, charge_wh=0.0, power_w_max=10_000_000)
REPEAT_AFTER_S = 0.5
PATIENCE_S = 20.0


def fleet(places: int) -> str:
    """The network file: a station and a client for each place."""
    stations = "".join(
        f"""
[[locations.stations]]
id = "CRASH-{n}"
serial_number = "SN-{n}"
model = "Simulator"
manufacturer = "EvPower"
power_capacity = {POWER_KW}
price_per_kwh = {RATE}
connectors_count = 1

[[locations.stations.connectors]]
connector_number = 1
connector_type = "GBT"
power_kw = {POWER_KW}
"""
        for n in range(places)
    )
    clients = "".join(f'\n[[clients]]\nid = "driver-{n}"\nopening_balance = {OPENING}\n' for n in range(places))
    return f'[[locations]]\nid = "L"\nname = "Crash"\naddress = "a"\ncity = "b"\n{stations}{clients}'


def cost_of(energy_wh: int) -> Decimal:
    """billing-rules §1: by the station's own register, half up."""
    return (RATE * energy_wh / 1000).quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass
class Place:
    """A station, its driver, and what truly happened there."""

    number: int
    server: Server
    proxy: Proxy
    dice: random.Random
    counts: Counter[str]
    #: Energy of each charge by the station's register, by its tag.
    delivered: dict[str, int] = field(default_factory=dict)
    #: Sessions that the phone was answered.
    sessions: list[str] = field(default_factory=list)
    paid_in: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        nature = StationSettings(
            connector_power_w=1000 * POWER_KW, reconnect_first_s=0.2, reconnect_max_s=1.0, reboot_s=0.5
        )
        self.station = SimulatedStation(f"CRASH-{self.number}", 1, nature, dial=self.proxy.dial)

    @property
    def client(self) -> str:
        return f"driver-{self.number}"

    async def watch(self) -> None:
        """Note what flows in each charge."""
        connector = self.station.hardware.connectors[1]
        while True:
            await self.station.trace.wait_until(lambda: connector.transaction is not None)
            last = connector.transaction
            assert last is not None
            await last.over.wait()
            before = self.delivered.get(last.id_tag, 0)
            self.delivered[last.id_tag] = before + connector.energy_wh - last.meter_start_wh
            self.counts["charges"] += 1

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """With one key until there is an answer that is no excuse."""
        headers = {"Idempotency-Key": f"{self.dice.getrandbits(128):032x}"}
        while True:
            try:
                async with httpx2.AsyncClient(
                    base_url=self.server.http_url, timeout=PATIENCE_S, verify=False
                ) as client:
                    response = await client.request(method, f"/api/v1/{path}", json=body, headers=headers)
                if response.status_code < 500 and response.status_code != 429:
                    answer = response.json()
                    assert isinstance(answer, dict)
                    return answer
                self.counts[f"answered {response.status_code}"] += 1
            except (httpx2.TransportError, httpx2.UnsupportedProtocol):
                self.counts["no answer"] += 1
            await trio.sleep(self.dice.uniform(0.1, REPEAT_AFTER_S))

    async def charge(self) -> None:
        """One charge, from the cable to the receipt."""
        await self.station.plug(1, TRUCK)
        wish = self.dice.choice(({"energy_kwh": 2}, {"amount_som": 40}, {}))
        body = {"client_id": self.client, "station_id": f"CRASH-{self.number}", "connector_id": 1, **wish}
        answer = await self.ask("POST", "charging/start", body)
        if not answer.get("success"):
            self.counts[f"refused {answer.get('error')}"] += 1
            await trio.sleep(1)
            return
        session_id = str(answer["session_id"])
        self.sessions.append(session_id)
        await trio.sleep(self.dice.uniform(0.5, 12))
        if self.dice.random() < 0.5:
            await self.ask("POST", "charging/stop", {"client_id": self.client, "session_id": session_id})
        else:
            await self.station.stop(1)
        await self.station.unplug()

    async def pay_in(self, sandbox: Sandbox) -> None:
        """A top-up, paid at the provider once or, by two people, twice."""
        som = self.dice.randint(10, 500)
        answer = await self.ask("POST", "balance/topup-qr", {"client_id": self.client, "amount": som})
        if not answer.get("success"):
            self.counts[f"top-up refused {answer.get('error')}"] += 1
            return
        book = sandbox.odengi.book
        invoice = book.find(order_id=str(answer["order_id"]))
        for _ in range(self.dice.choice((1, 1, 1, 2, 0))):
            book.pay(invoice, invoice.amount_tyiyn)
            self.paid_in += som
            self.counts["payments"] += 1
            await trio.sleep(self.dice.uniform(0, 2))
