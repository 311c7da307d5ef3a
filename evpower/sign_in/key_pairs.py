"""Key pairs of our own issuer: ES256, the private half sealed for storage, the public half as a JWK."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from evpower.clock import RandomBytes

ALGORITHM = "ES256"
NONCE_BYTES = 12
COORDINATE_BYTES = 32
#: The order of P-256: a private key is a number below it.
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
Jwk = dict[str, str]


def make_private_key(random_bytes: RandomBytes) -> EllipticCurvePrivateKey:
    """A new one; every possible key as likely as any other."""
    while not 0 < (number := int.from_bytes(random_bytes(COORDINATE_BYTES))) < _ORDER:
        pass
    return derive_private_key(number, SECP256R1())


def public_jwk(key: EllipticCurvePrivateKey) -> Jwk:
    """The public half; `kid` is its thumbprint (RFC 7638)."""
    numbers = key.public_key().public_numbers()
    jwk = {"crv": "P-256", "kty": "EC", "x": _encoded(numbers.x), "y": _encoded(numbers.y)}
    kid = _base64(hashlib.sha256(msgspec.json.encode(jwk, order="sorted")).digest())
    return {**jwk, "kid": kid, "alg": ALGORITHM, "use": "sig"}


def seal(key: EllipticCurvePrivateKey, kid: str, under: bytes, random_bytes: RandomBytes) -> bytes:
    """The private half as it may be stored; `under` is a key of 32 bytes."""
    nonce = random_bytes(NONCE_BYTES)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return nonce + AESGCM(under).encrypt(nonce, der, kid.encode())


def unseal(sealed: bytes, kid: str, under: bytes) -> EllipticCurvePrivateKey:
    """The private half again. Raises ValueError: sealed under another key, or not what was stored."""
    try:
        der = AESGCM(under).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], kid.encode())
    except (InvalidTag, ValueError):
        raise ValueError(f"the private half of key {kid} does not open") from None
    key = load_der_private_key(der, password=None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ValueError(f"key {kid} is not of P-256")
    return key


def _encoded(coordinate: int) -> str:
    return _base64(coordinate.to_bytes(COORDINATE_BYTES))


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
