"""The server's own key of web push (RFC 8292): what browsers subscribe with, and what our requests are signed by."""

from __future__ import annotations

from base64 import urlsafe_b64encode

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def private_key(number: int) -> EllipticCurvePrivateKey:
    """The key of P-256 with this number."""
    return derive_private_key(number, SECP256R1())


def public_key_text(key: EllipticCurvePrivateKey) -> str:
    """The public half as browsers take it: base64url of the uncompressed point."""
    return base64url(key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def base64url(raw: bytes) -> str:
    """Without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
