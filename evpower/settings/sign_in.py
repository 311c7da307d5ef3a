"""The settings of signing in by phone: who may get a code, and what sends it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from evpower.settings.addresses import Url
from evpower.settings.values import Choice, PhonePrefixes, Text, Whole, setting

#: As many as 128 bits have in hexadecimal.
SECRET_CHARS_MIN = 32
#: What is filled in, in the address and in the body.
PLACEHOLDER = r"\{(phone|digits|text|id|secret)\}"


@dataclass(frozen=True)
class SignInSettings:
    """Signing in by phone (roadmap/identity §2)."""

    secret: str = setting("", Text(), secret=True)
    phone_prefixes: tuple[str, ...] = setting(("+996",), PhonePrefixes())
    codes_per_day: int = setting(1000, Whole(1, 1_000_000))


@dataclass(frozen=True)
class SmsSettings:
    """What sends the codes."""

    transport: str = setting("off", Choice(("off", "log", "http")))
    url: str = setting("", Url(("https", "http"), needs_host=True, plain_only_here=True), secret=True)
    method: str = setting("POST", Choice(("POST", "GET")))
    content_type: str = setting(
        "application/json",
        Choice(("application/json", "application/x-www-form-urlencoded", "application/xml", "text/xml")),
    )
    body: str = setting('{"to": "{phone}", "text": "{text}"}', Text(), secret=True)
    authorization: str = setting("", Text(), secret=True)
    secret: str = setting("", Text(), secret=True)
    accepted: str = setting("", Text())


def contradictions(sign_in: SignInSettings, sms: SmsSettings) -> list[str]:
    """What each value allows and all together do not; a secret is named, never shown."""
    problems = []
    if 0 < len(sign_in.secret) < SECRET_CHARS_MIN:
        problems.append(
            f"sign_in.secret: must have at least {SECRET_CHARS_MIN} characters, such as: openssl rand -hex 32"
        )
    if sms.transport != "http":
        return problems
    if not sms.url:
        problems.append('sms.url: must be set, because sms.transport is "http"')
    sent = sms.url if sms.method == "GET" else sms.url + sms.body
    if "{text}" not in sent or not ("{phone}" in sent or "{digits}" in sent):
        where = "sms.url" if sms.method == "GET" else "sms.body"
        problems.append(f"{where}: must have {{text}} in it, and {{phone}} (with its plus) or {{digits}} (without)")
    return problems


def dangers(sms: SmsSettings, open_to: Collection[str]) -> list[str]:
    """What may not be while others reach the server: codes in a log are for whoever reads it."""
    if sms.transport != "log":
        return []
    return [
        'sms.transport: "log" writes the codes into the log, for whoever reads it to sign in as anybody, while'
        f' {", ".join(open_to)} opens the server to others; set it to "http", or to "off"'
    ]


def doubts(sign_in: SignInSettings, sms: SmsSettings, *, shared_database: bool) -> list[str]:
    """What works and may surprise."""
    doubts = []
    if sms.transport == "log":
        doubts.append('sms.transport is "log": no SMS is sent, codes are written into the log')
    if sms.transport != "off" and shared_database and not sign_in.secret:
        doubts.append(
            "sign_in.secret is empty: this process makes one in its state directory, so a code that another process"
            " on the same database has sent cannot be checked here; set the same one everywhere"
        )
    return doubts
