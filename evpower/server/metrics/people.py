"""Figures of the doors for people, and of messages to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import get_args

from prometheus_client.core import Metric

from evpower.favorites.watches import WatchStep
from evpower.history.keeping import NotKept
from evpower.http.wire.access import HttpTraffic
from evpower.identity.token import Check
from evpower.push.delivery import Fate
from evpower.push.recipient import DeviceKind
from evpower.rate_limits.limits import KINDS
from evpower.rate_limits.service import RateLimits
from evpower.reservations.ends import EndName
from evpower.server.metrics.families import counter, counts, counts_by, gauge, gauges, histogram
from evpower.sign_in.phone_codes import CodeOutcome
from evpower.sign_in.service import RefreshOutcome
from evpower.webhooks.deliverer import WebhookOutcome
from evpower.webhooks.service import WebhookFigures

INTERNAL = 500


def request_metrics(traffic: HttpTraffic) -> Iterator[Metric]:
    """Requests at both listeners for people; a path that is no route's is one of `none`."""
    answers = {(method, route, str(status)): count for (method, route, status), count in traffic.answers.items()}
    yield counts("evpower_http_requests", "Requests answered.", ("method", "route", "status"), answers)
    # Without labels, so that it is there before the first one: an alert on its rise sees that one too.
    faults = sum(count for (_, _, status), count in traffic.answers.items() if status == INTERNAL)
    yield counter("evpower_http_faults", "Requests that ended in a fault of ours.", faults)
    meaning = "From a request to the beginning of its answer."
    yield histogram("evpower_http_answer_seconds", meaning, "route", traffic.took)


def person_metrics(
    tokens: Mapping[Check, int], codes: Mapping[CodeOutcome, int], refreshes: Mapping[RefreshOutcome, int]
) -> Iterator[Metric]:
    """Tokens, and codes for signing in."""
    refused = {check: tokens.get(check, 0) for check in get_args(Check)}
    sent = {outcome: codes.get(outcome, 0) for outcome in get_args(CodeOutcome)}
    yield counts_by("evpower_refused_tokens", "Bearer tokens that were not believed.", "check", refused)
    yield counts_by("evpower_sign_in_codes", "What became of codes for signing in.", "outcome", sent)
    refreshed = {outcome: refreshes.get(outcome, 0) for outcome in get_args(RefreshOutcome)}
    yield counts_by("evpower_sign_in_refreshes", "What became of refresh tokens.", "outcome", refreshed)


def push_metrics(outcomes: Mapping[tuple[str, str], int]) -> Iterator[Metric]:
    """Messages to phones."""
    messages = {key: outcomes.get(key, 0) for key in product(get_args(DeviceKind), get_args(Fate))}
    meaning = "What became of messages to phones, by the kind of device."
    yield counts("evpower_push", meaning, ("kind", "outcome"), messages)


def webhook_metrics(outcomes: Mapping[WebhookOutcome, int]) -> Iterator[Metric]:
    """Events to operators' systems, each attempt of this process."""
    attempts = {outcome: outcomes.get(outcome, 0) for outcome in get_args(WebhookOutcome)}
    yield counts_by("evpower_webhooks_out", "Attempts to deliver an event.", "outcome", attempts)


def webhook_queue_metrics(figures: WebhookFigures) -> Iterator[Metric]:
    """Where events go, and how many wait."""
    endpoints = (("enabled", figures.enabled), ("disabled", figures.disabled))
    yield gauges("evpower_webhooks_out_endpoints", "Addresses that get events.", "state", endpoints)
    yield gauge("evpower_webhooks_out_waiting", "Events that are not delivered yet.", figures.waiting)


def driver_metrics(steps: Mapping[WatchStep, int], not_kept: Mapping[NotKept, int]) -> Iterator[Metric]:
    """Who waits for a connector; what is missing of a charge's past."""
    watches = {step: steps.get(step, 0) for step in get_args(WatchStep)}
    missing = {what: not_kept.get(what, 0) for what in get_args(NotKept)}
    yield counts_by("evpower_watches", "Clients who wait for a free connector.", "step", watches)
    yield counts_by("evpower_not_kept", "What settlements could not keep of a charge.", "what", missing)


def reservation_metrics(ends: Mapping[EndName, int]) -> Iterator[Metric]:
    """Kept connectors."""
    counted = {end: ends.get(end, 0) for end in get_args(EndName)}
    yield counts_by("evpower_reservations", "Reservations that are over.", "end", counted)


def limit_metrics(limits: RateLimits) -> Iterator[Metric]:
    """Requests beyond a limit."""
    refused = {kind: limits.refused.get(kind, 0) for kind in KINDS}
    yield counts_by("evpower_requests_refused", "Requests beyond a limit of their caller.", "kind", refused)
    yield counter("evpower_requests_counted_alone", "Requests that Redis did not count in time.", limits.alone)
