"""Answers of the doors for signing in (contract/rest-api §7.1)."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from evpower.http.wire.described import Instant, Success


class CodeSentBody(TypedDict):
    """A code is on its way."""

    success: Success
    phone: str
    expires_in_seconds: int
    resend_available_in_seconds: int


class MaySendBody(TypedDict):
    """Whether a code can be sent now, and in how many seconds otherwise."""

    success: Success
    phone: str
    can_send: bool
    wait_seconds: int


class UserBody(TypedDict):
    """Who is signed in: a client (`balance` in som, `status`), or a member of staff (`role`, `is_active`)."""

    id: str
    phone: NotRequired[str]
    created_at: Instant
    name: NotRequired[str]
    balance: NotRequired[float]
    status: NotRequired[Literal["active", "blocked", "inactive"]]
    email: NotRequired[str]
    role: NotRequired[Literal["operator", "admin", "superadmin"]]
    is_active: NotRequired[bool]


class SignedInBody(TypedDict):
    """Tokens, and whose they are."""

    success: Success
    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    user: UserBody
    user_type: Literal["client", "admin"]
    is_new_user: bool


class RefreshedBody(TypedDict):
    """A new access token; a new refresh token only for who asked for one (`rotate`)."""

    success: Success
    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    refresh_token: NotRequired[str]


class SignedOutBody(TypedDict):
    """Nothing goes on by that token, also when nothing did before."""

    success: Success


class MeBody(TypedDict):
    """The caller's row as it is now."""

    success: Success
    user: UserBody
    user_type: Literal["client", "admin"]


class PublicKeyBody(TypedDict):
    """A public key (RFC 7517)."""

    kty: str
    crv: str
    x: str
    y: str
    kid: str
    alg: str
    use: str


class KeySetBody(TypedDict):
    """The keys our tokens are checked with."""

    keys: list[PublicKeyBody]
