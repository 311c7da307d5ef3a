"""The settings of tokens and staff: whose requests and tokens are believed (contract/roadmap/identity §1, §3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evpower.money import TYIYN_PER_SOM
from evpower.settings.addresses import Url
from evpower.settings.values import Choice, Flag, Text, Whole, setting

#: RFC 7518 §3.2: HS256 needs a secret of 256 bits.
SECRET_CHARS_MIN = 32


@dataclass(frozen=True)
class AuthSettings:
    """Whom a request is believed to come from (design §9.16)."""

    mode: Literal["trust", "optional", "required"] = setting("trust", Choice(("trust", "optional", "required")))
    allow_trust: bool = setting(False, Flag())
    jwt_secret: str = setting("", Text(), secret=True)
    jwks_url: str = setting("", Url(("https", "http"), needs_host=True, plain_only_here=True))
    issuer: str = setting("", Text())
    audience: str = setting("authenticated", Text(may_be_empty=False))
    staff_totp: bool = setting(False, Flag())


@dataclass(frozen=True)
class AdminSettings:
    """What staff may do (contract/roadmap/identity §3)."""

    adjust_limit_som: int = setting(5_000, Whole(0, 100_000_000))

    @property
    def adjust_limit_tyiyn(self) -> int:
        return self.adjust_limit_som * TYIYN_PER_SOM


def contradictions(auth: AuthSettings, *, own_tokens: bool) -> list[str]:
    """What each value allows and all together do not; a secret is named, never shown.

    `own_tokens`: people can sign in here, by a code to their phone.
    """
    problems = []
    if 0 < len(auth.jwt_secret) < SECRET_CHARS_MIN:
        problems.append(f"auth.jwt_secret: must have at least {SECRET_CHARS_MIN} characters")
    if auth.mode == "required" and not (auth.jwt_secret or auth.jwks_url or own_tokens):
        problems.append(
            'auth.mode: "required" needs auth.jwks_url or auth.jwt_secret, or sign-in by phone (sms.transport),'
            " otherwise nobody can be let in"
        )
    return problems


def dangers(auth: AuthSettings, open_to: Sequence[str]) -> list[str]:
    """Opening the server to others while every client_id is believed must be somebody's decision (design §9.16)."""
    if auth.mode != "trust" or auth.allow_trust:
        return []
    return [
        f'auth.mode: "trust" believes every client_id, and {", ".join(open_to)} opens the server to others; check'
        ' tokens (auth.mode = "required"), or accept that with auth.allow_trust = true (EVPOWER_AUTH_ALLOW_TRUST=true),'
        " or bind to 127.0.0.1 and leave public_url empty"
    ]


def doubts(auth: AuthSettings, open_to: Sequence[str]) -> list[str]:
    """What works and may surprise."""
    if auth.mode == "required" or not open_to:
        return []
    return [
        f'auth.mode is "{auth.mode}" although {", ".join(open_to)} opens the server to others: whoever knows a'
        " client_id can spend that client's money"
    ]
