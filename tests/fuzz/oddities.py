"""Bytes that are nearly right: JSON of wrong shapes, and WebSocket frames by hand."""

from __future__ import annotations

import json
import random
from typing import Any

from tests.ocpp.peer import frame

TEXTS = (
    *("", "x", " ", "\0", "\u2028", "\ud800", "é" * 300, "A" * 5000, "null", "2026-01-01T00:00:00Z", "9" * 400),
    *("0000-00-00T00:00:00Z", "9999-12-31T23:59:59.999999999+99:99", "1e400", "-0", "NaN", "+996555000001", "%s%n{0}"),
)
NUMBERS = (0, -1, 1, 2**31, 2**63, -(2**63) - 1, 10**400, 1.5, 1e308, float("nan"), float("inf"), True)
RAW = (
    *(b"", b"[", b"{", b"[]", b"{}", b"null", b'"', b"\xff\xfe", b"\0", b"[2", b"[2,", b"[[[[[[", b"[" * 40_000),
    *(
        b'{"a":' * 20_000,
        b"[2,1,1,1]" * 1000,
        b" " * 70_000,
        b"\xef\xbb\xbf[]",
        b'[2,"a","Heartbeat",{}]x',
        b"-",
        b"1e",
    ),
)
#: First bytes of frames: text, binary, continuation, close, ping, pong, and those that are none.
FIRST = (0x81, 0x81, 0x81, 0x81, 0x01, 0x80, 0x00, 0x82, 0x88, 0x89, 0x8A, 0x83, 0x8B, 0xC1, 0xF1, 0x09)


def odd_value(dice: random.Random, depth: int = 0) -> Any:
    """Anything that JSON, or Python's of it, can say."""
    kind = dice.randrange(8 if depth < 4 else 4)
    if kind < 2:
        return dice.choice(TEXTS)
    if kind == 2:
        return dice.choice(NUMBERS)
    if kind == 3:
        return None
    if kind < 6:
        return [odd_value(dice, depth + 1) for _ in range(dice.randrange(4))]
    return {dice.choice(TEXTS): odd_value(dice, depth + 1) for _ in range(dice.randrange(4))}


def bent(dice: random.Random, value: Any) -> Any:
    """The value with a part of it left out, doubled or of another kind."""
    if dice.random() < 0.15:
        return odd_value(dice)
    if isinstance(value, dict):
        kept = {name: bent(dice, each) for name, each in value.items() if dice.random() < 0.93}
        return {**kept, dice.choice(TEXTS): odd_value(dice)} if dice.random() < 0.1 else kept
    if isinstance(value, list):
        return [bent(dice, each) for each in value for _ in range(dice.choice((1, 1, 1, 1, 0, 3)))]
    return value


def written(dice: random.Random, message: object) -> bytes:
    """The message as JSON, and now and then not quite."""
    raw = bytearray(json.dumps(message).encode())
    if dice.random() < 0.1:
        return dice.choice(RAW)
    if raw and dice.random() < 0.1:
        for _ in range(dice.randint(1, 4)):
            raw[dice.randrange(len(raw))] = dice.randrange(256)
    return bytes(raw[: dice.randrange(len(raw) + 1)]) if dice.random() < 0.05 else bytes(raw)


def framed(dice: random.Random, payload: bytes) -> bytes:
    """A frame of the payload: mostly one of text, masked and whole."""
    if dice.random() < 0.85:
        return frame(0x81, payload)
    raw = frame(dice.choice(FIRST), payload[: dice.choice((125, 200, 70_000))], masked=dice.random() < 0.8)
    return raw[: dice.randrange(len(raw) + 1)] if dice.random() < 0.2 else raw
