"""The RFC's own example, and a browser that decrypts."""

from __future__ import annotations

from base64 import urlsafe_b64decode

import pytest
from cryptography.exceptions import InvalidTag

from evpower.push.services.encryption import encrypt
from evpower.push.services.vapid import base64url, private_key, public_key_text
from tests.worlds.push_services import Browser


def raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_it_is_the_example_of_rfc_8291() -> None:
    """Appendix A."""
    key = private_key(int.from_bytes(raw("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")))
    assert public_key_text(key) == (
        "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
    )
    encrypted = encrypt(
        b"When I grow up, I want to be a watermelon",
        raw("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        raw("BTBZMqHH6r4Tts7J_aSIgg"),
        key,
        raw("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert base64url(encrypted) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3"
        "jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@pytest.mark.parametrize("size", [0, 1, 3800])
def test_the_browser_decrypts_it_and_nobody_else(size: int) -> None:
    browser, other, plain = Browser(11), Browser(12), b"x" * size
    encrypted = encrypt(plain, browser.p256dh, browser.auth, private_key(5), b"s" * 16)
    assert browser.decrypt(encrypted) == plain
    assert len(encrypted) == size + 103 <= 4096
    with pytest.raises(InvalidTag):
        other.decrypt(encrypted)


def test_what_is_no_point_of_the_curve_is_refused() -> None:
    with pytest.raises(ValueError, match="EC key"):
        encrypt(b"x", b"\x04" + b"k" * 64, b"a" * 16, private_key(5), b"s" * 16)
