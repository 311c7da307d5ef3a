"""An issuer of tokens that shares no code with the verifier: it signs by hand, and serves its keys on a real socket."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import trio
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.worlds.fakes import NOON

SECRET = "a secret of the issuer, of 256 bits at least"
CLIENT = "6f1c8a52-0000-4000-8000-000000000001"
#: What Supabase puts into a client's token, as far as we read it.
CLAIMS: Mapping[str, Any] = {
    "sub": CLIENT,
    "aud": "authenticated",
    "role": "authenticated",
    "iat": int(NOON.timestamp()),
    "exp": int(NOON.timestamp()) + 3600,
}


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def number(value: int) -> str:
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def token(header: Mapping[str, Any], claims: object, sign: Callable[[bytes], bytes]) -> str:
    """The three parts; what is signed is what is sent."""
    signed = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{encoded(sign(signed.encode()))}"


def by_secret(claims: Mapping[str, Any] | None = None, secret: str | bytes = SECRET, **header: Any) -> str:
    """An HS256 token."""
    key = secret.encode() if isinstance(secret, str) else secret
    full = {"alg": "HS256", "typ": "JWT", **header}
    return token(full, {**CLAIMS, **(claims or {})}, lambda signed: hmac.new(key, signed, hashlib.sha256).digest())


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def ed_key(name: str) -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def by_rsa(claims: Mapping[str, Any] | None = None, kid: str = "rsa-1", **header: Any) -> str:
    """An RS256 token."""
    key = rsa_key(kid)
    full = {"alg": "RS256", "kid": kid, **header}
    return token(
        full, {**CLAIMS, **(claims or {})}, lambda signed: key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    )


def by_ec(claims: Mapping[str, Any] | None = None, kid: str = "ec-1", **header: Any) -> str:
    """An ES256 token."""

    def sign(signed: bytes) -> bytes:
        r, s = decode_dss_signature(ec_key(kid).sign(signed, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return token({"alg": "ES256", "kid": kid, **header}, {**CLAIMS, **(claims or {})}, sign)


def by_ed(claims: Mapping[str, Any] | None = None, kid: str = "ed-1", **header: Any) -> str:
    """An EdDSA token."""
    return token({"alg": "EdDSA", "kid": kid, **header}, {**CLAIMS, **(claims or {})}, ed_key(kid).sign)


def rsa_jwk(kid: str = "rsa-1", **more: Any) -> dict[str, Any]:
    numbers = rsa_key(kid).public_key().public_numbers()
    return {"kty": "RSA", "kid": kid, "n": number(numbers.n), "e": number(numbers.e), **more}


def ec_jwk(kid: str = "ec-1", **more: Any) -> dict[str, Any]:
    numbers = ec_key(kid).public_key().public_numbers()
    x, y = (encoded(part.to_bytes(32, "big")) for part in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "kid": kid, "x": x, "y": y, **more}


def ec_private_jwk(kid: str) -> dict[str, Any]:
    """What no issuer should publish: with it anybody signs."""
    d = ec_key(kid).private_numbers().private_value
    return {**ec_jwk(kid), "d": encoded(d.to_bytes(32, "big"))}


def ed_jwk(kid: str = "ed-1", **more: Any) -> dict[str, Any]:
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "kid": kid,
        "x": encoded(ed_key(kid).public_key().public_bytes_raw()),
        **more,
    }


def rsa_public_pem(kid: str = "rsa-1") -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return rsa_key(kid).public_key().public_bytes(serialization.Encoding.PEM, form)


@dataclass
class KeyServer:
    """Answers every request with the key set; `down` closes the connection instead."""

    keys: list[dict[str, Any]] = field(default_factory=lambda: [rsa_jwk(), ec_jwk(), ed_jwk()])
    #: Sent as it is in place of the key set.
    answer: bytes | None = None
    status: str = "200 OK"
    down: bool = False
    asked: int = 0
    next_request: trio.Event = field(default_factory=trio.Event)
    url: str = ""
    #: Each request waits for it.
    may_answer: trio.Event = field(default_factory=trio.Event)

    async def serve(self, stream: trio.SocketStream) -> None:
        async with stream:
            request = b""
            while b"\r\n\r\n" not in request:
                part = await stream.receive_some()
                if not part:
                    return
                request += part
            self.asked += 1
            self.next_request.set()
            self.next_request = trio.Event()
            await self.may_answer.wait()
            if self.down:
                return
            body = json.dumps({"keys": self.keys}).encode() if self.answer is None else self.answer
            head = f"HTTP/1.1 {self.status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            await stream.send_all(head.encode() + body)


@asynccontextmanager
async def open_key_server() -> AsyncIterator[KeyServer]:
    """A provider's JWKS address on loopback."""
    server = KeyServer()
    server.may_answer.set()
    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_tcp, server.serve, 0, host="127.0.0.1")
        listeners: list[trio.SocketListener] = await nursery.start(serve)
        server.url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/jwks"
        yield server
        nursery.cancel_scope.cancel()
