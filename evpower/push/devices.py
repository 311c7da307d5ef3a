"""Devices that people register for messages, and what they want of them."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from evpower.clock import Clock
from evpower.db.connection import Conn
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import InvalidRequest
from evpower.idempotency.claim import IdempotencyClaim
from evpower.idempotency.keys import keep_claim
from evpower.identity.identity import Identity
from evpower.push.errors import DeviceNotFound, FcmTokenInvalid
from evpower.push.recipient import Device, Preferences, Recipient, is_push_service, recipient_of
from evpower.push.rows import targets

log = logging.getLogger("evpower.push")

#: FCM does not say what a registration token is; those that are given out are of these characters.
FCM_TOKEN = re.compile(r"[A-Za-z0-9_:.\-]{20,1000}")
NOT_A_PUSH_SERVICE = "не является адресом службы push-уведомлений"


@dataclass(frozen=True)
class PushRules:
    """What the operator has set up. Nothing is on without its keys; `hosts` are of web push services."""

    fcm: bool = False
    vapid_public_key: str | None = None
    hosts: tuple[str, ...] = ()

    @property
    def is_on(self) -> bool:
        return self.fcm or self.vapid_public_key is not None


class Devices:
    """The verbs of a person's devices. A `claim` is kept in the unit of work of what it was made for."""

    def __init__(self, pool: Pool, clock: Clock, rules: PushRules) -> None:
        self._pool = pool
        self._clock = clock
        self.rules = rules

    async def register(self, recipient: Recipient, device: Device, claim: IdempotencyClaim | None = None) -> int:
        """The device is this person's from now on, whoever had it before; its id.

        Raises FcmTokenInvalid, InvalidRequest (an endpoint that is no push service's), IdempotencyMismatch.
        """
        if device.kind == "fcm" and FCM_TOKEN.fullmatch(device.address) is None:
            raise FcmTokenInvalid
        if device.kind == "webpush" and not is_push_service(device.address, self.rules.hosts):
            raise InvalidRequest(("subscription.endpoint", NOT_A_PUSH_SERVICE))
        async with unit_of_work(self._pool) as uow:
            await keep_claim(uow, claim, self._clock.now())
            target_id = await targets.register(uow.conn, recipient, device, self._clock.now())
        log.info("device registered: %s=%s, kind=%s", recipient.owner_type, recipient.owner_id, device.kind)
        return target_id

    async def unregister(self, recipient: Recipient, address: str, claim: IdempotencyClaim | None = None) -> None:
        """No more messages to this device. Raises DeviceNotFound: it is not this person's; IdempotencyMismatch."""
        async with unit_of_work(self._pool) as uow:
            await keep_claim(uow, claim, self._clock.now())
            if not await targets.drop_target(uow.conn, recipient, address):
                raise DeviceNotFound

    async def preferences(self, recipient: Recipient) -> Preferences:
        """Which messages the person wants."""
        async with reading(self._pool) as conn:
            return await targets.read_preferences(conn, recipient)

    async def choose(
        self, recipient: Recipient, chosen: Mapping[str, bool], claim: IdempotencyClaim | None = None
    ) -> Preferences:
        """Change the preferences that are named; all of them then. Raises IdempotencyMismatch."""
        async with unit_of_work(self._pool) as uow:
            await keep_claim(uow, claim, self._clock.now())
            preferences = replace(await targets.read_preferences(uow.conn, recipient), **chosen)
            await targets.store_preferences(uow.conn, recipient, preferences)
        return preferences


async def forget_sign_in(conn: Conn, sign_in_id: str) -> None:
    """The person has signed out on this phone: it gets no more messages."""
    await targets.drop_of_sign_in(conn, sign_in_id)


async def forget_person(conn: Conn, identity: Identity) -> None:
    """The person has signed out everywhere: no device gets a message until it is registered again."""
    await targets.drop_of_person(conn, recipient_of(identity))
