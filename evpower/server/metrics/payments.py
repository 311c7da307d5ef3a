"""Metrics of payments for Prometheus; nothing of a client, an order or a sum is a label."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from evpower.payments.graph import Payments
from evpower.server.rows.figures import TopUpFigures


def payment_metrics(payments: Payments) -> Iterator[Metric]:
    """What this process counts of payments."""
    up = GaugeMetricFamily("evpower_provider_up", "Whether a payment provider that is on answers.", labels=["provider"])
    for provider, health in payments.calls.health.items():
        up.add_metric([provider], health.is_up)
    yield up
    labels = ["provider", "operation", "outcome"]
    calls = CounterMetricFamily("evpower_provider_calls", "How calls to payment providers ended.", labels=labels)
    for call, count in sorted(payments.calls.counts.items()):
        calls.add_metric(call, count)
    yield calls
    webhooks = CounterMetricFamily("evpower_webhooks", "Providers' calls to us.", labels=["provider", "outcome"])
    for webhook, count in sorted(payments.notices.counts.items()):
        webhooks.add_metric(webhook, count)
    yield webhooks
    credited = CounterMetricFamily("evpower_top_ups_credited", "Payments credited.", labels=["provider"])
    for provider in payments.calls.health:
        credited.add_metric([provider], payments.credited[provider])
    yield credited


def top_up_metrics(figures: TopUpFigures, now: datetime) -> Iterator[Metric]:
    """What the database says of them."""
    top_ups = GaugeMetricFamily("evpower_top_ups", "Top-ups a provider is still asked about.", labels=["phase"])
    for phase, count in figures.asked_about.items():
        top_ups.add_metric([phase], count)
    yield top_ups
    oldest_at = figures.oldest_open_at
    age_s = 0.0 if oldest_at is None else (now - oldest_at).total_seconds()
    yield GaugeMetricFamily("evpower_oldest_open_top_up_seconds", "Age of the oldest undecided one.", value=age_s)
    parked = figures.parked
    yield GaugeMetricFamily("evpower_parked_payments", "Payments that wait for a person.", value=parked)
    refunds = figures.open_refunds
    yield GaugeMetricFamily("evpower_open_refunds", "Refunds whose end is not known yet.", value=refunds)
