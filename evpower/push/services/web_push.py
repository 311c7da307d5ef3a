"""Messages to browsers: RFC 8030 (delivery), 8291 (encryption), 8292 (who sends)."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import httpx2
import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from evpower.clock import Clock, RandomBytes
from evpower.outgoing_http import ServiceAnswer, ServiceUnanswered, post
from evpower.push.delivery import DeliveryOutcome, Target, retry_after_s
from evpower.push.message import PushMessage
from evpower.push.services.encryption import SALT_BYTES, encrypt
from evpower.push.services.vapid import private_key, public_key_text
from evpower.settings.push import ORDER

#: What every service takes, encrypted (RFC 8030 §7.2: 4,096).
PLAIN_BYTES_MAX = 3800
#: RFC 8292 allows a day.
TOKEN_LASTS = timedelta(hours=12)
#: Far more than a key has, so that each key is as likely as any other.
KEY_SEED_BYTES = 48


class WebPush:
    """Implements `DeliveryService` for subscriptions."""

    def __init__(
        self,
        http: httpx2.AsyncClient,
        key: EllipticCurvePrivateKey,
        subject: str,
        clock: Clock,
        random_bytes: RandomBytes,
    ) -> None:
        """`subject` is where services reach the operator."""
        self._http = http
        self._key = key
        self._subject = subject
        self._clock = clock
        self._random_bytes = random_bytes

    async def deliver(self, target: Target, message: PushMessage) -> DeliveryOutcome:
        assert target.p256dh is not None and target.auth is not None  # noqa: PT018
        plain = msgspec.json.encode({"title": message.title, "body": message.body, "data": message.data})
        if len(plain) > PLAIN_BYTES_MAX:
            return DeliveryOutcome("dead", "too_large")
        ephemeral = private_key(int.from_bytes(self._random_bytes(KEY_SEED_BYTES)) % (ORDER - 1) + 1)
        try:
            content = encrypt(plain, target.p256dh, target.auth, ephemeral, self._random_bytes(SALT_BYTES))
        except ValueError:
            return DeliveryOutcome("ended", "invalid_keys")
        try:
            answer = await post(self._http, target.address, content, self._headers(target, message))
        except ServiceUnanswered as error:
            return DeliveryOutcome("later", str(error))
        return self._outcome(answer)

    def _headers(self, target: Target, message: PushMessage) -> dict[str, str]:
        parts, now = urlsplit(target.address), self._clock.now()
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int((now + TOKEN_LASTS).timestamp()),
            "sub": self._subject,
        }
        token = jwt.encode(claims, self._key, algorithm="ES256")
        return {
            "Authorization": f"vapid t={token}, k={public_key_text(self._key)}",
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(message.ttl_s(now)),
            "Urgency": "high",
        }

    def _outcome(self, answer: ServiceAnswer) -> DeliveryOutcome:
        status = answer.status
        if answer.is_success:
            return DeliveryOutcome("sent")
        if status in (404, 410):
            return DeliveryOutcome("ended", "gone")
        if status in (400, 413):
            return DeliveryOutcome("dead", f"HTTP {status}")
        return DeliveryOutcome("later", f"HTTP {status}", retry_after_s(answer.retry_after, self._clock.now()))
