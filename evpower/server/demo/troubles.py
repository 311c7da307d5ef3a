"""What goes wrong in the demo, so that the operators' pages have something to show (contract/operator-pages §11).

All of it by real paths: a station that reports a fault, one whose line is cut, one that never sends its
StopTransaction, and a payer whose payment no rule can credit.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import httpx2
import trio

from evpower.clock import RandomIds
from evpower.settings.config import Config
from evpower.simulator.providers.sandbox import Sandbox
from evpower.simulator.station.misbehaviour import Misbehaviour
from evpower.simulator.station.settings import StationSettings
from evpower.simulator.station.station import SimulatedStation
from evpower.worker import contain

log = logging.getLogger("evpower.demo")

#: Nobody of the demo charges there.
FAULTED, CUT_OFF, LOSES_ITS_STOP = "EVP-007-01", "EVP-010-01", "EVP-011-01"
TROUBLED = frozenset({FAULTED, CUT_OFF, LOSES_ITS_STOP})
#: Silence is seen within seconds; pings are below it.
HEARTBEAT_S, SILENT_S, PING_S = 2, 10.0, 3.0
#: Longer nobody waits for them before the link is shown.
WITHIN_S = 60.0
CHARGE_SOM, TOP_UP_SOM = 100, 50
#: A payer's bank that reports another currency than ours: no rule can say how much came.
OTHER_CURRENCY = "USD"


def quick_to_notice(config: Config) -> Config:
    """A station that falls silent is offline within seconds, whatever the settings allow it."""
    ocpp = config.ocpp
    return replace(
        config,
        ocpp=replace(
            ocpp,
            heartbeat_interval_s=min(ocpp.heartbeat_interval_s, HEARTBEAT_S),
            heartbeat_timeout_s=min(ocpp.heartbeat_timeout_s, SILENT_S),
            ping_interval_s=min(ocpp.ping_interval_s, PING_S),
            ping_timeout_s=min(ocpp.ping_timeout_s, PING_S),
        ),
    )


def nature_of(station_id: str, settings: StationSettings) -> StationSettings:
    """One of them has a habit of real stations."""
    if station_id != LOSES_ITS_STOP:
        return settings
    return replace(settings, misbehaviour=Misbehaviour(lose_stop=True))


@dataclass(frozen=True)
class Troubles:
    """Makes them, each by itself: one that cannot be made keeps nothing else from the demo."""

    http: httpx2.AsyncClient
    chargers: Mapping[str, SimulatedStation]
    purse: Callable[[], Awaitable[str]]
    #: None: real providers are configured, and nobody pays for show.
    bank: Sandbox | None

    async def make(self) -> None:
        """Return when all are there to see, or `WITHIN_S` has gone by."""
        with trio.move_on_after(WITHIN_S) as waiting:
            async with trio.open_nursery() as troubles:
                for station_id, trouble in self._of_stations():
                    if station_id in self.chargers:
                        troubles.start_soon(_contained, partial(trouble, self.chargers[station_id]))
                if self.bank is not None:
                    troubles.start_soon(_contained, partial(self._park_a_payment, self.bank))
        if waiting.cancelled_caught:
            log.warning("not everything that goes wrong in the demo has gone wrong yet")

    def _of_stations(self) -> Sequence[tuple[str, Callable[[SimulatedStation], Awaitable[None]]]]:
        return (FAULTED, _fault), (CUT_OFF, _cut_off), (LOSES_ITS_STOP, self._charge_without_a_stop)

    async def _charge_without_a_stop(self, charger: SimulatedStation) -> None:
        """The server waits for the StopTransaction in vain, and bills by the last reading."""
        client_id = await self.purse()
        order = {"client_id": client_id, "station_id": LOSES_ITS_STOP, "connector_id": 1, "amount_som": CHARGE_SOM}
        session_id = (await self._post("/api/v1/charging/start", order))["session_id"]
        await charger.wait_for_readings(2)
        await self._post("/api/v1/charging/stop", {"session_id": session_id, "client_id": client_id})

    async def _park_a_payment(self, bank: Sandbox) -> None:
        """Somebody pays a code of ours in another currency; the provider's notice, or our question, brings it."""
        order = {"client_id": await self.purse(), "amount": TOP_UP_SOM}
        made = await self._post("/api/v1/balance/topup-qr", order)
        book = bank.odengi.book
        invoice = book.find(invoice_id=made["invoice_id"])
        book.pay(invoice, invoice.amount_tyiyn, currency=OTHER_CURRENCY)

    async def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """As an app does. Raises KeyError of what a refused answer has not."""
        answer = await self.http.post(
            path, json=dict(body), headers={"Idempotency-Key": RandomIds().new()}, timeout=WITHIN_S
        )
        found: dict[str, Any] = answer.json()
        return found


async def _contained(trouble: Callable[[], Awaitable[None]]) -> None:
    with contain(log, "something that is to go wrong in the demo does not"):
        await trouble()


async def _fault(charger: SimulatedStation) -> None:
    await charger.fault(1, "GroundFailure")


async def _cut_off(charger: SimulatedStation) -> None:
    charger.go_offline()
    await trio.sleep(SILENT_S)
