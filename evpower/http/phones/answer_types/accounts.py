"""Answers of the doors of a client's account (contract/rest-api §7.1, §7.5)."""

from __future__ import annotations

from typing import TypedDict

from evpower.http.wire.described import Success


class AccountBody(TypedDict):
    """What was asked of an account is so; `message` is for the driver."""

    success: Success
    message: str
