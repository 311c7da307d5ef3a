"""Stand-ins of FCM and of a web push service on real sockets: they check what they get, and refuse as the real ones do.

They share no code with ours: the browser's half of the encryption is written out by hand (RFC 8188, RFC 8291).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qs

import jwt
import trio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID

from tests.ocpp.authority import in_full

PROJECT = "evpower-test"
EMAIL = "sender@evpower-test.iam.gserviceaccount.com"
ERROR_TYPE = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


async def serve_one(answer: Callable[[Request], Awaitable[Reply]], stream: trio.abc.Stream) -> None:
    """One request of a connection, which is then closed."""
    with suppress(trio.BrokenResourceError, trio.ClosedResourceError, ConnectionError, ssl.SSLError):
        async with stream:
            data = bytearray()
            while b"\r\n\r\n" not in data:
                part = await stream.receive_some()
                if not part:
                    return
                data += part
            head, _, body = bytes(data).partition(b"\r\n\r\n")
            lines = head.decode("latin1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            while len(body) < int(headers.get("content-length", "0")):
                body += await stream.receive_some()
            method, path, _ = lines[0].split(" ")
            reply = await answer(Request(method, path, headers, body))
            extra = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
            start = (
                f"HTTP/1.1 {reply.status} X\r\n{extra}Content-Length: {len(reply.body)}\r\nConnection: close\r\n\r\n"
            )
            await stream.send_all(start.encode() + reply.body)


def json_reply(status: int, body: object) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


def fcm_error(status: int, code: str, message: str, *, about_token: bool = False) -> Reply:
    """An error as FCM HTTP v1 writes it."""
    details: list[dict[str, Any]] = [{"@type": ERROR_TYPE, "errorCode": code}]
    if about_token:
        violation = {"field": "message.token", "description": "Invalid registration token"}
        details.append({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]})
    error = {"code": status, "message": message, "status": code, "details": details}
    return json_reply(status, {"error": error})


UNREGISTERED = fcm_error(404, "UNREGISTERED", "Requested entity was not found.")
INVALID_TOKEN = fcm_error(
    400, "INVALID_ARGUMENT", "The registration token is not a valid FCM registration token", about_token=True
)
INVALID_MESSAGE = fcm_error(400, "INVALID_ARGUMENT", "Invalid value at 'message.android.ttl'")
MISMATCH = fcm_error(403, "SENDER_ID_MISMATCH", "SenderId mismatch")
UNAVAILABLE = fcm_error(503, "UNAVAILABLE", "The service is currently unavailable.")
QUOTA = replace(fcm_error(429, "QUOTA_EXCEEDED", "Quota exceeded"), headers={"Retry-After": "77"})
UNAUTHENTICATED = json_reply(401, {"error": {"code": 401, "message": "…", "status": "UNAUTHENTICATED"}})


@cache
def account_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


class FcmStandIn:
    """FCM HTTP v1 and Google's OAuth, for one service account."""

    def __init__(self) -> None:
        self.url = ""
        #: Messages that were accepted, and every request for one.
        self.accepted: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        #: What a token's messages get, in turn; then they are accepted.
        self.replies: dict[str, deque[Reply]] = {}
        #: Access tokens that were given out and are believed.
        self.access: list[str] = []
        self.lasts_s = 3599
        #: Messages, and requests for access, wait for these before they are looked at.
        self.gate: trio.Event | None = None
        self.access_gate: trio.Event | None = None

    def account(self) -> dict[str, str]:
        """The service account's file."""
        pem = account_key().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "key-1",
            "private_key": pem.decode(),
            "client_email": EMAIL,
            "token_uri": f"{self.url}/token",
        }

    def refuse(self, token: str, *replies: Reply) -> None:
        self.replies.setdefault(token, deque()).extend(replies)

    def release(self) -> None:
        """Whoever waited for an answer has gone: nothing of that was taken."""
        self.gate, self.access_gate = None, None

    async def answer(self, request: Request) -> Reply:
        if request.path == "/token":
            if self.access_gate is not None:
                await self.access_gate.wait()
            return self._give_access(request)
        assert request.path == f"/v1/projects/{PROJECT}/messages:send"
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.access:
            return UNAUTHENTICATED
        message = json.loads(request.body)["message"]
        self.asked.append(message)
        if self.gate is not None:
            await self.gate.wait()
        waiting = self.replies.get(message["token"])
        if waiting:
            return waiting.popleft()
        if not all(isinstance(value, str) for value in message["data"].values()):
            return fcm_error(400, "INVALID_ARGUMENT", "Invalid value at 'message.data[0].value' (TYPE_STRING)")
        self.accepted.append(message)
        return json_reply(200, {"name": f"projects/{PROJECT}/messages/{len(self.accepted)}"})

    def _give_access(self, request: Request) -> Reply:
        form = parse_qs(request.body.decode())
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        claims = jwt.decode(
            form["assertion"][0],
            account_key().public_key(),
            algorithms=["RS256"],
            audience=f"{self.url}/token",
            options={"verify_exp": False, "verify_iat": False},
        )
        assert claims["iss"] == EMAIL
        assert claims["scope"] == "https://www.googleapis.com/auth/firebase.messaging"
        assert claims["exp"] - claims["iat"] <= 3600
        self.access.append(f"access-{len(self.access) + 1}")
        return json_reply(200, {"access_token": self.access[-1], "expires_in": self.lasts_s, "token_type": "Bearer"})


@asynccontextmanager
async def fcm_stand_in() -> AsyncIterator[FcmStandIn]:
    fcm = FcmStandIn()
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, partial(serve_one, fcm.answer), 0, host="127.0.0.1"))
        fcm.url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        yield fcm
        nursery.cancel_scope.cancel()


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    extracted = hmac.digest(salt, secret, hashlib.sha256)
    return hmac.digest(extracted, info + b"\x01", hashlib.sha256)[:length]


class Browser:
    """The half of a subscription that never leaves the browser."""

    def __init__(self, number: int = 11) -> None:
        self.key = ec.derive_private_key(number, ec.SECP256R1())
        self.auth = hashlib.sha256(b"%d" % number).digest()[:16]
        self.p256dh = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )

    def decrypt(self, body: bytes) -> bytes:
        """The message (RFC 8188 §2, RFC 8291 §3.4); whatever is wrong with it raises."""
        salt, record_bytes, key_bytes = body[:16], int.from_bytes(body[16:20]), body[20]
        theirs = body[21 : 21 + key_bytes]
        assert key_bytes == 65
        assert len(body) - 86 <= record_bytes
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs))
        secret = _hkdf(self.auth, shared, b"WebPush: info\0" + self.p256dh + theirs, 32)
        content_key = _hkdf(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _hkdf(salt, secret, b"Content-Encoding: nonce\0", 12)
        padded = AESGCM(content_key).decrypt(nonce, body[86:], None)
        plain = padded.rstrip(b"\0")
        assert plain.endswith(b"\x02")
        return plain[:-1]


class WebPushStandIn:
    """A push service (RFC 8030) for one browser, which subscribed with `server_key`."""

    def __init__(self, server_key: str) -> None:
        self.url = ""
        self.server_key = server_key
        self.browser = Browser()
        self.now = datetime.now(UTC)
        self.asked: list[Request] = []
        self.delivered: list[dict[str, Any]] = []
        self.replies: deque[Reply] = deque()

    async def answer(self, request: Request) -> Reply:
        self.asked.append(request)
        if not self._is_ours(request.headers):
            return Reply(403)
        if self.replies:
            return self.replies.popleft()
        if len(request.body) > 4096:
            return Reply(413)
        if "ttl" not in request.headers or request.headers.get("content-encoding") != "aes128gcm":
            return Reply(400)
        self.delivered.append(json.loads(self.browser.decrypt(request.body)))
        return Reply(201, headers={"Location": f"{self.url}/m/{len(self.delivered)}"})

    def _is_ours(self, headers: dict[str, str]) -> bool:
        """RFC 8292: a token of the key that the browser subscribed with, for this service, for a day at most."""
        scheme, _, rest = headers["authorization"].partition(" ")
        given = dict(part.strip().split("=", 1) for part in rest.split(","))
        if scheme != "vapid" or given["k"] != self.server_key:
            return False
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _unb64(given["k"]))
        claims = jwt.decode(given["t"], key, algorithms=["ES256"], audience=self.url, options={"verify_exp": False})
        lasts = datetime.fromtimestamp(claims["exp"], UTC) - self.now
        return timedelta() < lasts <= timedelta(hours=24) and claims["sub"].startswith(("mailto:", "https:"))


@cache
def localhost_certificate() -> tuple[bytes, bytes]:
    """A certificate for localhost, and its key, in PEM."""
    key = ec.derive_private_key(99, ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    )
    certificate = in_full(builder, key.public_key(), key.public_key(), ca=True).sign(key, hashes.SHA256())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(serialization.Encoding.PEM), pem


def trusting() -> ssl.SSLContext:
    """Whom a client trusts that talks to the stand-in."""
    return ssl.create_default_context(cadata=localhost_certificate()[0].decode())


@asynccontextmanager
async def serve_https(answer: Callable[[Request], Awaitable[Reply]]) -> AsyncIterator[str]:
    """The URL of a server on this machine that answers so; its certificate is that of `localhost`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with TemporaryDirectory() as directory:
        path = Path(directory) / "both.pem"
        path.write_bytes(b"".join(localhost_certificate()))
        context.load_cert_chain(path)

    async def handler(stream: trio.abc.Stream) -> None:
        await serve_one(answer, trio.SSLStream(stream, context, server_side=True, https_compatible=True))

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, handler, 0, host="127.0.0.1"))
        yield f"https://localhost:{listeners[0].socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def web_push_stand_in(server_key: str) -> AsyncIterator[WebPushStandIn]:
    service = WebPushStandIn(server_key)
    async with serve_https(service.answer) as service.url:
        yield service
