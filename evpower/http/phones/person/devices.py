"""Devices and the messages they get: /api/v1/devices, /api/v1/notifications (contract/rest-api §7.2).

A feature that is not set up answers 404, which the app takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import trio
from quart import Blueprint, Response, request

from evpower.errors import Forbidden, NotFound
from evpower.http.phones.answer_types.push import (
    DeviceBody,
    PreferencesBody,
    SubscribedBody,
    TestSentBody,
    VapidKeyBody,
)
from evpower.http.phones.person.push_orders import (
    ENDPOINT,
    TOKEN,
    Addressed,
    address_order,
    chosen_preferences,
    device_order,
    known_person,
    subscription_order,
)
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.caller import ANYBODY, caller
from evpower.http.wire.described import described
from evpower.http.wire.idempotency import Idempotency, KeyedWork, claim_of_request
from evpower.http.wire.kinds import FieldKind
from evpower.http.wire.requests import BodyFields, read_object
from evpower.idempotency.claim import IdempotencyClaim
from evpower.identifiers import ClientId
from evpower.push.graph import Push
from evpower.push.recipient import Device, Preferences, Recipient
from evpower.staff.service import NOT_STAFF, Staff

ANSWER_WITHIN_S = 9
DONE = Answer({"success": True})


def preferences_body(preferences: Preferences) -> PreferencesBody:
    """Under the app's names."""
    return {
        "success": True,
        "chargingUpdates": preferences.charging_updates,
        "paymentAlerts": preferences.payment_alerts,
        "promotions": preferences.promotions,
        "systemAlerts": preferences.system_alerts,
    }


def whose_keys(recipient: Recipient) -> ClientId:
    """Under whose name a person's keys are kept: a member of staff and a client may have one id."""
    is_client = recipient.owner_type == "client"
    return ClientId(recipient.owner_id if is_client else f"owner:{recipient.owner_id}")


class PushDoor:
    """Wire to service and back; no rule of its own."""

    def __init__(self, push: Push, staff: Staff, idempotency: Idempotency) -> None:
        self._push = push
        self._staff = staff
        self._idempotency = idempotency

    @described("Send messages to this phone", body=partial(device_order, who=ANYBODY), answer=DeviceBody, keyed=True)
    async def register(self) -> Response:
        """`POST /devices/register`; a repeat is a success."""
        self._must_be_on(self._push.devices.rules.fcm)
        fields = BodyFields(await read_object())
        addressed, device = device_order(fields, caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            recipient = await self._recipient(addressed)
            register = partial(self._register, recipient, device)
            return await self._answer(recipient, fields, KeyedWork(register, lambda _effect: register(None)))

    @described(
        "Send no more messages to this phone",
        body=partial(address_order, who=ANYBODY, name="fcm_token", kind=TOKEN),
        answer=DeviceBody,
        refused=200,
        keyed=True,
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

    @described(
        "Send messages to this browser",
        body=partial(subscription_order, who=ANYBODY),
        answer=SubscribedBody,
        keyed=True,
    )
    async def subscribe(self) -> Response:
        """`POST /notifications/subscribe`; a repeat is a success."""
        self._must_be_on(self._push.devices.rules.vapid_public_key is not None)
        fields = BodyFields(await read_object())
        addressed, device = subscription_order(fields, caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            recipient = await self._recipient(addressed)
            subscribe = partial(self._subscribe, recipient, device)
            return await self._answer(recipient, fields, KeyedWork(subscribe, lambda _effect: subscribe(None)))

    @described(
        "Send no more messages to this browser",
        body=partial(address_order, who=ANYBODY, name="endpoint", kind=ENDPOINT),
        answer=DeviceBody,
        refused=200,
        keyed=True,
    )
    async def unsubscribe(self) -> Response:
        """`POST /notifications/unsubscribe`."""
        return await self._drop("endpoint", ENDPOINT)

    @described("Which messages the caller wants", query=partial(known_person, who=ANYBODY), answer=PreferencesBody)
    async def preferences(self) -> Response:
        """`GET /notifications/preferences`."""
        self._must_be_on(self._push.devices.rules.is_on)
        addressed = known_person(BodyFields(request.args), caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            return written(await self._chosen(await self._recipient(addressed)))

    @described("Choose messages", body=partial(chosen_preferences, who=ANYBODY), answer=PreferencesBody, keyed=True)
    async def choose(self) -> Response:
        """`PUT /notifications/preferences`."""
        self._must_be_on(self._push.devices.rules.is_on)
        fields = BodyFields(await read_object())
        addressed, chosen = chosen_preferences(fields, caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            recipient = await self._recipient(addressed)
            work = KeyedWork(partial(self._choose, recipient, chosen), lambda _effect: self._chosen(recipient))
            return await self._answer(recipient, fields, work)

    @described(
        "Send a test to the caller's devices", body=partial(known_person, who=ANYBODY), answer=TestSentBody, keyed=True
    )
    async def test(self) -> Response:
        """`POST /notifications/test`: on its way when this answers."""
        self._must_be_on(self._push.devices.rules.is_on)
        fields = BodyFields(await read_object())
        addressed = known_person(fields, caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            recipient = await self._recipient(addressed)
            work = KeyedWork(partial(self._test, recipient), partial(self._tested, recipient))
            return await self._answer(recipient, fields, work)

    async def _register(self, recipient: Recipient, device: Device, claim: IdempotencyClaim | None) -> Answer:
        await self._push.devices.register(recipient, device, claim)
        return DONE

    async def _subscribe(self, recipient: Recipient, device: Device, claim: IdempotencyClaim | None) -> Answer:
        target_id = await self._push.devices.register(recipient, device, claim)
        return Answer({"success": True, "message": "Подписка оформлена", "subscription_id": str(target_id)})

    async def _drop(self, name: str, kind: FieldKind[str]) -> Response:
        self._must_be_on(self._push.devices.rules.is_on)
        fields = BodyFields(await read_object())
        addressed, address = address_order(fields, caller(), name, kind)
        with trio.fail_after(ANSWER_WITHIN_S):
            recipient = await self._recipient(addressed)
            work = KeyedWork(partial(self._unregister, recipient, address), self._unregistered)
            return await self._answer(recipient, fields, work)

    async def _unregister(self, recipient: Recipient, address: str, claim: IdempotencyClaim | None) -> Answer:
        await self._push.devices.unregister(recipient, address, claim)
        return DONE

    async def _unregistered(self, _effect: object) -> Answer:
        return DONE

    async def _choose(self, recipient: Recipient, chosen: Mapping[str, bool], claim: IdempotencyClaim | None) -> Answer:
        return Answer(preferences_body(await self._push.devices.choose(recipient, chosen, claim)))

    async def _chosen(self, recipient: Recipient) -> Answer:
        return Answer(preferences_body(await self._push.devices.preferences(recipient)))

    async def _test(self, recipient: Recipient, claim: IdempotencyClaim | None) -> Answer:
        return _tested_answer(await self._push.test(recipient, claim))

    async def _tested(self, recipient: Recipient, _effect: object) -> Answer:
        """A test whose answer was lost: it is on its way, and is not sent again."""
        return _tested_answer(await self._push.reached(recipient))

    async def _answer(self, recipient: Recipient, fields: BodyFields, work: KeyedWork) -> Response:
        return written(await self._idempotency.answer(claim_of_request(whose_keys(recipient), fields), work))

    async def _recipient(self, addressed: Addressed) -> Recipient:
        """Staff may come with a token of another issuer, which cannot say that it is theirs (field ruling 6.7).

        Raises Forbidden: the person is not what it wants messages as.
        """
        identity, recipient, wanted = caller().identity, addressed.recipient, addressed.wanted
        if wanted != "client" and identity is not None and not identity.ours and not identity.anonymous:
            member = await self._staff.active(identity.subject, identity.phone)
            recipient = recipient if member is None else Recipient("owner", member.id)
        if wanted not in (None, recipient.owner_type):
            raise Forbidden(NOT_STAFF, reason="not_staff") if wanted == "owner" else Forbidden
        return recipient

    def _must_be_on(self, is_on: bool) -> None:
        """Raises NotFound: what is asked for is not set up."""
        if not is_on:
            raise NotFound


def _tested_answer(sent_to: int) -> Answer:
    message = "Тестовое уведомление отправлено" if sent_to else "Нет зарегистрированных устройств"
    return Answer({"success": True, "sent_to": sent_to, "message": message})


def push_routes(push: Push, staff: Staff, idempotency: Idempotency, *, prefix: str) -> Blueprint:
    """The routes below `prefix`."""
    door, routes = PushDoor(push, staff, idempotency), Blueprint("push", __name__, url_prefix=prefix)
    routes.post("/devices/register")(door.register)
    routes.post("/devices/unregister")(door.unregister)
    routes.get("/notifications/vapid-public-key")(door.vapid_key)
    routes.post("/notifications/subscribe")(door.subscribe)
    routes.post("/notifications/unsubscribe")(door.unsubscribe)
    routes.get("/notifications/preferences")(door.preferences)
    routes.put("/notifications/preferences")(door.choose)
    routes.post("/notifications/test")(door.test)
    return routes
