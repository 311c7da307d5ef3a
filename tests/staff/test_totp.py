"""One-time passwords: RFC 6238's own vectors, the window, and that no code is good twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from evpower.staff.totp import STEP_S, code_of, enrolment_uri, matching_step, step_of

#: RFC 6238 appendix B, SHA-1.
SECRET = b"12345678901234567890"
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_codes_of_the_rfc(seconds: int, code: str) -> None:
    step = step_of(datetime.fromtimestamp(seconds, UTC))
    assert code_of(SECRET, step, digits=8) == code
    assert code_of(SECRET, step) == code[-6:]


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_is_good_one_step_early_or_late(steps: int, good: bool) -> None:
    typed = code_of(SECRET, step_of(NOW) + steps)
    assert (matching_step(SECRET, typed, NOW, after=0) is not None) is good


def test_a_code_of_a_step_that_was_used_is_not_good_and_the_next_one_is() -> None:
    used = step_of(NOW)
    assert matching_step(SECRET, code_of(SECRET, used), NOW, after=used) is None
    later = NOW + timedelta(seconds=STEP_S)
    assert matching_step(SECRET, code_of(SECRET, used), later, after=used) is None
    assert matching_step(SECRET, code_of(SECRET, used + 1), later, after=used) == used + 1


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "٣٤٥٦٧٨", "000000\0"])
def test_what_is_no_code_is_not_good(typed: str) -> None:
    assert matching_step(SECRET, typed, NOW, after=0) is None


def test_an_app_reads_the_enrolment() -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert enrolment_uri(SECRET, "+996700000001") == (
        f"otpauth://totp/EvPower:%2B996700000001?secret={secret}&issuer=EvPower"
    )
