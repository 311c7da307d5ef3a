"""How long a service asks us to wait."""

from __future__ import annotations

import pytest

from evpower.push.delivery import RETRY_AFTER_MOST_S, retry_after_s
from tests.worlds.fakes import NOON


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("77", 77),
        (" 77 ", 77),
        ("0", 1),
        ("99999999", RETRY_AFTER_MOST_S),
        ("soon", None),
        ("-5", None),
        (NOON.replace(second=30).strftime("%a, %d %b %Y %H:%M:%S GMT"), 30),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 1),
        ("Wed, 21 Oct 2099 07:28:00 GMT", RETRY_AFTER_MOST_S),
    ],
)
def test_a_wait_is_seconds_or_a_date_within_bounds(header: str | None, seconds: int | None) -> None:
    assert retry_after_s(header, NOON) == seconds
