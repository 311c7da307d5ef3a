"""What the doors of devices and messages read from a request (contract/rest-api §7.2)."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from quart import request

from evpower.errors import Unauthorized
from evpower.http.wire.caller import Caller
from evpower.http.wire.kinds import SWITCH, FieldKind, WrongValue, formed, one_of
from evpower.http.wire.requests import BodyFields
from evpower.push.recipient import LOCALES, Device, Locale, OwnerType, Recipient, recipient_of

TOKEN = formed(re.compile(r"[^\x00-\x20\x7f]{1,4096}"))
ENDPOINT = formed(re.compile(r"[\x21-\x7e]{1,2000}"))
PLATFORM = one_of("android", "ios", "web")
VERSION = formed(re.compile(r"[^\x00-\x1f\x7f]{1,50}"))
LANGUAGE = one_of(*LOCALES)
USER_TYPE = one_of("client", "owner")
#: An uncompressed point of P-256, and 16 random bytes, as a browser writes them (RFC 8291 §3).
POINT_BYTES, AUTH_BYTES = 65, 16
#: The app's names of what a person may choose.
PREFERENCES = {
    "chargingUpdates": "charging_updates",
    "paymentAlerts": "payment_alerts",
    "promotions": "promotions",
    "systemAlerts": "system_alerts",
}


def _read_subscription(value: Any) -> tuple[str, bytes, bytes]:
    """Endpoint and keys; what else a browser writes into a subscription is ignored."""
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(keys, dict):
        raise WrongValue("должно быть объектом с полями endpoint и keys")
    endpoint = ENDPOINT.read(value.get("endpoint"))
    p256dh, auth = _bytes_of(keys.get("p256dh")), _bytes_of(keys.get("auth"))
    if len(p256dh) != POINT_BYTES or p256dh[0] != 4 or len(auth) != AUTH_BYTES:
        raise WrongValue("недопустимые ключи")
    return endpoint, p256dh, auth


def _bytes_of(text: Any) -> bytes:
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,200}={0,2}", text):
        raise WrongValue("недопустимые ключи")
    try:
        return urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except NotBase64:
        raise WrongValue("недопустимые ключи") from None


#: A PushSubscription as a browser gives it.
SUBSCRIPTION = FieldKind(
    {
        "type": "object",
        "required": ["endpoint", "keys"],
        "properties": {
            "endpoint": ENDPOINT.schema,
            "keys": {
                "type": "object",
                "required": ["p256dh", "auth"],
                "properties": {"p256dh": {"type": "string"}, "auth": {"type": "string"}},
            },
        },
    },
    _read_subscription,
)


@dataclass(frozen=True)
class Addressed:
    """Whose messages a request is about, as far as its token says; `wanted`: as whom the person wants them."""

    recipient: Recipient
    wanted: OwnerType | None


def known_person(fields: BodyFields, who: Caller) -> Addressed:
    """The token's bearer, or in a mode that believes it the client that is named; checks the fields.

    Raises Unauthorized when it is nobody, and what `Caller.client` does.
    """
    wanted = cast("OwnerType | None", fields.optional("user_type", USER_TYPE))
    if who.identity is not None and who.identity.kind == "staff":
        fields.check()
        return Addressed(recipient_of(who.identity), wanted)
    client = who.asking(fields)
    fields.check()
    if client is None:
        raise Unauthorized
    return Addressed(Recipient("client", client), wanted)


def sign_in_of(who: Caller) -> str | None:
    """The sign-in of ours that the token is of."""
    return who.identity.family if who.identity is not None and who.identity.ours else None


def device_order(fields: BodyFields, who: Caller) -> tuple[Addressed, Device]:
    """A phone and whose it is. Raises InvalidRequest, and what `known_person` does."""
    token = fields.required("fcm_token", TOKEN)
    platform = fields.required("platform", PLATFORM)
    version = fields.optional("app_version", VERSION)
    locale = fields.optional("locale", LANGUAGE)
    addressed = known_person(fields, who)
    assert token is not None
    return addressed, Device("fcm", token, _locale(locale), sign_in_of(who), platform=platform, app_version=version)


def subscription_order(fields: BodyFields, who: Caller) -> tuple[Addressed, Device]:
    """A browser and whose it is. Raises InvalidRequest, and what `known_person` does."""
    subscription = fields.required("subscription", SUBSCRIPTION)
    locale = fields.optional("locale", LANGUAGE)
    addressed = known_person(fields, who)
    assert subscription is not None
    endpoint, p256dh, auth = subscription
    return addressed, Device(
        "webpush", endpoint, _locale(locale), sign_in_of(who), platform="web", p256dh=p256dh, auth=auth
    )


def _locale(named: str | None) -> Locale:
    """The one that is named, else the first of the browser's that we have."""
    wanted = named or request.accept_languages.best_match(LOCALES) or "ru"
    return next(locale for locale in LOCALES if locale == wanted)


def address_order(fields: BodyFields, who: Caller, name: str, kind: FieldKind[str]) -> tuple[Addressed, str]:
    """The device that shall get no more messages, and whose it is. Raises what `known_person` does."""
    address = fields.required(name, kind)
    addressed = known_person(fields, who)
    assert address is not None
    return addressed, address


def chosen_preferences(fields: BodyFields, who: Caller) -> tuple[Addressed, Mapping[str, bool]]:
    """What a person chooses, under our names; what is not named stays. Raises what `known_person` does."""
    chosen = {ours: fields.optional(name, SWITCH) for name, ours in PREFERENCES.items()}
    addressed = known_person(fields, who)
    return addressed, {name: value for name, value in chosen.items() if value is not None}
