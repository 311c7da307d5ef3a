"""Every call to a payment provider: ended in time, counted, and what it shows of how the provider does.

No database transaction is open meanwhile. A provider that fails again and again is left alone by the poller, longer
each time; any answer, to any caller, ends that. What phones ask and do not get begins and lengthens no such
pause: a provider that makes no invoices may still say which are paid.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeVar

import trio

from evpower.clock import Clock
from evpower.errors import ProviderError, ProviderFailure, ProviderTimeout, ProviderUnavailable

T = TypeVar("T")
Operation = Literal["create_invoice", "pay", "pay_with_token", "store_card", "status", "cancel", "refund"]
Outcome = Literal["answered", "refused", "unavailable", "timeout", "tls"]

#: Inside a phone's request: the phone itself gives up after 10 s (payments §6).
CLIENT_WAITS_S = 8.0
#: After so many failures in a row a provider counts as failing, and is left alone, twice as long each time.
FAILURES_BORNE = 3
BACKOFF_FIRST_S = 5
BACKOFF_MOST_S = 300
#: Calls of each provider that are shown.
RECENT_MOST = 5
#: What workers ask, in their own time.
BACKGROUND: frozenset[Operation] = frozenset({"status", "cancel"})
#: How each way a call can fail is counted (billing/gateway.py).
OUTCOME_OF: dict[type[ProviderFailure], Outcome] = {
    ProviderError: "refused",
    ProviderUnavailable: "unavailable",
    ProviderTimeout: "timeout",
}


@dataclass(frozen=True)
class ProviderCall:
    """How one call to a provider ended, when, and how long it took, in seconds."""

    at: datetime
    operation: Operation
    outcome: Outcome
    took_s: float


@dataclass(frozen=True)
class ProviderState:
    """How a provider does, as people see it: `off` is not set up, `failing` says since when and how."""

    status: Literal["up", "failing", "off"]
    failing_since: datetime | None = None
    last_error: str | None = None
    #: Why TLS failed, when that was the last error; for operators alone.
    tls: str = ""


@dataclass
class ProviderHealth:
    """How a provider answers this process."""

    failures: int = 0
    failing_since: datetime | None = None
    last_error: str | None = None
    tls: str = ""
    pauses: int = 0
    left_alone_until: datetime | None = None

    @property
    def is_up(self) -> bool:
        """False after `FAILURES_BORNE` failures in a row, until it answers."""
        return self.failures < FAILURES_BORNE

    @property
    def state(self) -> ProviderState:
        """As people see it."""
        if self.is_up:
            return ProviderState("up")
        return ProviderState("failing", self.failing_since, self.last_error, self.tls)

    def answered(self) -> None:
        """It answers again; what it answered does not matter."""
        self.failures, self.failing_since, self.last_error, self.tls = 0, None, None, ""
        self.pauses, self.left_alone_until = 0, None

    def failed(self, now: datetime, error: str, *, tls: str = "", background: bool = True) -> None:
        """No answer, again; only a question asked in the `background` begins a pause."""
        self.last_error, self.tls = error, tls
        if not self.may_be_asked(now):  # it was asked before the pause began, and belongs to those that began it
            return
        self.failures += 1
        self.failing_since = self.failing_since or now
        if background and not self.is_up:
            pause_s = min(BACKOFF_FIRST_S * 2 ** min(self.pauses, 16), BACKOFF_MOST_S)
            self.pauses, self.left_alone_until = self.pauses + 1, now + timedelta(seconds=pause_s)

    def clock_jumped(self) -> None:
        """When its pause ends was read on a clock that is another now."""
        self.left_alone_until = None

    def may_be_asked(self, now: datetime) -> bool:
        """Whether its pause is over."""
        return self.left_alone_until is None or now >= self.left_alone_until


class ProviderCalls:
    """The one way to a provider, for every caller; `health` by the name of each provider that is on."""

    def __init__(self, clock: Clock, providers: Iterable[str]) -> None:
        names = tuple(providers)
        self._clock = clock
        self.health = {name: ProviderHealth() for name in names}
        #: Calls since the start that were not given up by their asker.
        self.counts: Counter[tuple[str, Operation, Outcome]] = Counter()
        #: The last ones of each, the newest last.
        self.recent: dict[str, deque[ProviderCall]] = {name: deque(maxlen=RECENT_MOST) for name in names}

    async def answer(self, provider: str, operation: Operation, call: Awaitable[T], *, within_s: float) -> T:
        """What the provider answers. Raises ProviderFailure: ProviderTimeout when it takes longer than `within_s`
        seconds, because the outcome is unknown then.
        """
        began_s = trio.current_time()
        try:
            answer = await _answered_within(within_s, call)
        except ProviderFailure as error:
            self._count(provider, operation, "tls" if error.tls else OUTCOME_OF[type(error)], began_s)
            self._failed(provider, operation, error)
            raise
        self._count(provider, operation, "answered", began_s)
        self.health[provider].answered()
        return answer

    def _count(self, provider: str, operation: Operation, outcome: Outcome, began_s: float) -> None:
        self.counts[provider, operation, outcome] += 1
        call = ProviderCall(self._clock.now(), operation, outcome, trio.current_time() - began_s)
        self.recent[provider].append(call)

    def _failed(self, provider: str, operation: Operation, error: ProviderFailure) -> None:
        if isinstance(error, ProviderError):  # it answered; that it refused says nothing of how it does
            self.health[provider].answered()
        elif operation != "refund":  # a refund its provider has not decided yet is raised as a time-out too
            background = operation in BACKGROUND
            self.health[provider].failed(self._clock.now(), error.code, tls=error.tls, background=background)


async def _answered_within(seconds: float, call: Awaitable[T]) -> T:
    with trio.move_on_after(seconds):
        return await call
    raise ProviderTimeout
