"""Delivers the providers' calls to our webhooks, once each, unless somebody asked for worse.

Neither provider promises a repetition after a failure (payments §2.6), so there is none here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import httpx2
import trio

from evpower.simulator.providers.surroundings.faults import Provider, Sleep, WrongControl, known_provider

log = logging.getLogger("evpower.simulator.providers")

KINDS = ("delay", "drop", "duplicate", "wrong_signature", "reorder")
WAITING_MAX = 1000
ANSWER_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Letter:
    """One call to a webhook, ready to be sent; `forged` is its body with a wrong signature, where it has one."""

    provider: Provider
    order: str
    method: str
    url: str
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    forged: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookFault:
    """What happens to the next `times` letters of a provider."""

    provider: Provider
    kind: str
    times: int = 1
    #: How late, for `delay`.
    delay_s: float = 60.0
    #: How many in all, for `duplicate`.
    copies: int = 2

    def __post_init__(self) -> None:
        known_provider(self.provider)
        if self.kind not in KINDS:
            raise WrongControl(f"unknown webhook fault {self.kind!r}; there are {', '.join(KINDS)}")
        if self.times < 1 or self.delay_s < 0 or not 1 <= self.copies <= WAITING_MAX:
            raise WrongControl("times must be at least 1, delay_s at least 0, copies 1 to 1000")


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a letter: the HTTP status it was answered with, or why there was none."""

    number: int
    letter: Letter
    status: int | None
    problem: str = ""

    def shown(self) -> dict[str, Any]:
        """JSON-ready."""
        letter = {name: value for name, value in asdict(self.letter).items() if name != "forged"}
        return {**letter, "body": self.letter.body.decode(), **asdict(replace(self, letter=None))}  # type: ignore[arg-type]


class Courier:
    """Takes letters from the providers and carries them one after another; late ones go on their own."""

    def __init__(self, sleep: Sleep, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        """With a `transport` the calls are handed to it, and no socket is opened."""
        self._sleep = sleep
        self._transport = transport
        self._post, self._waiting = trio.open_memory_channel[Letter](WAITING_MAX)
        self._held: list[Letter] = []
        self._changed = trio.Event()
        self.faults: list[WebhookFault] = []
        self.delivered: list[Delivered] = []

    def send(self, letter: Letter) -> None:
        """Hand a letter over; it is lost when WAITING_MAX wait already."""
        try:
            self._post.send_nowait(letter)
        except trio.WouldBlock:
            log.warning("%d webhook calls wait: one more is lost", WAITING_MAX)

    def again(self, number: int) -> None:
        """Send what was delivered before once more. Raises WrongControl."""
        if not 1 <= number <= len(self.delivered):
            raise WrongControl(f"no webhook call has number {number}")
        self.send(self.delivered[number - 1].letter)

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Return when `condition` holds; looked at after every delivery."""
        while not condition():
            await self._changed.wait()

    async def run(self) -> None:
        """Carry letters until cancelled."""
        client = httpx2.AsyncClient(timeout=ANSWER_WITHIN_S, follow_redirects=False, transport=self._transport)
        async with client as http, trio.open_nursery() as late:
            async for letter in self._waiting:
                await self._carry(letter, http, late)

    async def _carry(self, letter: Letter, http: httpx2.AsyncClient, late: trio.Nursery) -> None:
        match self._fault_for(letter.provider):
            case WebhookFault(kind="drop"):
                self._note(letter, None, "dropped")
                return
            case WebhookFault(kind="reorder"):
                # It follows whatever comes next.
                self._held.append(letter)
                return
            case WebhookFault(kind="delay", delay_s=delay_s):
                late.start_soon(self._carry_late, letter, http, delay_s)
                return
            case WebhookFault(kind="wrong_signature") if letter.forged is not None:
                copies = [replace(letter, body=letter.forged)]
            case WebhookFault(kind="duplicate", copies=count):
                copies = [letter] * count
            case _:
                copies = [letter]
        held, self._held = self._held, []
        for each in (*copies, *held):
            await self._deliver(each, http)

    async def _carry_late(self, letter: Letter, http: httpx2.AsyncClient, delay_s: float) -> None:
        await self._sleep(delay_s)
        await self._deliver(letter, http)

    async def _deliver(self, letter: Letter, http: httpx2.AsyncClient) -> None:
        headers = {"Content-Type": letter.content_type} if letter.method == "POST" else {}
        try:
            response = await http.request(letter.method, letter.url, content=letter.body, headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            self._note(letter, None, f"{type(error).__name__}: {error}")
        else:
            self._note(letter, response.status_code)

    def _note(self, letter: Letter, status: int | None, problem: str = "") -> None:
        self.delivered.append(Delivered(len(self.delivered) + 1, letter, status, problem))
        self._changed.set()
        self._changed = trio.Event()

    def _fault_for(self, provider: Provider) -> WebhookFault | None:
        for place, fault in enumerate(self.faults):
            if fault.provider == provider:
                self.faults[place : place + 1] = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                return fault
        return None
