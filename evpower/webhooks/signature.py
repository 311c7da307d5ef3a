"""What a message says and how it is signed: Standard Webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

import msgspec

from evpower.webhooks.endpoint import DueDelivery

#: As the specification wants secrets: 24 to 64 bytes.
SECRET_BYTES = 32
PREFIX = "whsec_"


def secret_text(secret: bytes) -> str:
    """A secret as the other side writes it into its settings."""
    return PREFIX + base64.b64encode(secret).decode()


def message_id(delivery_id: int) -> str:
    """`webhook-id`: the same at every attempt and when it is delivered again, so that a receiver knows a repeat."""
    return f"msg_{delivery_id}"


def body_of(delivery: DueDelivery) -> bytes:
    """`sequence` rises from event to event of one object, with gaps; messages may come in another order."""
    return msgspec.json.encode(
        {
            "type": delivery.event,
            "timestamp": f"{delivery.occurred_at:%Y-%m-%dT%H:%M:%S.%fZ}",
            "sequence": delivery.id,
            "object": {"type": delivery.object_type, "id": delivery.object_id},
            "data": delivery.data,
        }
    )


def signed_headers(delivery_id: int, body: bytes, secrets: Iterable[bytes], at: datetime) -> dict[str, str]:
    """The three headers; a signature for each secret, the present one's first."""
    timestamp = int(at.timestamp())
    signed = f"{message_id(delivery_id)}.{timestamp}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode() for secret in secrets)
    return {
        "webhook-id": message_id(delivery_id),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
