"""Devices and their messages over a real PostgreSQL: a set clock, doors, people with tokens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from quart.testing import QuartClient

from evpower.clock import ClockWatch
from evpower.db.pool import Pool
from evpower.errors import InvalidToken
from evpower.http.phones.person.devices import push_routes
from evpower.http.wire.application import HttpApplication, RequestLimits
from evpower.http.wire.caller import Callers, Mode
from evpower.http.wire.idempotency import Idempotency
from evpower.idempotency.keys import KeyRows
from evpower.identity.identity import Identity
from evpower.identity.verifier import Verifier
from evpower.push.delivery import DeliveryService
from evpower.push.devices import PushRules
from evpower.push.graph import build_push
from evpower.push.recipient import Device, Recipient
from evpower.push.services.vapid import private_key, public_key_text
from evpower.staff.service import Staff
from tests.http.description import hold_to_description
from tests.worlds.by_hand import by_hand
from tests.worlds.fakes import NOON, CountingIds, SetClock

ME, OTHER, OWNER = Recipient("client", "client-1"), Recipient("client", "client-2"), Recipient("owner", "staff-1")
STAFF_PHONE = "+996700000007"
HOSTS = ("fcm.googleapis.com", "push.services.mozilla.com")
KEY = private_key(7)
RULES = PushRules(fcm=True, vapid_public_key=public_key_text(KEY), hosts=HOSTS)
DEVICES, NOTIFICATIONS = "/api/v1/devices", "/api/v1/notifications"
ENDPOINT = "https://fcm.googleapis.com/fcm/send/abc"


def token(name: str = "1") -> str:
    """A registration token as FCM gives it out."""
    return f"device-{name}:" + "A" * 30


def phone(name: str = "1", **more: Any) -> Device:
    return Device("fcm", token(name), platform="android", **more)


class KnownTokens(Verifier):
    """Believes the tokens of three people who have signed in here, and of staff that has signed in elsewhere."""

    def __init__(self) -> None:
        self.identities = {
            "mine": Identity(ME.owner_id, "client", NOON + timedelta(hours=1), ours=True, family="sign-in-1"),
            "others": Identity(OTHER.owner_id, "client", NOON + timedelta(hours=1)),
            "staff": Identity(OWNER.owner_id, "staff", NOON + timedelta(hours=1), ours=True, family="sign-in-2"),
            "foreign staff": Identity(OWNER.owner_id, "client", NOON + timedelta(hours=1)),
            "phone of staff": Identity("uuid-of-supabase", "client", NOON + timedelta(hours=1), phone=STAFF_PHONE),
            "anonymous": Identity(OWNER.owner_id, "client", NOON + timedelta(hours=1), anonymous=True),
        }

    async def verify(self, token: str) -> Identity:
        if token not in self.identities:
            raise InvalidToken
        return self.identities[token]


class PushWorld:
    """One installation."""

    def __init__(
        self, pool: Pool, rules: PushRules = RULES, services: Mapping[str, DeliveryService] | None = None
    ) -> None:
        self.pool = pool
        self.clock = SetClock()
        self.ids = CountingIds()
        watch = ClockWatch(self.clock, self.clock.steady_s)
        self.push = build_push(pool, self.clock, self.ids, rules, watch, services or {})

    def door(self, mode: Mode = "trust") -> QuartClient:
        """A phone at the door."""
        app = HttpApplication("test", ids=self.ids, limits=RequestLimits())
        idempotency = Idempotency(KeyRows(self.pool, self.clock))
        routes = push_routes(self.push, Staff(self.pool, self.clock, self.ids), idempotency, prefix="/api/v1")
        routes.before_request(Callers(mode, KnownTokens()).identify)
        app.register_blueprint(routes)
        hold_to_description(app)
        return cast("QuartClient", app.test_client())

    async def sql(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        """Rows of a query, or nothing."""
        async with by_hand(self.pool) as conn:
            cursor = await conn.execute(query, parameters or None)
            return await cursor.fetchall() if cursor.description else []

    async def devices(self, recipient: Recipient = ME) -> list[str]:
        """The addresses of a person that get messages."""
        rows = await self.sql(
            "SELECT address FROM evpower.push_targets WHERE (owner_type, owner_id) = (%s, %s) AND ended_at IS NULL "
            "ORDER BY id",
            recipient.owner_type,
            recipient.owner_id,
        )
        return [row["address"] for row in rows]
