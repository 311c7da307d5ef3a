"""Payments §5-6 without I/O: what a provider's answer means for an order, and when it is asked again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evpower.identifiers import ClientId
from evpower.payments.gateway import OrderState, OrderStatus, Payment
from evpower.payments.top_up import (
    BY_HAND,
    CREDITED,
    Method,
    Parking,
    Phase,
    TopUp,
    TopUpRules,
    Verdict,
    judge,
    returns,
)
from evpower.payments.top_up_schedule import (
    is_given_up,
    keeps_asking,
    may_force,
    next_check,
    plan_check,
    redated,
    wants_cancel,
)
from tests.worlds.fakes import NOON

RULES = TopUpRules()
LIFE = timedelta(seconds=RULES.invoice_lifetime_s)
ORDER = TopUp(
    id=1,
    order_id="tu_1",
    number=1,
    client_id=ClientId("c"),
    provider="ODENGI",
    method="qr",
    phase="processing",
    amount_tyiyn=100_00,
    paid_tyiyn=0,
    refunded_tyiyn=0,
    currency="KGS",
    description="",
    invoice_id="530912448170",
    auth_key=None,
    qr_code=None,
    qr_code_url=None,
    app_link=None,
    challenge=None,
    card_mask=None,
    reason=None,
    flags=(),
    created_at=NOON,
    expires_at=NOON + LIFE,
    last_check_at=None,
    next_check_at=NOON,
    due_why=None,
    checks_done=0,
    slow_steps=0,
)
PAYMENTS = st.builds(
    Payment,
    st.sampled_from(["a", "b", "c"]),
    st.none() | st.integers(-5, 20_000_00),
    st.sampled_from([None, "KGS", "USD"]),
    st.sampled_from([0, 5_00]),
)
STATUSES = st.builds(
    OrderStatus,
    st.sampled_from(OrderState),
    st.lists(PAYMENTS, max_size=3, unique_by=lambda payment: payment.trans_id).map(tuple),
    st.none() | st.integers(0, 20_000_00),
    is_test=st.booleans(),
)
PHASES = st.sampled_from(get_args(Phase))
ORDERS = st.builds(
    lambda phase, provider, flags: replace(ORDER, phase=phase, provider=provider, flags=flags, paid_tyiyn=100_00),
    PHASES,
    st.sampled_from(["ODENGI", "OBANK"]),
    st.sampled_from([(), (BY_HAND,)]),
)
BOOKED = st.sets(st.sampled_from(["a", "b"]))


def paid(tyiyn: int | None, currency: str | None = None) -> OrderStatus:
    return OrderStatus(OrderState.APPROVED, (Payment("a", tyiyn, currency),))


def ruled(order: TopUp, status: OrderStatus, after_s: float = 10, booked: frozenset[str] = frozenset()) -> Verdict:
    return judge(order, status, NOON + timedelta(seconds=after_s), RULES, booked)


@given(ORDERS, STATUSES, BOOKED)
def test_only_a_positive_sum_in_som_that_was_not_booked_before_is_credited(
    order: TopUp, status: OrderStatus, booked: set[str]
) -> None:
    for payment in judge(order, status, NOON, RULES, booked).credits:
        assert payment.amount_tyiyn is not None
        assert payment.amount_tyiyn > 0
        assert payment.currency in (None, "KGS")
        assert payment.trans_id not in booked
        assert status.state in (OrderState.APPROVED, OrderState.PARTIAL_REFUND)


@given(ORDERS, STATUSES, BOOKED)
def test_a_card_provider_credits_nothing_but_the_ordered_sum(
    order: TopUp, status: OrderStatus, booked: set[str]
) -> None:
    credits = judge(replace(order, provider="OBANK"), status, NOON, RULES, booked).credits
    assert all(payment.amount_tyiyn == order.amount_tyiyn for payment in credits)


@given(ORDERS, STATUSES, BOOKED)
def test_what_is_credited_is_never_downgraded(order: TopUp, status: OrderStatus, booked: set[str]) -> None:
    after = judge(order, status, NOON, RULES, booked).phase
    if order.phase in CREDITED:
        assert after in CREDITED
    if order.phase == "refunded":
        assert after == "refunded"


@given(ORDERS, STATUSES, BOOKED)
def test_no_payment_is_lost_each_is_booked_credited_parked_or_a_test(
    order: TopUp, status: OrderStatus, booked: set[str]
) -> None:
    if status.state not in (OrderState.APPROVED, OrderState.PARTIAL_REFUND) or status.is_test:
        return
    verdict = judge(order, status, NOON, RULES, booked)
    settled = booked | {p.trans_id for p in verdict.credits} | {p.trans_id for p in verdict.parked}
    assert {payment.trans_id for payment in status.payments} <= settled


@given(ORDERS, STATUSES, BOOKED)
def test_a_test_payment_is_money_only_where_the_rules_say_so(
    order: TopUp, status: OrderStatus, booked: set[str]
) -> None:
    status = replace(status, is_test=True)
    assert judge(order, status, NOON, RULES, booked).credits == ()
    in_sandbox = judge(order, status, NOON, replace(RULES, test_payments=True), booked)
    assert in_sandbox == judge(order, replace(status, is_test=False), NOON, RULES, booked)


@given(ORDERS, st.sampled_from([OrderState.REFUNDED, OrderState.PARTIAL_REFUND]), STATUSES)
def test_a_payment_that_went_back_moves_no_money(order: TopUp, state: OrderState, status: OrderStatus) -> None:
    credits = ruled(order, replace(status, state=state)).credits
    assert not any(payment.given_back_tyiyn for payment in credits)
    assert state is OrderState.PARTIAL_REFUND or credits == ()


def in_part(*payments: Payment) -> OrderStatus:
    """Some of these went back in part."""
    return OrderStatus(OrderState.PARTIAL_REFUND, payments, sum(each.given_back_tyiyn for each in payments))


def test_a_new_payment_beside_one_that_went_back_in_part_is_credited() -> None:
    order = replace(ORDER, phase="approved", paid_tyiyn=100_00)
    status = in_part(Payment("a", 70_00, given_back_tyiyn=30_00), Payment("b", 100_00))
    verdict = ruled(order, status, booked=frozenset({"a"}))
    assert ([each.trans_id for each in verdict.credits], verdict.phase) == (["b"], "partial_refund")
    assert [(each.reason, each.amount_tyiyn) for each in verdict.parked] == [("refund", 30_00)]
    assert verdict.notes == ("several_payments",)


@pytest.mark.parametrize("phase", ["processing", "expired", "approved"])
def test_what_went_back_before_it_was_credited_is_a_persons_and_the_rest_is_credited(phase: Phase) -> None:
    status = in_part(Payment("a", 70_00, given_back_tyiyn=30_00), Payment("b", 100_00))
    verdict = ruled(replace(ORDER, phase=phase), status)
    assert ([each.trans_id for each in verdict.credits], verdict.phase) == (["b"], "approved")
    assert [(each.reason, each.trans_id, each.amount_tyiyn) for each in verdict.parked] == [
        ("refund_of_uncredited", "a", 70_00)
    ]


def test_what_went_back_uncredited_is_no_refund_of_what_was_credited() -> None:
    order = replace(ORDER, phase="approved", paid_tyiyn=100_00)
    status = in_part(Payment("a", 70_00, given_back_tyiyn=30_00), Payment("b", 100_00))
    verdict = ruled(order, status, booked=frozenset({"b"}))
    assert (verdict.phase, [each.reason for each in verdict.parked]) == ("approved", ["refund_of_uncredited"])


@pytest.mark.parametrize("phase", ["created", "canceled", "expired"])
def test_a_late_payment_is_credited_and_noted(phase: Phase) -> None:
    verdict = ruled(replace(ORDER, phase=phase), paid(100_00), after_s=86_400)
    assert (verdict.phase, len(verdict.credits), verdict.notes) == ("approved", 1, ("late_payment",))


@pytest.mark.parametrize("tyiyn", [99_99, 100_01, 1])
def test_a_qr_payment_of_another_sum_is_credited_as_paid_and_flagged(tyiyn: int) -> None:
    verdict = ruled(ORDER, paid(tyiyn))
    assert (verdict.credits[0].amount_tyiyn, verdict.notes) == (tyiyn, ("amount_mismatch",))


@pytest.mark.parametrize(
    ("provider", "status", "reason"),
    [
        ("OBANK", paid(99_99), "other_sum"),
        ("OBANK", paid(1000_00), "other_sum"),
        ("OBANK", paid(None), "no_sum"),
        ("ODENGI", paid(None), "no_sum"),
        ("ODENGI", paid(0), "sum_not_positive"),
        ("ODENGI", paid(-1), "sum_not_positive"),
        ("ODENGI", paid(100_00, "USD"), "other_currency"),
        ("OBANK", paid(100_00, "USD"), "other_currency"),
        ("ODENGI", OrderStatus(OrderState.APPROVED), "no_sum"),
    ],
)
def test_what_cannot_be_credited_by_rule_waits_for_a_person(provider: str, status: OrderStatus, reason: str) -> None:
    verdict = ruled(replace(ORDER, provider=provider), status)
    assert (verdict.phase, verdict.credits, verdict.parked[0].reason) == ("review", (), reason)


def test_two_payments_of_one_order_are_two_credits_and_flagged() -> None:
    both = OrderStatus(OrderState.APPROVED, (Payment("a", 100_00), Payment("b", 100_00)))
    verdict = ruled(ORDER, both)
    assert ([p.trans_id for p in verdict.credits], verdict.notes) == (["a", "b"], ("several_payments",))
    later = ruled(replace(ORDER, phase="approved"), both, booked=frozenset({"a"}))
    assert ([p.trans_id for p in later.credits], later.notes) == (["b"], ("several_payments",))


def test_one_of_two_payments_that_is_of_another_sum_is_flagged() -> None:
    both = OrderStatus(OrderState.APPROVED, (Payment("a", 100_00), Payment("b", 90_00)))
    assert ruled(ORDER, both).notes == ("amount_mismatch", "several_payments")


@pytest.mark.parametrize("status", [OrderStatus(OrderState.APPROVED), paid(100_00)])
@pytest.mark.parametrize(("phase", "after"), [*((each, each) for each in CREDITED), ("processing", "approved")])
def test_what_was_booked_and_is_called_paid_again_is_no_matter(phase: Phase, after: Phase, status: OrderStatus) -> None:
    assert ruled(replace(ORDER, phase=phase), status, booked=frozenset({"a"})) == Verdict(after)


def test_a_test_order_that_is_called_paid_without_a_payment_stays_as_it_is() -> None:
    status = OrderStatus(OrderState.APPROVED, is_test=True)
    assert ruled(ORDER, status) == Verdict("processing", notes=("test_payment",))


def test_a_test_order_that_nobody_paid_ends_as_any_other() -> None:
    assert ruled(ORDER, OrderStatus(OrderState.CANCELED, is_test=True)) == Verdict("canceled")


def test_a_provider_is_asked_by_its_own_id_once_there_is_one() -> None:
    assert ORDER.for_provider().invoice_id == "530912448170"
    assert replace(ORDER, invoice_id=ORDER.order_id).for_provider().invoice_id is None


@pytest.mark.parametrize("state", [OrderState.PROCESSING, OrderState.CANCELED, OrderState.NOT_FOUND])
@pytest.mark.parametrize("phase", ["approved", "refunded", "partial_refund", "review"])
def test_an_answer_that_says_unpaid_is_ignored_once_paid(phase: Phase, state: OrderState) -> None:
    verdict = ruled(replace(ORDER, phase=phase), OrderStatus(state), after_s=86_400)
    assert verdict == Verdict(phase, notes=(f"ignored_{state.value}",))


@pytest.mark.parametrize(
    ("phase", "state", "after_s", "expected"),
    [
        ("created", OrderState.PROCESSING, 15, "processing"),
        ("processing", OrderState.PROCESSING, 299, "processing"),
        ("processing", OrderState.PROCESSING, 300, "expired"),
        ("created", OrderState.NOT_FOUND, 119, "created"),
        ("created", OrderState.NOT_FOUND, 120, "canceled"),
        ("processing", OrderState.CANCELED, 15, "canceled"),
        ("expired", OrderState.CANCELED, 900, "expired"),
        ("canceled", OrderState.PROCESSING, 900, "canceled"),
    ],
)
def test_an_unpaid_order_moves_as_the_table_says(
    phase: Phase, state: OrderState, after_s: float, expected: Phase
) -> None:
    assert ruled(replace(ORDER, phase=phase), OrderStatus(state), after_s).phase == expected


@pytest.mark.parametrize(
    ("state", "refunded", "booked", "phase", "parked"),
    [
        (OrderState.REFUNDED, None, 0, "refunded", 100_00),
        (OrderState.REFUNDED, 100_00, 100_00, "refunded", None),
        (OrderState.PARTIAL_REFUND, 30_00, 0, "partial_refund", 30_00),
        (OrderState.PARTIAL_REFUND, 30_00, 30_00, "partial_refund", None),
        (OrderState.REFUNDED, None, 30_00, "refunded", 70_00),
        (OrderState.REFUNDED, 40_00, 0, "refunded", 40_00),
    ],
)
def test_what_a_provider_gave_back_waits_for_a_person_as_far_as_it_is_not_booked(
    state: OrderState, refunded: int | None, booked: int, phase: Phase, parked: int | None
) -> None:
    order = replace(ORDER, phase="approved", paid_tyiyn=100_00, refunded_tyiyn=booked)
    verdict = ruled(order, OrderStatus(state, refunded_tyiyn=refunded))
    assert (verdict.phase, [p.amount_tyiyn for p in verdict.parked]) == (phase, [] if parked is None else [parked])


def test_a_part_without_a_sum_waits_for_a_person_without_one() -> None:
    order = replace(ORDER, phase="approved", paid_tyiyn=100_00)
    verdict = ruled(order, OrderStatus(OrderState.PARTIAL_REFUND))
    assert (verdict.phase, verdict.parked) == ("partial_refund", (Parking("refund"),))


def test_each_payment_that_went_back_before_its_order_was_credited_is_named_to_a_person() -> None:
    verdict = ruled(ORDER, OrderStatus(OrderState.REFUNDED, (Payment("a", 100_00), Payment("b", 90_00))))
    named = [(each.reason, each.trans_id, each.amount_tyiyn) for each in verdict.parked]
    assert named == [("refund_of_uncredited", "a", 100_00), ("refund_of_uncredited", "b", 90_00)]


def test_a_whole_refund_of_a_credited_order_is_one_matter() -> None:
    order = replace(ORDER, phase="approved", paid_tyiyn=100_00)
    verdict = ruled(order, OrderStatus(OrderState.REFUNDED, (Payment("b", 100_00),)), booked=frozenset({"a"}))
    assert verdict.parked == (Parking("refund", None, 100_00),)


def test_an_old_notice_of_a_part_leaves_what_was_given_back_whole_as_it_is() -> None:
    order = replace(ORDER, phase="refunded", paid_tyiyn=100_00, refunded_tyiyn=100_00)
    verdict = ruled(order, OrderStatus(OrderState.PARTIAL_REFUND, refunded_tyiyn=30_00))
    assert (verdict.phase, verdict.parked) == ("refunded", ())


def planned(order: TopUp = ORDER, rules: TopUpRules = RULES) -> list[tuple[float, str]]:
    """When a provider that always says "processing" is asked, in seconds after the creation, and by which phase."""
    checks: list[tuple[float, str]] = []
    at = NOON + timedelta(seconds=rules.poll_interval_s)
    while not is_given_up(order, at):
        plan = plan_check(order, at, rules)
        checks.append(((at - NOON).total_seconds(), plan.source))
        phase: Phase = "expired" if order.is_past_life(at) else "processing"
        order = replace(order, checks_done=plan.checks_done, slow_steps=plan.slow_steps, phase=phase, due_why=None)
        at = plan.at
    return checks


def test_the_fast_phase_is_twenty_checks_fifteen_seconds_apart() -> None:
    fast = [at for at, source in planned() if source == "poll"]
    assert fast == [15.0 * step for step in range(1, 21)]


def test_the_slow_sweep_doubles_up_to_a_day() -> None:
    slow = [at for at, source in planned() if source == "sweep"]
    gaps = [round(b - a) for a, b in zip([300.0, *slow], slow, strict=False)]
    assert gaps[:9] == [600, 600, 1200, 2400, 4800, 9600, 19200, 38400, 76800]
    assert set(gaps[9:]) == {86400}
    assert slow[-1] < 7 * 86400


@given(st.integers(0, 40), st.floats(0, 400), st.booleans(), PHASES)
def test_no_more_than_twenty_fast_checks_whoever_asks(done: int, after_s: float, forced: bool, phase: Phase) -> None:
    order = replace(ORDER, phase=phase, checks_done=min(done, 20), due_why="forced" if forced else None)
    plan = plan_check(order, NOON + timedelta(seconds=after_s), RULES)
    assert plan.checks_done <= 20
    assert plan.at > NOON + timedelta(seconds=after_s)


def test_the_last_fast_check_is_kept_for_the_end_of_the_orders_life() -> None:
    eighteen = replace(ORDER, checks_done=18)
    assert plan_check(eighteen, NOON + timedelta(seconds=60), RULES).at == ORDER.expires_at
    assert not may_force(replace(ORDER, checks_done=19), RULES)
    assert may_force(eighteen, RULES)


def test_an_operator_has_a_question_left_when_the_fast_ones_are_over_and_it_makes_no_later_one_rarer() -> None:
    over = replace(ORDER, checks_done=20, slow_steps=3)
    assert not may_force(over, RULES)
    assert may_force(over, RULES, by_operator=True)
    assert not may_force(replace(over, checks_done=19), RULES, by_operator=True)
    assert not may_force(replace(over, phase="approved"), RULES, by_operator=True)
    assert plan_check(replace(over, due_why="forced"), NOON, RULES).slow_steps == 3
    assert plan_check(over, NOON, RULES).slow_steps == 4
    assert plan_check(replace(over, phase="canceled", due_why="forced"), NOON, RULES).slow_steps == 4


def test_a_webhooks_check_does_not_count() -> None:
    plan = plan_check(replace(ORDER, checks_done=7, due_why="webhook"), NOON, RULES)
    assert (plan.checks_done, plan.slow_steps, plan.source) == (7, 0, "webhook")


@pytest.mark.parametrize(
    ("phase", "done", "at_s", "in_s"),
    [
        ("processing", 7, 0, 15),
        ("created", 19, 299, 15),
        ("processing", 20, 0, 600),
        ("processing", 7, 300, 600),
        ("approved", 7, 0, 600),
    ],
)
def test_after_a_webhooks_check_an_order_is_asked_about_fast_only_while_it_may_be(
    phase: Phase, done: int, at_s: float, in_s: float
) -> None:
    now = NOON + timedelta(seconds=at_s)
    plan = plan_check(replace(ORDER, phase=phase, checks_done=done, due_why="webhook"), now, RULES)
    assert plan.at == now + timedelta(seconds=in_s)


@pytest.mark.parametrize(("done", "at_s"), [(5, 300), (19, 60)])
def test_a_fast_check_after_the_orders_life_or_the_last_one_is_followed_by_a_slow_one(done: int, at_s: float) -> None:
    now = NOON + timedelta(seconds=at_s)
    assert plan_check(replace(ORDER, checks_done=done), now, RULES).at == now + timedelta(seconds=600)


@given(PHASES, st.sampled_from([None, *OrderState]))
def test_a_qr_code_is_asked_about_for_a_week_whatever_became_of_it(phase: Phase, state: OrderState | None) -> None:
    """It can be scanned by several people: a paid one may be paid again."""
    assert keeps_asking(ORDER, phase, state, NOON + timedelta(days=6))
    assert not keeps_asking(ORDER, phase, state, NOON + timedelta(days=7))


@pytest.mark.parametrize("method", ["card", "token"])
@pytest.mark.parametrize("phase", [*CREDITED, "review"])
def test_a_card_pays_once_and_is_asked_about_no_more(method: Method, phase: Phase) -> None:
    assert not keeps_asking(replace(ORDER, method=method), phase, OrderState.APPROVED, NOON)


def test_a_paid_code_is_asked_about_by_the_slow_schedule_from_its_payment_on() -> None:
    at = NOON + timedelta(seconds=30)
    order = replace(ORDER, checks_done=2, next_check_at=NOON + timedelta(seconds=45))
    gaps = []
    while (next_at := next_check(order, "approved", OrderState.APPROVED, at, RULES)) is not None:
        gaps.append(round((next_at - at).total_seconds()))
        at, order = next_at, replace(order, phase="approved", next_check_at=next_at)
        plan = plan_check(order, at, RULES)
        order = replace(order, slow_steps=plan.slow_steps, next_check_at=plan.at)
    assert gaps[:9] == [600, 600, 1200, 2400, 4800, 9600, 19200, 38400, 76800]
    assert set(gaps[9:]) == {86400}
    assert len(gaps) == 15


@pytest.mark.parametrize("phase", ["created", "processing", "canceled", "expired"])
def test_what_is_not_paid_is_asked_about_when_the_claim_planned(phase: Phase) -> None:
    planned_at = NOON + timedelta(seconds=77)
    order = replace(ORDER, next_check_at=planned_at)
    assert next_check(order, phase, OrderState.PROCESSING, NOON, RULES) == planned_at


def test_a_declined_card_is_asked_about_no_more() -> None:
    assert not keeps_asking(replace(ORDER, method="card"), "canceled", OrderState.CANCELED, NOON)


@pytest.mark.parametrize("state", [None, OrderState.PROCESSING])
def test_a_card_whose_end_the_provider_has_not_said_is_asked_about(state: OrderState | None) -> None:
    assert keeps_asking(replace(ORDER, method="card"), "canceled", state, NOON)
    assert keeps_asking(replace(ORDER, method="card"), "expired", OrderState.CANCELED, NOON)


@pytest.mark.parametrize(
    ("order", "wants"),
    [
        (ORDER, True),
        (replace(ORDER, method="card"), False),
        (replace(ORDER, invoice_id=ORDER.order_id), False),
        (replace(ORDER, phase="approved"), False),
        (replace(ORDER, phase="canceled"), True),
        (replace(ORDER, phase="canceled", slow_steps=1), False),
    ],
)
def test_an_invoice_that_its_provider_knows_is_cancelled_once_nobody_may_pay_it(order: TopUp, wants: bool) -> None:
    assert wants_cancel(order, NOON + LIFE) is wants


def test_an_invoice_that_may_still_be_paid_is_not_cancelled() -> None:
    assert not wants_cancel(ORDER, NOON + LIFE - timedelta(seconds=1))


def test_an_order_keeps_its_life_when_the_wall_clock_jumps() -> None:
    moved = redated(ORDER, lambda at: at + timedelta(days=1))
    assert (moved.created_at, moved.expires_at) == (NOON + timedelta(days=1), NOON + timedelta(days=1) + LIFE)


# ---------------------------------------------------------------------------------------------------- returns
def canceled(*trans_ids: str) -> OrderStatus:
    return OrderStatus(OrderState.CANCELED, tuple(Payment(each, 100_00) for each in trans_ids))


@pytest.mark.parametrize(("booked", "told"), [(["a"], ["a"]), (["a"], ["b", "a"]), (["a", "b"], ["b", "a"])])
def test_every_credited_payment_told_as_canceled_is_a_return(booked: list[str], told: list[str]) -> None:
    assert returns(canceled(*told), booked)


@pytest.mark.parametrize(("booked", "told"), [([], ["a"]), ([], []), (["a"], []), (["a"], ["b"]), (["a", "b"], ["a"])])
def test_a_cancel_that_leaves_a_credited_payment_out_is_no_return(booked: list[str], told: list[str]) -> None:
    assert not returns(canceled(*told), booked)


@pytest.mark.parametrize("state", [state for state in OrderState if state is not OrderState.CANCELED])
def test_only_a_canceled_order_returns_its_payments(state: OrderState) -> None:
    assert not returns(replace(canceled("a"), state=state), ["a"])


def test_a_credited_order_whose_payment_was_returned_reads_refunded_and_waits_for_a_person() -> None:
    order = replace(ORDER, phase="approved", paid_tyiyn=100_00)
    verdict = judge(order, canceled("a"), NOON, RULES, ["a"])
    assert (verdict.phase, [(each.reason, each.amount_tyiyn) for each in verdict.parked]) == (
        "refunded",
        [("refund", 100_00)],
    )
    kept = judge(order, canceled("b"), NOON, RULES, ["a"])
    assert (kept.phase, kept.parked) == ("approved", ())
