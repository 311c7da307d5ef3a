"""OBANK's book: card operations of the point, hosted pages, stored cards (contract/payments §3). No wire."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from evpower.errors import EvPowerError
from evpower.simulator.providers.obank.cards import (
    CANCELED,
    CARD_UNKNOWN,
    OK,
    POINT_HAS_NO_FUNDS,
    REFUSED_BY_PAYER,
    CardVerdict,
    PayerCard,
    judge,
)
from evpower.simulator.providers.surroundings.clock import ProviderClock

#: `state` of a result (payments §3.2).
NOT_FOUND, NEW, RUNNING, DONE, REJECTED = -2, 0, 40, 60, 80


class OperationRefused(EvPowerError):
    """OBANK cannot do that; nothing was done."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where notices are sent, and where the payer's browser goes back to: in between, after success, after failure."""

    notify_url: str | None = None
    redirect_url: str | None = None
    success_url: str | None = None
    fail_url: str | None = None


@dataclass(slots=True)
class CardOperation:
    """One payment, under the point's own `number` (`id` on the wire)."""

    number: int
    trans: int
    sum: int
    service: str
    auth_key: str
    created_at: datetime
    addresses: Addresses
    state: int = NEW
    substate: int = 0
    code: int = OK
    #: States it has still to pass, one at each status query.
    ahead: list[int] = field(default_factory=list)
    #: Set while the payer has a 3-D Secure screen to answer.
    pa_req: str | None = None
    card_mask: str = ""
    returned: int = 0

    @property
    def is_final(self) -> bool:
        """Nothing changes any more, but for a refund."""
        return self.state in (DONE, REJECTED)

    @property
    def md(self) -> str:
        """What 3-D Secure calls the payment."""
        return self.auth_key

    @property
    def status_text(self) -> str:
        """The text status of `fetch-operation`."""
        if self.state == REJECTED:
            return "cancelled" if self.code == CANCELED else "failed"
        return "completed" if self.state == DONE else "processing"


@dataclass(slots=True)
class StoredCard:
    """A page where a person may store a card, and what came of it: never the card itself."""

    token: str
    until: datetime
    verdict: tuple[CardVerdict, int] | None = None
    card_mask: str = ""


class OperationBook:
    """All operations. `progress` is the states an approved payment passes; `point_has_funds` False stops them all."""

    def __init__(self, clock: ProviderClock, choices: random.Random, notify: Callable[[CardOperation], None]) -> None:
        self._clock = clock
        self._random = choices
        self._notify = notify
        self._last_trans = 7_780_000 + choices.randrange(1000)
        self.progress: Sequence[int] = (DONE,)
        self.point_has_funds = True
        self.by_number: dict[int, CardOperation] = {}
        self._by_key: dict[str, CardOperation] = {}
        self._stored: dict[str, StoredCard] = {}
        #: Good cards beside the seed's.
        self.issued: list[PayerCard] = []

    def open(self, number: int, sum: int, service: str, addresses: Addresses) -> CardOperation:
        """A new operation that waits for its card."""
        self._last_trans += self._random.randint(1, 9)
        operation = CardOperation(number, self._last_trans, sum, service, self._key(), self._clock.now(), addresses)
        self.by_number[number] = self._by_key[operation.auth_key] = operation
        return operation

    def find(self, key: str) -> CardOperation:
        """By `auth-key`, which is the MD of 3-D Secure too. Raises Refused."""
        if key not in self._by_key:
            raise OperationRefused("operation not found")
        return self._by_key[key]

    def charge(self, operation: CardOperation, card: PayerCard) -> None:
        """Put a card to it."""
        operation.card_mask = card.mask
        self._decide(operation, *self._judge(card))

    def charge_stored(self, operation: CardOperation, token: str) -> None:
        """Put a stored card to it; there is no payer to answer 3-D Secure."""
        stored = self._stored.get(token)
        if stored is None or stored.verdict is None or stored.until < self._clock.now():
            self._decide(operation, CardVerdict.DECLINE, CARD_UNKNOWN)
            return
        operation.card_mask = stored.card_mask
        verdict, code = stored.verdict
        self._decide(operation, CardVerdict.APPROVE if verdict is CardVerdict.CHALLENGE else verdict, code)

    def _decide(self, operation: CardOperation, verdict: CardVerdict, code: int) -> None:
        if verdict is CardVerdict.DECLINE:
            self.decline(operation, code)
        elif verdict is CardVerdict.CHALLENGE:
            operation.state, operation.substate = RUNNING, 3
            operation.pa_req = base64.b64encode(self._random.randbytes(24)).decode()
        else:
            self.approve(operation)

    def approve(self, operation: CardOperation, *, at_once: bool = False) -> None:
        """The issuer agrees: it begins to pass `progress`, or is done. Raises Refused when it is final."""
        _open(operation)
        operation.pa_req = None
        operation.ahead = [DONE] if at_once else list(self.progress)
        self.advance(operation)

    def decline(self, operation: CardOperation, code: int = REFUSED_BY_PAYER) -> None:
        """The issuer or the payer does not agree. Raises Refused when it is final."""
        _open(operation)
        operation.pa_req = None
        operation.ahead = []
        operation.state, operation.code = REJECTED, code
        self._notify(operation)

    def advance(self, operation: CardOperation) -> None:
        """One step of those ahead; none while the point has no funds (code 30: later, not a decline)."""
        if not operation.ahead:
            return
        if not self.point_has_funds:
            operation.code = POINT_HAS_NO_FUNDS
            return
        operation.code = OK
        operation.state = operation.ahead.pop(0)
        if operation.state == DONE:
            self._notify(operation)

    def cancel(self, operation: CardOperation, sum: int | None = None) -> None:
        """Give back a part, or all that is left; what is not done yet ends. Raises Refused."""
        if operation.state == REJECTED:
            raise OperationRefused("operation is rejected or cancelled already")
        left = operation.sum - operation.returned
        amount = left if sum is None else sum
        if not 0 < amount <= left or (operation.state != DONE and amount != left):
            raise OperationRefused("sum is more than is left, or a part of what is not done")
        if operation.state == DONE:
            operation.returned += amount
        if amount == left:
            operation.state, operation.code, operation.ahead, operation.pa_req = REJECTED, CANCELED, [], None
        self._notify(operation)

    def page_for_card(self, days: int) -> StoredCard:
        """A page where a person may store a card; the token is good for `days`."""
        stored = StoredCard(self._key(), self._clock.now() + timedelta(days=days))
        self._stored[stored.token] = stored
        return stored

    def stored(self, token: str) -> StoredCard:
        """Raises Refused."""
        if token not in self._stored:
            raise OperationRefused("token not found")
        return self._stored[token]

    def store(self, token: str, card: PayerCard) -> StoredCard:
        """A person has typed their card on the page. Raises Refused."""
        stored = self.stored(token)
        stored.verdict, stored.card_mask = self._judge(card), card.mask
        return stored

    def _judge(self, card: PayerCard) -> tuple[CardVerdict, int]:
        return (CardVerdict.APPROVE, OK) if card in self.issued else judge(card)

    def _key(self) -> str:
        return f"{self._random.getrandbits(128):032x}"


def _open(operation: CardOperation) -> None:
    if operation.is_final:
        raise OperationRefused("operation is final")
