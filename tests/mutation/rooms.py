"""What is mutated, and the tests that are there for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

#: Modules, and the tests that are there for them: pure rules first, then those on a real PostgreSQL.
ROOMS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "rules": (
        ("billing.rates", "billing.tariff", "billing.reservation", "billing.settlement", "money"),
        (
            "tests/billing/test_tariff.py",
            "tests/billing/test_rates.py",
            "tests/billing/test_reservation.py",
            "tests/billing/test_settlement.py",
            "tests/charging/test_prediction.py",
            "tests/idle_fees",
            "tests/charging/test_moving_prices.py",
        ),
    ),
    "belief": (
        ("metering.belief", "metering.registers"),
        (
            "tests/metering",
            "tests/charging/test_belief.py",
            "tests/charging/test_billed_minutes.py",
            "tests/charging/test_late_starts.py",
        ),
    ),
    "top-ups": (
        ("payments.top_up", "payments.top_up_schedule"),
        (
            "tests/payments/test_top_up.py",
            "tests/payments/test_poller.py",
            "tests/payments/test_decisions.py",
            "tests/payments/test_refunds.py",
            "tests/payments/test_top_ups.py",
            "tests/payments/test_exactly_once.py",
        ),
    ),
    "ledger": (
        ("billing.ledger", "billing.service", "billing.account", "billing.rows.debts", "billing.rows.ledger"),
        (
            "tests/billing",
            "tests/charging/test_worked_examples.py",
            "tests/charging/test_money_lines.py",
            "tests/charging/test_settler.py",
            "tests/charging/test_doubts.py",
            "tests/charging/test_queued_start_goes_on.py",
            "tests/payments/test_refunds.py",
            "tests/payments/test_money_lines.py",
            "tests/payments/test_payment_metrics.py",
            "tests/reservations/test_starts.py",
            "tests/reservations/test_fees.py",
            "tests/idle_fees",
            "tests/accounts",
            "tests/push/test_events.py",
            "tests/server/test_charge_metrics.py",
        ),
    ),
    "settling": (
        ("charging.settler", "charging.session", "charging.rows.settlements"),
        (
            "tests/charging",
            "tests/idle_fees",
            "tests/reservations",
            "tests/push/test_events.py",
            "tests/server/test_charge_metrics.py",
        ),
    ),
}
