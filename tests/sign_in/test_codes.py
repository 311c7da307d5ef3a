"""Codes as numbers and limits (roadmap/identity §2)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from evpower.identifiers import PhoneNumber
from evpower.sign_in.codes import HOUR, CodeLimit, code_digest, new_code, wait_s
from tests.worlds.fakes import NOON

FIVE_AN_HOUR = CodeLimit("phone", 5, HOUR)


@pytest.mark.parametrize(
    ("drawn", "code"),
    [
        ([b"\x00\x00\x00"], "000000"),
        ([b"\x00\x00\x07"], "000007"),
        ([b"\xf4\x23\xff"], "999999"),
        ([b"\xf4\x24\x00", b"\xff\xff\xff", b"\x00\x00\x01"], "000001"),
    ],
    ids=["least", "zeros in front", "greatest", "what would be a bias is drawn again"],
)
def test_a_code_is_six_digits_without_bias(drawn: list[bytes], code: str) -> None:
    assert new_code(lambda _size: drawn.pop(0)) == code


def test_what_is_stored_depends_on_pepper_phone_code_and_nonce() -> None:
    of = (b"pepper", PhoneNumber("+996700123456"), "123456", b"n" * 16)
    others = [
        (b"Pepper", *of[1:]),
        (of[0], PhoneNumber("+996700123457"), *of[2:]),
        (*of[:2], "123457", of[3]),
        (*of[:3], b"m" * 16),
    ]
    digests = {code_digest(*of), *(code_digest(*each) for each in others)}
    assert len(digests) == 5
    assert {len(digest) for digest in digests} == {32}


@pytest.mark.parametrize(
    ("ago_s", "waits_s"),
    [(None, 0), (0, 3600), (0.5, 3600), (3599, 1), (3599.5, 1), (3600, 0), (4000, 0), (-86_400, 3600)],
    ids=str,
)
def test_a_limit_has_room_when_its_oldest_code_leaves_the_span(ago_s: float | None, waits_s: int) -> None:
    """Also after the clock was set back by a day: nobody waits longer than the span."""
    at = None if ago_s is None else NOON - timedelta(seconds=ago_s)
    assert wait_s(at, FIVE_AN_HOUR, NOON) == waits_s
