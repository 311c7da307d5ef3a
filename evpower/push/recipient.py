"""Who gets messages, on which device, and which kinds a person wants."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, TypeAlias

from evpower.identity.identity import Identity

OwnerType: TypeAlias = Literal["client", "owner"]
DeviceKind: TypeAlias = Literal["fcm", "webpush"]
Locale: TypeAlias = Literal["ru", "ky", "en"]
LOCALES: tuple[Locale, ...] = ("ru", "ky", "en")
#: An address that every reader of addresses takes for the same host: what may come before and behind it is narrow.
ENDPOINT = re.compile(r"https://(?P<host>[A-Za-z0-9.-]+)(:443)?/[\x21-\x5b\x5d-\x7e]*")
#: A device more, and the one that was least recently reached goes.
TARGETS_MOST = 10


@dataclass(frozen=True)
class Recipient:
    """A client, or a member of staff as the owner of locations."""

    owner_type: OwnerType
    owner_id: str


@dataclass(frozen=True)
class Device:
    """What a person registers. `address` is FCM's token or a subscription's endpoint; keys are a subscription's.

    `sign_in_id` is the sign-in of ours in which it was registered, None for a token of another issuer, or for none.
    """

    kind: DeviceKind
    address: str
    locale: Locale = "ru"
    sign_in_id: str | None = None
    platform: str | None = None
    app_version: str | None = None
    p256dh: bytes | None = None
    auth: bytes | None = None


@dataclass(frozen=True)
class Preferences:
    """Which kinds of messages a person wants; these are the defaults (roadmap/history-favorites-push §3)."""

    charging_updates: bool = True
    payment_alerts: bool = True
    promotions: bool = False
    system_alerts: bool = True


def recipient_of(identity: Identity) -> Recipient:
    """Whose messages a token's bearer gets."""
    return Recipient("owner" if identity.kind == "staff" else "client", identity.subject)


def is_push_service(endpoint: str, hosts: Collection[str]) -> bool:
    """Whether an endpoint is of one of these services: https, and the host is theirs or below it.

    Without that, whoever may subscribe could have the server send requests into its own network.
    """
    found = ENDPOINT.fullmatch(endpoint)
    host = "" if found is None else found["host"].lower()
    return any(host == name or host.endswith(f".{name}") for name in hosts)
