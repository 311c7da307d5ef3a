"""People's phones: every request has its key, is repeated after silence, and what was acknowledged is remembered."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import trio

from tests.simulation.engine import Trace
from tests.simulation.network import Away
from tests.simulation.world import World

#: A person taps again, or the app does, after so long; and gives up after so many.
REPEAT_AFTER_S = (1.0, 20.0)
MOST_TRIES = 12
#: What a request hears whose twin has run for five seconds (billing-rules §8): it is no answer to the key.
STILL_RUNNING = "ещё выполняется"


@dataclass
class Kept:
    """A connector that is kept for a driver, and what he did with it; times are virtual seconds."""

    reservation_id: str
    minutes: int
    asked_at: float
    answered_at: float
    #: When he asked for a charge there, and when he had it.
    came_at: float | None = None
    began_at: float | None = None
    session_id: str | None = None
    #: When he first asked for its end, and when the last answer came.
    given_up_at: float | None = None
    gone_at: float | None = None


@dataclass
class Acknowledged:
    """What phones were answered with success; the rows must have it ever after."""

    started: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: By session: when its phone first asked for it, in virtual seconds.
    start_asked_at: dict[str, float] = field(default_factory=dict)
    stopped: dict[str, dict[str, Any]] = field(default_factory=dict)
    top_ups: dict[str, dict[str, Any]] = field(default_factory=dict)
    kept: dict[str, Kept] = field(default_factory=dict)
    #: By key: which session, or that there is none.
    by_key: dict[str, object] = field(default_factory=dict)
    contradictions: list[str] = field(default_factory=list)

    def note_answer(self, key: str, answer: Mapping[str, Any]) -> None:
        """The same key has the same answer, whoever was asked (rest-api: Idempotency-Key)."""
        what = (answer.get("success"), *map(answer.get, ("session_id", "order_id", "reservation_id")))
        if self.by_key.setdefault(key, what) != what:
            self.contradictions.append(f"one key, two answers: {self.by_key[key]}, then {what}")


class Phone:
    """The app of one client."""

    def __init__(self, world: World, client_id: str, dice: random.Random, acknowledged: Acknowledged) -> None:
        self._world = world
        self.client_id = client_id
        self._dice = dice
        self._acknowledged = acknowledged

    @property
    def _trace(self) -> Trace:
        return self._world.engine.trace

    def new_key(self) -> str:
        """The app makes one for each tap."""
        return f"{self._dice.getrandbits(128):032x}"

    async def start(self, station_id: str, wish: Mapping[str, Any], key: str | None = None) -> str | None:
        """The session, or None when it was refused or nothing came of it."""
        asked_at = trio.current_time()
        body = {"client_id": self.client_id, "station_id": station_id, "connector_id": 1, **wish}
        answer = await self._persist("/api/v1/charging/start", body, key or self.new_key())
        if answer is None or not answer.get("success"):
            self._trace.note("start refused", self.client_id, station_id, (answer or {}).get("error"))
            return None
        session_id = str(answer["session_id"])
        self._acknowledged.started[session_id] = answer
        self._acknowledged.start_asked_at.setdefault(session_id, asked_at)
        self._trace.note("started", self.client_id, station_id, session_id[:8])
        return session_id

    async def stop(self, session_id: str) -> None:
        """Ask for the end until there is an answer."""
        body = {"client_id": self.client_id, "session_id": session_id}
        answer = await self._persist("/api/v1/charging/stop", body, self.new_key())
        if answer is not None and answer.get("success"):
            self._acknowledged.stopped[session_id] = answer
            self._trace.note("stopped", session_id[:8], answer.get("actual_cost"), answer.get("estimated"))
        else:
            self._trace.note("stop refused", session_id[:8], (answer or {}).get("error"))

    async def reserve(self, station_id: str, minutes: int) -> Kept | None:
        """What is kept from now on; None when it was refused or nothing came of it."""
        asked_at = trio.current_time()
        body = {"client_id": self.client_id, "station_id": station_id, "connector_id": 1, "minutes": minutes}
        answer = await self._persist("/api/v1/reservations", body, self.new_key())
        if answer is None or not answer.get("success"):
            self._trace.note("not kept", self.client_id, station_id, (answer or {}).get("error"))
            return None
        kept = Kept(str(answer["reservation_id"]), minutes, asked_at, trio.current_time())
        self._acknowledged.kept[kept.reservation_id] = kept
        self._trace.note("kept", self.client_id, station_id, kept.reservation_id[:8], answer.get("status"))
        return kept

    async def give_up(self, kept: Kept) -> None:
        """Ask for its end until there is an answer."""
        if kept.given_up_at is None:
            kept.given_up_at = trio.current_time()
        path = f"/api/v1/reservations/{kept.reservation_id}?client_id={self.client_id}"
        answer = await self._persist(path, {}, self.new_key(), method="DELETE")
        kept.gone_at = trio.current_time()
        self._trace.note("given up", kept.reservation_id[:8], (answer or {}).get("status"), (answer or {}).get("error"))

    async def top_up(self, som: int) -> str | None:
        """The order whose code is on the screen; None when there is none."""
        body = {"client_id": self.client_id, "amount": som}
        answer = await self._persist("/api/v1/balance/topup-qr", body, self.new_key())
        if answer is None or not answer.get("success"):
            self._trace.note("top-up refused", self.client_id, som, (answer or {}).get("error"))
            return None
        order_id = str(answer["order_id"])
        self._acknowledged.top_ups[order_id] = answer
        self._trace.note("top-up", self.client_id, som, order_id)
        return order_id

    async def post(
        self, path: str, body: Mapping[str, Any], key: str, *, patience_s: float = 15.0, method: str = "POST"
    ) -> dict[str, Any]:
        """One request to a process that is there. Raises Away, also for an answer that says: try again."""
        place = self._world.a_place()
        data = json.dumps(body).encode()
        headers = {"content-type": "application/json", "idempotency-key": key}
        reply = await place.reach().people.ask(method, path, data, headers, patience_s=patience_s)
        self._trace.digest(f"{trio.current_time():.6f} {path} {reply.status} {reply.body!r}")
        if reply.status >= 500:
            self._trace.note("5xx", path, reply.status, reply.body.decode()[:100])
            raise Away
        answer = json.loads(reply.body)
        assert isinstance(answer, dict)
        if reply.status == 409 and STILL_RUNNING in str(answer):
            raise Away
        return answer

    async def _persist(
        self, path: str, body: Mapping[str, Any], key: str, *, method: str = "POST"
    ) -> dict[str, Any] | None:
        """With the same key until an answer comes; None: the person gave it up."""
        for _ in range(MOST_TRIES):
            patience_s = self._dice.choice((15.0, 15.0, 15.0, 0.5))
            try:
                answer = await self.post(path, body, key, patience_s=patience_s, method=method)
                self._acknowledged.note_answer(key, answer)
                return answer
            except Away:
                self._trace.counts["no answer"] += 1
                await trio.sleep(self._dice.uniform(*REPEAT_AFTER_S))
        return None
