"""The settings of messages to phones: what opens Firebase, and what opens web push."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass

from evpower.settings.addresses import Hosts, Url
from evpower.settings.values import Flag, Text, setting

#: The order of P-256: a private key is a number above 0 and below it.
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
KEY_BYTES = 32


@dataclass(frozen=True)
class PushSettings:
    """Messages to phones (roadmap/history-favorites-push §3)."""

    enabled: bool = setting(True, Flag())
    fcm_service_account: str = setting("", Text())
    fcm_url: str = setting("https://fcm.googleapis.com", Url(("https", "http"), needs_host=True, plain_only_here=True))
    vapid_private_key: str = setting("", Text(), secret=True)
    vapid_subject: str = setting("", Text())
    web_push_hosts: tuple[str, ...] = setting(
        ("fcm.googleapis.com", "push.services.mozilla.com", "web.push.apple.com", "notify.windows.com"), Hosts()
    )

    @property
    def has_fcm(self) -> bool:
        return self.enabled and bool(self.fcm_service_account)

    @property
    def has_web_push(self) -> bool:
        return self.enabled and bool(self.vapid_private_key)


def vapid_number(text: str) -> int | None:
    """The private key in 32 bytes of base64url; None when it is none."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (NotBase64, ValueError):
        return None
    number = int.from_bytes(raw)
    return number if len(raw) == KEY_BYTES and 0 < number < ORDER else None


def contradictions(push: PushSettings) -> list[str]:
    """What each value allows and all together do not; a secret is named, never shown."""
    problems = []
    if push.vapid_private_key and vapid_number(push.vapid_private_key) is None:
        problems.append("push.vapid_private_key: must be 32 bytes in base64url, such as docs/configuration.md makes")
    if push.vapid_private_key and not re.fullmatch(r"(mailto:[^\s@]+@[^\s@]+|https://[^\s]+)", push.vapid_subject):
        problems.append(
            "push.vapid_subject: must be mailto:… or https://…, where push services reach the operator, because"
            " push.vapid_private_key is set"
        )
    return problems
