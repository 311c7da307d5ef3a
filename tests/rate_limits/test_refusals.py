"""Refusals are counted, and a flood of them is no flood of lines."""

from __future__ import annotations

import logging

import pytest

from evpower.rate_limits.refusals import NAMED_MOST, Refusals
from evpower.rate_limits.sliding_window import SPAN_MS


@pytest.fixture
def refusals(caplog: pytest.LogCaptureFixture) -> Refusals:
    caplog.set_level(logging.WARNING, logger="security")
    return Refusals()


def test_each_identity_is_named_once_a_minute(refusals: Refusals, caplog: pytest.LogCaptureFixture) -> None:
    for now_ms in (0, 1, SPAN_MS - 1, SPAN_MS):
        refusals.note("client", "ann", 7, now_ms)
    refusals.note("address", "ann", 1, SPAN_MS)
    line = "rate limit: refused, kind=client, name=ann, retry_after=7 s"
    assert caplog.messages == [line, line, "rate limit: refused, kind=address, name=ann, retry_after=1 s"]
    assert refusals.counts == {"client": 4, "address": 1}


def test_a_flood_of_identities_is_one_more_line(refusals: Refusals, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(10 * NAMED_MOST):
        refusals.note("client", str(number), 7, 0)
    assert len(caplog.messages) == NAMED_MOST + 1
    assert caplog.messages[-1].startswith(f"rate limit: more than {NAMED_MOST} are refused")
    refusals.note("client", "ann", 7, SPAN_MS)
    assert len(caplog.messages) == NAMED_MOST + 2
