"""What stands around the server: a fleet, real chargers on real sockets, drivers with phones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Protocol

import httpx2
import trio

from evpower.simulator.station.power import Vehicle
from evpower.simulator.station.settings import StationSettings
from evpower.simulator.station.station import SimulatedStation
from evpower.simulator.wire.trace import Traced
from tests.e2e.process import Server, poll

STATION, CLIENT = "EVP-E2E-01", "driver-1"
RATE, OPENING = Decimal("13.5"), Decimal(1000)
WITHIN_S = 60.0
#: Big enough never to be full, so that power does not taper.
TRUCK = Vehicle(capacity_wh=1_000_000, charge_wh=0.0, power_w_max=10_000_000)

#: A hundred times a fast charger's, so that a charge takes a second or two.
POWER_KW = 6_000

FLEET = f"""
[[locations]]
id = "EVP-LOC-E2E"
name = "E2E"
address = "ул. Тестовая, 1"
city = "Бишкек"

[[locations.stations]]
id = "{STATION}"
serial_number = "E2E-001"
model = "Simulator"
manufacturer = "EvPower"
power_capacity = {POWER_KW}
price_per_kwh = {RATE}
connectors_count = 2

[[locations.stations.connectors]]
connector_number = 1
connector_type = "GBT"
power_kw = {POWER_KW}

[[locations.stations.connectors]]
connector_number = 2
connector_type = "GBT"
power_kw = {POWER_KW}

[[clients]]
id = "{CLIENT}"
opening_balance = {OPENING}
"""


def cost_of(energy_wh: int) -> Decimal:
    """The bill by the charger's own register, in som, half up."""
    return (RATE * energy_wh / 1000).quantize(Decimal("0.01"), ROUND_HALF_UP)


class Dialled(Protocol):
    """Where a charger dials: one server, or whatever stands before several."""

    async def dial(self, url: str) -> trio.abc.Stream: ...


class Phone:
    """One driver's app. Every answer of the server is JSON; one that never comes raises httpx2's errors."""

    def __init__(self, server: Server, client_id: str = CLIENT) -> None:
        self._server = server
        self.client_id = client_id

    async def start(self, *, connector: int = 1, key: str | None = None, **limit: Any) -> dict[str, Any]:
        """Ask for a charge: `energy_kwh`, `amount_som` or neither."""
        body = {"client_id": self.client_id, "station_id": STATION, "connector_id": connector, **limit}
        return await self.request("POST", "charging/start", body, key)

    async def stop(self, session_id: str, *, key: str | None = None) -> dict[str, Any]:
        """Ask for the end of a charge."""
        return await self.request("POST", "charging/stop", {"session_id": session_id, "client_id": self.client_id}, key)

    async def status(self, session_id: str) -> dict[str, Any]:
        """How a charge stands."""
        return await self.request("GET", f"charging/status/{session_id}")

    async def balance(self) -> Decimal:
        """Free money, in som."""
        return Decimal(str((await self.request("GET", f"balance/{self.client_id}"))["balance"]))

    async def request(
        self, method: str, path: str, body: dict[str, Any] | None = None, key: str | None = None
    ) -> dict[str, Any]:
        """One request on a connection of its own, as phones come and go."""
        headers = {} if key is None else {"Idempotency-Key": key}
        # Plain HTTP, so nothing is verified; loading the authorities for each client took longer than the request.
        async with httpx2.AsyncClient(base_url=self._server.http_url, timeout=WITHIN_S, verify=False) as client:
            response = await client.request(method, f"/api/v1/{path}", json=body, headers=headers)
        answer = response.json()
        assert isinstance(answer, dict)
        return answer

    async def until(self, session_id: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Look at a charge until it is as wanted, also while the server is away; the status then."""

        async def look() -> dict[str, Any] | None:
            try:
                status = await self.status(session_id)
            except httpx2.TransportError:
                return None
            return status if condition(status) else None

        with trio.fail_after(WITHIN_S):
            seen: dict[str, Any] = await poll(look)
        return seen

    async def receipt(self, session_id: str) -> dict[str, Any]:
        """The status once the charge is over."""
        return await self.until(session_id, lambda status: status["status"] != "started")


class Charger:
    """The charger at `STATION`, and the driver's hands on it."""

    def __init__(self, station: SimulatedStation, notes: list[str]) -> None:
        self.point = station
        #: What befell it besides frames: how its connections ended.
        self.notes = notes

    async def plug(self, connector: int = 1) -> None:
        """Plug in a truck that takes what it is given; the server knows when this returns."""
        await self.is_connected()
        await self.point.plug(connector, TRUCK)
        await self.has_delivered_messages()

    async def deliver(self, energy_wh: int, connector: int = 1) -> None:
        """Return when the register shows so much more than at the transaction's start."""

        async def has_delivered() -> bool:
            return self.energy_wh(connector) >= energy_wh

        with trio.fail_after(WITHIN_S):
            await poll(has_delivered, 0.01)

    def energy_wh(self, connector: int = 1) -> int:
        """What the latest transaction delivered by the charger's own register, as of now or of its stop."""
        latest = self.point.hardware.connectors[connector].last_transaction
        return 0 if latest is None else self.point.register_wh(connector) - latest.meter_start_wh

    async def has_sent(self, action: str, count: int = 1) -> None:
        with trio.fail_after(WITHIN_S):
            await self.point.wait_for_sent(action, count)

    async def has_received(self, action: str, count: int = 1) -> None:
        trace = self.point.trace
        with trio.fail_after(WITHIN_S):
            await trace.wait_until(lambda: len(trace.received(action)) >= count)

    async def next_sent(self, action: str) -> None:
        """Return when one more of an action was sent than now; see also `has_sent`."""
        await self.has_sent(action, len(self.point.trace.sent(action)) + 1)

    async def next_received(self, action: str) -> None:
        await self.has_received(action, len(self.point.trace.received(action)) + 1)

    async def has_begun(self, connector: int = 1) -> None:
        """Return when a transaction runs."""
        with trio.fail_after(WITHIN_S):
            await self.point.trace.wait_until(lambda: self.point.hardware.connectors[connector].transaction is not None)

    async def has_delivered_messages(self) -> None:
        """Return when nothing is left to say."""
        with trio.fail_after(WITHIN_S):
            await self.point.trace.wait_until(lambda: len(self.point.hardware.outbox) == 0)

    async def is_connected(self) -> None:
        with trio.fail_after(WITHIN_S):
            await self.point.trace.wait_until(lambda: self.point.conversation.ready)

    @property
    def stopped_wh(self) -> int:
        """Register of the last transaction's end less that of its start, as they went over the wire."""
        trace = self.point.trace
        if self.point.settings.ocpp == "2.0.1":
            registers = {
                event["eventType"]: event["meterValue"][0]["sampledValue"][0]["value"]
                for event in trace.sent("TransactionEvent")
            }
            return int(registers["Ended"] - registers["Started"])
        return int(trace.sent("StopTransaction")[-1]["meterStop"] - trace.sent("StartTransaction")[-1]["meterStart"])


@asynccontextmanager
async def charger_at(server: Dialled, power_kw: int = POWER_KW, **settings: Any) -> AsyncIterator[Charger]:
    """A charger that has booted; it reconnects fast."""
    impatient = {"reconnect_first_s": 0.05, "reconnect_max_s": 0.2, "reboot_s": 0.1}
    nature = StationSettings(connector_power_w=1000 * power_kw, **{**impatient, **settings})
    notes: list[str] = []

    def listen(traced: Traced | str) -> None:
        if isinstance(traced, str):
            notes.append(traced)

    station = SimulatedStation(STATION, 2, nature, dial=server.dial, listener=listen)
    async with trio.open_nursery() as life:
        with trio.fail_after(WITHIN_S):
            await life.start(station.run, "ws://chargers/ws")
        yield Charger(station, notes)
        life.cancel_scope.cancel()
    assert not station.complaints
