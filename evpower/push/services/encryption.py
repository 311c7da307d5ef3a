"""What a browser's message is encrypted by: RFC 8291 over RFC 8188 (`aes128gcm`), in one record.

Twenty lines over `cryptography`, held to the RFC's own example: see ADR 43.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SALT_BYTES = 16
RECORD_BYTES = 4096
#: Says that no record follows.
LAST_RECORD = b"\x02"


def encrypt(plain: bytes, p256dh: bytes, auth: bytes, key: EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """The body of a push request. `key` and `salt` are used for this message alone.

    Raises ValueError: `p256dh` is no point of the curve.
    """
    theirs = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), p256dh)
    ours = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = key.exchange(ECDH(), theirs)
    secret = _derive(shared, auth, b"WebPush: info\0" + p256dh + ours, 32)
    content_key = _derive(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(secret, salt, b"Content-Encoding: nonce\0", 12)
    header = salt + RECORD_BYTES.to_bytes(4) + bytes((len(ours),)) + ours
    return header + AESGCM(content_key).encrypt(nonce, plain + LAST_RECORD, None)


def _derive(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)
