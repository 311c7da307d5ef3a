"""Devices and the messages they get: /api/v1/devices, /api/v1/notifications (contract/rest-api §7.2).

A feature that is not set up answers 404, which the app takes.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from functools import partial
from typing import Any, TypeVar

import trio
from quart import Blueprint, Response, request

from evpower.errors import Forbidden, NotFound, Unauthorized
from evpower.http.phones.answer_types.push import (
    DeviceBody,
    PreferencesBody,
    SubscribedBody,
    TestSentBody,
    VapidKeyBody,
)
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.caller import ANYBODY, Caller, caller
from evpower.http.wire.described import described
from evpower.http.wire.kinds import SWITCH, FieldKind, WrongValue, formed, one_of
from evpower.http.wire.requests import BodyFields, read_object
from evpower.push.devices import Devices
from evpower.push.graph import Push
from evpower.push.recipient import LOCALES, Device, Locale, Preferences, Recipient, recipient_of

T = TypeVar("T")
ANSWER_WITHIN_S = 9
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


def known_person(fields: BodyFields, who: Caller) -> Recipient:
    """The token's bearer, or in a mode that believes it the client that is named; checks the fields.

    Raises Unauthorized when it is nobody, and what `Caller.client` does.
    """
    if who.identity is not None and who.identity.kind == "staff":
        fields.check()
        return recipient_of(who.identity)
    client = who.asking(fields)
    fields.check()
    if client is None:
        raise Unauthorized
    return Recipient("client", client)


def sign_in_of(who: Caller) -> str | None:
    """The sign-in of ours that the token is of."""
    return who.identity.family if who.identity is not None and who.identity.ours else None


def device_order(fields: BodyFields, who: Caller) -> tuple[Recipient, Device]:
    """A phone and whose it is. Raises InvalidRequest, and what `known_person` does."""
    token = fields.required("fcm_token", TOKEN)
    platform = fields.required("platform", PLATFORM)
    version = fields.optional("app_version", VERSION)
    locale = fields.optional("locale", LANGUAGE)
    recipient = known_person(fields, who)
    assert token is not None
    return recipient, Device("fcm", token, _locale(locale), sign_in_of(who), platform=platform, app_version=version)


def subscription_order(fields: BodyFields, who: Caller) -> tuple[Recipient, Device]:
    """A browser and whose it is. Raises InvalidRequest, Forbidden, and what `known_person` does."""
    subscription = fields.required("subscription", SUBSCRIPTION)
    user_type = fields.optional("user_type", USER_TYPE)
    locale = fields.optional("locale", LANGUAGE)
    recipient = known_person(fields, who)
    assert subscription is not None
    if user_type not in (None, recipient.owner_type):
        raise Forbidden
    endpoint, p256dh, auth = subscription
    return recipient, Device(
        "webpush", endpoint, _locale(locale), sign_in_of(who), platform="web", p256dh=p256dh, auth=auth
    )


def _locale(named: str | None) -> Locale:
    """The one that is named, else the first of the browser's that we have."""
    wanted = named or request.accept_languages.best_match(LOCALES) or "ru"
    return next(locale for locale in LOCALES if locale == wanted)


def address_order(fields: BodyFields, who: Caller, name: str, kind: FieldKind[str]) -> tuple[Recipient, str]:
    """The device that shall get no more messages, and whose it is. Raises what `known_person` does."""
    address = fields.required(name, kind)
    recipient = known_person(fields, who)
    assert address is not None
    return recipient, address


def chosen_preferences(fields: BodyFields, who: Caller) -> tuple[Recipient, Mapping[str, bool]]:
    """What a person chooses, under our names; what is not named stays. Raises what `known_person` does."""
    chosen = {ours: fields.optional(name, SWITCH) for name, ours in PREFERENCES.items()}
    recipient = known_person(fields, who)
    return recipient, {name: value for name, value in chosen.items() if value is not None}


def preferences_body(preferences: Preferences) -> PreferencesBody:
    """Under the app's names."""
    return {
        "success": True,
        "chargingUpdates": preferences.charging_updates,
        "paymentAlerts": preferences.payment_alerts,
        "promotions": preferences.promotions,
        "systemAlerts": preferences.system_alerts,
    }


class PushDoor:
    """Wire to service and back; no rule of its own."""

    def __init__(self, push: Push) -> None:
        self._push = push

    @described("Send messages to this phone", body=partial(device_order, who=ANYBODY), answer=DeviceBody)
    async def register(self) -> Response:
        """`POST /devices/register`; a repeat is a success."""
        devices = self._devices(self._push.devices.rules.fcm)
        recipient, device = device_order(BodyFields(await read_object()), caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            await devices.register(recipient, device)
        return written(Answer({"success": True}))

    @described(
        "Send no more messages to this phone",
        body=partial(address_order, who=ANYBODY, name="fcm_token", kind=TOKEN),
        answer=DeviceBody,
        refused=200,
    )
    async def unregister(self) -> Response:
        """`POST /devices/unregister`."""
        return await self._drop("fcm_token", TOKEN)

    @described("The key that a browser subscribes with", caller="anyone", answer=VapidKeyBody)
    async def vapid_key(self) -> Response:
        """`GET /notifications/vapid-public-key`."""
        key = self._push.devices.rules.vapid_public_key
        if key is None:
            raise NotFound
        return written(Answer({"success": True, "data": {"public_key": key}}))

    @described("Send messages to this browser", body=partial(subscription_order, who=ANYBODY), answer=SubscribedBody)
    async def subscribe(self) -> Response:
        """`POST /notifications/subscribe`; a repeat is a success."""
        devices = self._devices(self._push.devices.rules.vapid_public_key is not None)
        recipient, device = subscription_order(BodyFields(await read_object()), caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            target_id = await devices.register(recipient, device)
        body = {"success": True, "message": "Подписка оформлена", "subscription_id": str(target_id)}
        return written(Answer(body))

    @described(
        "Send no more messages to this browser",
        body=partial(address_order, who=ANYBODY, name="endpoint", kind=ENDPOINT),
        answer=DeviceBody,
        refused=200,
    )
    async def unsubscribe(self) -> Response:
        """`POST /notifications/unsubscribe`."""
        return await self._drop("endpoint", ENDPOINT)

    async def _drop(self, name: str, kind: FieldKind[str]) -> Response:
        devices = self._devices(self._push.devices.rules.is_on)
        recipient, address = address_order(BodyFields(await read_object()), caller(), name, kind)
        with trio.fail_after(ANSWER_WITHIN_S):
            await devices.unregister(recipient, address)
        return written(Answer({"success": True}))

    @described("Which messages the caller wants", query=partial(known_person, who=ANYBODY), answer=PreferencesBody)
    async def preferences(self) -> Response:
        """`GET /notifications/preferences`."""
        devices = self._devices(self._push.devices.rules.is_on)
        recipient = known_person(BodyFields(request.args), caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            return written(Answer(preferences_body(await devices.preferences(recipient))))

    @described("Choose messages", body=partial(chosen_preferences, who=ANYBODY), answer=PreferencesBody)
    async def choose(self) -> Response:
        """`PUT /notifications/preferences`."""
        devices = self._devices(self._push.devices.rules.is_on)
        recipient, chosen = chosen_preferences(BodyFields(await read_object()), caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            return written(Answer(preferences_body(await devices.choose(recipient, chosen))))

    @described("Send a test to the caller's devices", body=partial(known_person, who=ANYBODY), answer=TestSentBody)
    async def test(self) -> Response:
        """`POST /notifications/test`: on its way when this answers."""
        self._devices(self._push.devices.rules.is_on)
        recipient = known_person(BodyFields(await read_object()), caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            sent_to = await self._push.test(recipient)
        message = "Тестовое уведомление отправлено" if sent_to else "Нет зарегистрированных устройств"
        return written(Answer({"success": True, "sent_to": sent_to, "message": message}))

    def _devices(self, is_on: bool) -> Devices:
        """Raises NotFound: what is asked for is not set up."""
        if not is_on:
            raise NotFound
        return self._push.devices


def push_routes(push: Push, *, prefix: str) -> Blueprint:
    """The routes below `prefix`."""
    door, routes = PushDoor(push), Blueprint("push", __name__, url_prefix=prefix)
    routes.post("/devices/register")(door.register)
    routes.post("/devices/unregister")(door.unregister)
    routes.get("/notifications/vapid-public-key")(door.vapid_key)
    routes.post("/notifications/subscribe")(door.subscribe)
    routes.post("/notifications/unsubscribe")(door.unsubscribe)
    routes.get("/notifications/preferences")(door.preferences)
    routes.put("/notifications/preferences")(door.choose)
    routes.post("/notifications/test")(door.test)
    return routes
