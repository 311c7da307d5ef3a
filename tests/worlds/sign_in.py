"""Signing in over a real PostgreSQL: a set clock, random bytes that count, SMS that are kept, and the doors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

from quart import Response
from quart.testing import QuartClient

from evpower.db.pool import Pool
from evpower.http.phones.sign_in import key_set_routes, sign_in_routes
from evpower.http.wire.application import HttpApplication, RequestLimits
from evpower.http.wire.caller import Callers
from evpower.identifiers import PhoneNumber
from evpower.identity.graph import TokenRules, build_tokens
from evpower.sign_in.codes import CodeRules
from evpower.sign_in.errors import SmsNotSent
from evpower.sign_in.graph import SignIn, build_sign_in
from evpower.sign_in.means import SignInMeans
from tests.http.description import hold_to_description
from tests.worlds.by_hand import by_hand
from tests.worlds.fakes import CountingIds, SetClock

PHONE = PhoneNumber("+996700123456")
OTHER_PHONE = PhoneNumber("+996555123456")
ADDRESS = "203.0.113.7"
AUTH = "/api/v1/auth"
#: With which another issuer signs its tokens.
SHARED_SECRET = "s" * 32


class KeptSms:
    """Keeps what is sent; fails as it is set to."""

    def __init__(self) -> None:
        self.sent: list[tuple[PhoneNumber, str]] = []
        self.failure: SmsNotSent | None = None

    async def send(self, phone: PhoneNumber, text: str) -> None:
        if self.failure is not None:
            raise self.failure
        self.sent.append((phone, text))


class CountingBytes:
    """Bytes that differ each time, and can be foretold."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, size: int) -> bytes:
        self.made += 1
        return self.made.to_bytes(size)


class SignInWorld:
    """One installation."""

    def __init__(
        self,
        pool: Pool,
        *,
        rules: CodeRules | None = None,
        random_bytes: Callable[[int], bytes] | None = None,
        secret: bytes = b"s" * 32,
        clock: SetClock | None = None,
    ) -> None:
        self.pool = pool
        self.clock = clock or SetClock()
        self.ids = CountingIds()
        self.sms = KeptSms()
        self.random_bytes = random_bytes or CountingBytes()
        self.means = SignInMeans(secret, self.sms)
        self.sign_in = build_sign_in(pool, self.clock, self.ids, self.means, rules or CodeRules(), self.random_bytes)
        self.codes = self.sign_in.codes
        own_keys, refused = self.sign_in.keys.public, self.sign_in.revocations.refused
        #: What checks tokens in this process.
        self.verifier = build_tokens(TokenRules(), self.clock, own_keys=own_keys, refused=refused).verifier

    def door(self, sign_in: SignIn | None = None) -> QuartClient:
        """A phone at the door."""
        app = HttpApplication("test", ids=self.ids, limits=RequestLimits())
        sign_in = sign_in or self.sign_in
        refused = sign_in.revocations.refused
        tokens = build_tokens(TokenRules(SHARED_SECRET), self.clock, own_keys=sign_in.keys.public, refused=refused)
        routes = sign_in_routes(sign_in, prefix="/api/v1")
        routes.before_request(Callers("required", tokens.verifier).identify)
        app.register_blueprint(routes)
        app.register_blueprint(key_set_routes(sign_in))
        hold_to_description(app)
        return cast("QuartClient", app.test_client())

    @property
    def code(self) -> str:
        """The one in the latest SMS."""
        found = re.search(r"\d{6}", self.sms.sent[-1][1])
        assert found is not None
        return found[0]

    async def sql(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        """Rows of a query, or nothing."""
        async with by_hand(self.pool) as conn:
            cursor = await conn.execute(query, parameters or None)
            return await cursor.fetchall() if cursor.description else []


async def body_of(response: Response, status: int = 200) -> Any:
    """The answer's JSON; its status is checked on the way."""
    body = await response.get_json()
    assert response.status_code == status, body
    return body
