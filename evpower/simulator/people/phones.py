"""People with phones: they start charges through the REST API, watch them, and stop some by hand.

`drivers.py` holds the cable at the station; here is who pays. Everything goes over the wire, as the app's requests do.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import trio

Purse = Callable[[], Awaitable[str]]  # a client who has money
Say = Callable[[str], None]

ANSWER_WITHIN_S = 15.0


@dataclass(frozen=True, slots=True)
class Outlet:
    """A connector somebody may choose, and how much it gives in a minute."""

    station_id: str
    connector_id: int
    kwh_per_minute: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneHabits:
    """How such people behave; times are means, in seconds."""

    idle_s: float = 8.0
    look_every_s: float = 5.0
    patience_s: float = 60.0  # an unlimited charge is stopped by hand after about this long
    charge_minutes: tuple[float, float] = (0.7, 1.6)  # what is bought lasts between these
    guessed_som_per_kwh: int = 13  # for those who think in money
    energy_kwh_max: float = 9.0


class PhoneUser:
    """One person after another at any free outlet, one charge at a time."""

    def __init__(
        self,
        http: httpx2.AsyncClient,
        purse: Purse,
        outlets: Sequence[Outlet],
        random: random.Random,
        say: Say,
        habits: PhoneHabits | None = None,
    ) -> None:
        self._http = http
        self._purse = purse
        self._outlets = outlets
        self._random = random
        self._say = say
        self._habits = habits or PhoneHabits()

    async def run(self) -> None:
        """Charge again and again until cancelled; a server that is away is waited for."""
        while True:
            await trio.sleep(self._random.expovariate(1 / self._habits.idle_s))
            try:
                await self._charge_once()
            except (httpx2.HTTPError, KeyError, ValueError) as error:
                self._say(f"a phone got no useful answer: {error!r}")

    async def _charge_once(self) -> None:
        client_id, outlet = await self._purse(), self._random.choice(self._outlets)
        wish = self._wish(outlet)
        started = await self._post(
            "/api/v1/charging/start",
            {"client_id": client_id, "station_id": outlet.station_id, "connector_id": outlet.connector_id, **wish},
        )
        place = f"{outlet.station_id}/{outlet.connector_id}"
        if not started["success"]:
            self._say(f"{client_id} wanted to charge at {place}: {started['message']}")
            return
        session_id = started["session_id"]
        self._say(f"{client_id} charges at {place}: {started['reserved_amount']} som reserved")
        patience_s = float("inf") if wish else self._random.expovariate(1 / self._habits.patience_s)
        ended = await self._watch(client_id, session_id, patience_s)
        self._say(f"{client_id} paid {ended['current_cost']} som for {ended['energy_consumed']} kWh at {place}")

    def _wish(self, outlet: Outlet) -> dict[str, Any]:
        """So many kWh, so many som, or until it is stopped."""
        habits = self._habits
        minutes = self._random.uniform(*habits.charge_minutes)
        energy_kwh = min(round(outlet.kwh_per_minute * minutes, 1), habits.energy_kwh_max)
        amount_som = round(energy_kwh * habits.guessed_som_per_kwh)
        return self._random.choice(({"energy_kwh": energy_kwh}, {"amount_som": amount_som}, {}))

    async def _watch(self, client_id: str, session_id: str, patience_s: float) -> dict[str, Any]:
        """The session once it is over; stopped by hand when patience ends."""
        stop_at = trio.current_time() + patience_s
        while True:
            status = await self._get(f"/api/v1/charging/status/{session_id}")
            if status["status"] != "started":
                return status
            if trio.current_time() >= stop_at:
                await self._post("/api/v1/charging/stop", {"session_id": session_id, "client_id": client_id})
                continue
            await trio.sleep(min(self._habits.look_every_s, max(0.0, stop_at - trio.current_time())))

    async def _get(self, path: str) -> dict[str, Any]:
        return _object(await self._http.get(path))

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """With a key, as the app does: asked again after a lost answer it has one effect."""
        key = str(UUID(int=self._random.getrandbits(128), version=4))
        with trio.fail_after(ANSWER_WITHIN_S):
            return _object(await self._http.post(path, json=body, headers={"Idempotency-Key": key}))


def _object(response: httpx2.Response) -> dict[str, Any]:
    answer = response.json()
    if not isinstance(answer, dict):
        raise ValueError(f"HTTP {response.status_code} without an object")
    return answer
