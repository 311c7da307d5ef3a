"""A top-up order and its rules, without I/O: what a provider's answer means, and when it is asked again (payments §5).

    created ──accepted──▶ processing ──paid──▶ approved ──given back──▶ partial_refund ──▶ refunded
       └─refused─▶ canceled ◀──canceled──┘└─lifetime over─▶ expired       canceled, expired ──paid late──▶ approved
    review: the provider says paid, but not so that it may be credited; a person decides

Nothing goes back: what is approved stays so whatever an old answer says. Only `judge` moves an order.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from evpower.billing.order_ref import OrderRef
from evpower.identifiers import ClientId
from evpower.money import CURRENCY
from evpower.payments.gateway import Challenge, OrderState, OrderStatus, Payment, ProviderOrder

Phase = Literal["created", "processing", "approved", "canceled", "expired", "refunded", "partial_refund", "review"]
Method = Literal["qr", "card", "token"]
Source = Literal["client", "webhook", "poll", "sweep", "forced", "operator"]

OPEN: frozenset[Phase] = frozenset({"created", "processing"})
CREDITED: frozenset[Phase] = frozenset({"approved", "refunded", "partial_refund"})
#: Paid, as far as is known. A QR code may be paid again by somebody else.
PAID: frozenset[Phase] = CREDITED | {"review"}
#: `balance_topups.status`, the five public statuses (design §9.3).
PUBLIC: Mapping[Phase, str] = {
    "created": "processing",
    "processing": "processing",
    "review": "processing",
    "approved": "approved",
    "canceled": "canceled",
    "expired": "canceled",
    "refunded": "refunded",
    "partial_refund": "partial_refund",
}
#: The numbers of our own API; providers have others (payments §2.7).
NUMBER = {"processing": 0, "approved": 1, "canceled": 2, "refunded": 3, "partial_refund": 4}

#: "Not found" before this may be a payment on its way (payments U19).
NOT_FOUND_GRACE = timedelta(minutes=2)
#: A person credited it: what a provider reports afterwards is for a person again.
BY_HAND = "credited_by_hand"


@dataclass(frozen=True)
class Origin:
    """Who sets something going, for the audit log."""

    source: Source
    request_id: str | None = None
    peer: str | None = None
    #: The operator's name.
    actor: str | None = None

    @property
    def who(self) -> str:
        """As the ledger keeps it: a person's name, or what made us act."""
        return self.actor or self.source


@dataclass(frozen=True)
class TopUpWish:
    """What a phone asks for."""

    client_id: ClientId
    amount_tyiyn: int
    description: str


@dataclass(frozen=True)
class TopUpRules:
    """What an operator may set; times in seconds, sums in tyiyn."""

    poll_interval_s: float = 15
    max_checks: int = 20
    slow_interval_s: float = 600
    invoice_lifetime_s: int = 300
    minimum_tyiyn: int = 10_00
    maximum_tyiyn: int = 100_000_00
    #: Cards entered through our API (design §9.4).
    h2h_allowed: bool = False
    #: Whether payments of a provider's test mode are money; never in production.
    test_payments: bool = False
    #: Providers whose paid sum must be the ordered one; the others' is believed (design §9.2).
    exact_sum_providers: frozenset[str] = frozenset({"OBANK"})


@dataclass(frozen=True)
class TopUp:
    """One order as in its rows."""

    id: int
    order_id: str
    number: int
    client_id: ClientId
    provider: str
    method: Method
    phase: Phase
    amount_tyiyn: int
    paid_tyiyn: int
    refunded_tyiyn: int
    currency: str
    description: str
    #: What phones know it by: the provider's id of it, our `order_id` until there is one.
    invoice_id: str
    auth_key: str | None
    qr_code: str | None
    qr_code_url: str | None
    app_link: str | None
    challenge: Challenge | None
    card_mask: str | None
    reason: str | None
    flags: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_check_at: datetime | None
    next_check_at: datetime | None
    due_why: Literal["webhook", "forced"] | None
    checks_done: int
    slow_steps: int

    @property
    def ref(self) -> OrderRef:
        """What billing gets of it."""
        return OrderRef(self.id, self.client_id, self.provider, self.invoice_id)

    @property
    def status(self) -> str:
        """The public status."""
        return PUBLIC[self.phase]

    def is_past_life(self, now: datetime) -> bool:
        """Whether it can no longer be paid by the book; it may be paid all the same."""
        return now >= self.expires_at

    def for_provider(self) -> ProviderOrder:
        """What its gateway needs."""
        return ProviderOrder(
            self.order_id,
            self.number,
            self.amount_tyiyn,
            self.description,
            self.created_at,
            self.expires_at,
            None if self.invoice_id == self.order_id else self.invoice_id,
            self.currency,
        )


@dataclass(frozen=True)
class TopUpView:
    """A top-up as a phone sees it, with the client's free money now."""

    order: TopUp
    balance_tyiyn: int
    now: datetime
    lifetime_s: int
    trans_id: str | None = None


@dataclass(frozen=True)
class Parking:
    """Why a person has to look at it; `amount_tyiyn` is what the provider says, if it says."""

    reason: str
    trans_id: str | None = None
    amount_tyiyn: int | None = None
    currency: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What an answer of the provider changes: the phase, money to credit, matters for a person, text for the audit."""

    phase: Phase
    credits: tuple[Payment, ...] = ()
    parked: tuple[Parking, ...] = ()
    notes: tuple[str, ...] = ()


def judge(order: TopUp, status: OrderStatus, now: datetime, rules: TopUpRules, booked: Collection[str]) -> Verdict:
    """What a provider's answer to our own query means (payments §5).

    `booked` are the `trans_id`s that were credited to this order before.
    """
    if status.is_test and not rules.test_payments and (status.payments or status.state is OrderState.APPROVED):
        return Verdict(order.phase, notes=("test_payment",))
    if status.state in (OrderState.REFUNDED, OrderState.PARTIAL_REFUND):
        return _given_back(order, status, rules, booked)
    if status.state is OrderState.CANCELED and order.phase in CREDITED and returns(status, booked):
        return _given_back(order, replace(status, state=OrderState.REFUNDED), rules, booked)
    if status.state is OrderState.APPROVED:
        return _paid(order, status, rules, booked)
    if order.phase in CREDITED or order.phase == "review":
        return Verdict(order.phase, notes=(f"ignored_{status.state.value}",))
    return _unpaid(order, status, now)


def returns(status: OrderStatus, booked: Collection[str]) -> bool:
    """Whether an answer names every credited payment as canceled: it was returned (payments §2.7)."""
    canceled = {payment.trans_id for payment in status.payments}
    return status.state is OrderState.CANCELED and bool(booked) and canceled.issuperset(booked)


def _paid(order: TopUp, status: OrderStatus, rules: TopUpRules, booked: Collection[str]) -> Verdict:
    new = [payment for payment in status.payments if payment.trans_id not in booked]
    if not new and (status.payments or booked):
        return Verdict(order.phase if order.phase in CREDITED else "approved")
    if not new:
        return Verdict(_reviewed(order.phase), parked=(Parking("no_sum"),))
    judged = [(payment, _objection(order, payment, rules)) for payment in new]
    credits = tuple(payment for payment, objection in judged if objection is None)
    parked = tuple(
        Parking(objection, payment.trans_id, payment.amount_tyiyn, payment.currency)
        for payment, objection in judged
        if objection is not None
    )
    notes = []
    if credits and order.phase in ("canceled", "expired", "created"):
        notes.append("late_payment")
    if any(payment.amount_tyiyn != order.amount_tyiyn for payment in credits):
        notes.append("amount_mismatch")
    if len(credits) + len(booked) > 1 and credits:
        notes.append("several_payments")
    phase = order.phase if order.phase in CREDITED else "approved" if credits else _reviewed(order.phase)
    return Verdict(phase, credits, parked, tuple(notes))


def _objection(order: TopUp, payment: Payment, rules: TopUpRules) -> str | None:
    """Why this payment must not be credited by itself."""
    if BY_HAND in order.flags:
        return "after_a_credit_by_hand"
    if payment.amount_tyiyn is None:
        return "no_sum"
    if payment.amount_tyiyn <= 0:
        return "sum_not_positive"
    if payment.currency not in (None, CURRENCY):
        return "other_currency"
    if order.provider in rules.exact_sum_providers and payment.amount_tyiyn != order.amount_tyiyn:
        return "other_sum"
    return None


def _reviewed(phase: Phase) -> Phase:
    return phase if phase in CREDITED else "review"


def _given_back(order: TopUp, status: OrderStatus, rules: TopUpRules, booked: Collection[str]) -> Verdict:
    """A notice of a refund: the public status follows, the money is a person's to book (design §9.2).

    Payments of which nothing went back are credited; one that went back before it was credited is a person's too.
    """
    is_part = status.state is OrderState.PARTIAL_REFUND
    new = [payment for payment in status.payments if payment.trans_id not in booked]
    kept = tuple(payment for payment in new if is_part and not payment.given_back_tyiyn)
    paid = _paid(order, replace(status, payments=kept), rules, booked) if kept else Verdict(order.phase)
    gone = [payment for payment in new if payment not in kept] if is_part or order.phase not in CREDITED else []
    parked = paid.parked + tuple(
        Parking("refund_of_uncredited", payment.trans_id, payment.amount_tyiyn or None, payment.currency)
        for payment in gone
    )
    if paid.phase not in CREDITED:
        return Verdict("review", parked=parked or (Parking("refund_of_uncredited"),))
    reported_tyiyn = given_back_tyiyn(status, booked)
    if reported_tyiyn is None and not is_part:
        reported_tyiyn = order.paid_tyiyn
    phase: Phase = "partial_refund" if is_part else "refunded"
    if order.phase == "refunded" or reported_tyiyn == 0:
        phase = paid.phase
    if reported_tyiyn is None or reported_tyiyn > order.refunded_tyiyn:
        unbooked_tyiyn = None if reported_tyiyn is None else reported_tyiyn - order.refunded_tyiyn
        parked += (Parking("refund", None, unbooked_tyiyn),)
    return replace(paid, phase=phase, parked=parked)


def given_back_tyiyn(status: OrderStatus, booked: Collection[str]) -> int | None:
    """How much of what we credited went back, in total; None when the provider does not say."""
    if status.refunded_tyiyn is None:
        return None
    others_tyiyn = sum(each.given_back_tyiyn for each in status.payments if each.trans_id not in booked)
    return max(0, status.refunded_tyiyn - others_tyiyn)


def _unpaid(order: TopUp, status: OrderStatus, now: datetime) -> Verdict:
    """Not paid, as far as the provider knows; only orders that were never credited come here."""
    if order.phase not in OPEN:
        return Verdict(order.phase)
    if status.state is OrderState.CANCELED:
        return Verdict("canceled")
    if status.state is OrderState.NOT_FOUND:
        return Verdict("canceled" if now - order.created_at >= NOT_FOUND_GRACE else order.phase)
    return Verdict("expired" if order.is_past_life(now) else "processing")
