"""The worst that a stranger can post to the phones' listener, for a test and for a benchmark."""

from __future__ import annotations

import json

BODY_BYTES_MAX = 64 * 1024
#: Every path that reads a body without asking who sends it.
PATHS = (
    "/api/v1/charging/start",
    "/api/v1/charging/stop",
    "/api/v1/balance/topup-qr",
    "/api/v1/balance/topup-card",
    "/api/v1/payment/token-payment",
    "/api/v1/payment/create-token",
    "/api/v1/payment/webhook",
    "/api/v1/payment/webhook/odengi",
    "/api/v1/payment/webhook/obank/token",
    "/api/v1/payment/3ds-return",
    "/api/payment/webhook",
    "/api/charging/start",
    "/api/v1/auth/send-otp",
    "/api/v1/auth/verify-otp",
    "/api/v1/auth/refresh",
    "/api/v1/auth/logout",
    "/api/v1/devices/register",
    "/api/v1/notifications/subscribe",
    "/api/v1/favorites",
    "/nowhere",
)


def worst_bodies(client_id: str, station_id: str) -> dict[str, bytes]:
    """Each by its name; where it is JSON, a start that would be good, but for what more it says."""
    start = json.dumps({"client_id": client_id, "station_id": station_id, "connector_id": 9})[:-1]
    return {
        "ten megabytes": b" " * 10 * 1024 * 1024,
        "a list": _filled(f'{start},"x":[0', ",0", "]}"),
        "a depth": f'{start},"x":{"[" * 30_000}{"]" * 30_000}}}'.encode(),
        "numbers": _filled(f'{start},"x":[0', ",1e999999", "]}"),
        "one number": _filled(f'{start},"energy_kwh":1', "1", "}"),
        "keys": (start + "".join(f',"{number}":0' for number in range(6_000)) + "}").encode(),
        "fields": _filled("MD=1", "&a", ""),
        "elements": _filled("<x>", "<y/>", "</x>"),
    }


def kind_of(body: bytes) -> str:
    """Its Content-Type."""
    return "text/xml" if body.startswith(b"<") else "application/json"


def _filled(begin: str, part: str, end: str) -> bytes:
    """As many parts as a body has room for."""
    return (begin + part * ((BODY_BYTES_MAX - 200 - len(begin) - len(end)) // len(part)) + end).encode()
