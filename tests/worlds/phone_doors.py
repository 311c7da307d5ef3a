"""The phones' doors before the whole application over a real PostgreSQL; tokens of a known issuer."""

from __future__ import annotations

from typing import Any, cast

from quart import Response
from quart.testing import QuartClient

from evpower.http.app import HttpAppSettings, People, PhoneServices, build_http_app
from evpower.http.phones.live_hub import LiveHub, LiveLimits
from evpower.http.wire.caller import Callers, Mode
from evpower.identity.graph import TokenRules, build_tokens
from tests.http.description import hold_to_description
from tests.worlds import token_issuer
from tests.worlds.charging import CLIENT, World
from tests.worlds.fakes import CountingIds

V1 = "/api/v1"


class PhoneDoors:
    """A phone that asks, as a client with a token unless said otherwise."""

    def __init__(self, world: World, mode: Mode = "trust", **without: None) -> None:
        """`without` are services that are switched off."""
        app, clock = world.app, world.clock
        tokens = build_tokens(
            TokenRules(token_issuer.SECRET),
            clock,
            own_keys=app.sign_in.keys.public,
            refused=app.sign_in.revocations.refused,
        )
        services: dict[str, Any] = {
            "favorites": app.favorites,
            "watches": app.watches,
            "prices": app.station_prices,
            "people": People(app.profiles, app.staff),
            "accounts": app.accounts,
            "forecasts": app.forecasts,
            "reservations": app.reservations.service,
            "navigation": app.navigation,
        }
        people = build_http_app(
            PhoneServices(
                callers=Callers(mode, tokens.verifier, app.aliases.resolve),
                charging=app.charging,
                station_pages=app.station_pages,
                billing=app.billing,
                locations=app.locations,
                hub=LiveHub(clock, LiveLimits()),
                keys=app.keys,
                rate_limits=app.rate_limits,
                **{**services, **without},
            ),
            clock,
            CountingIds(),
            HttpAppSettings(),
        )
        hold_to_description(people)
        self.phone = cast("QuartClient", people.test_client())

    async def ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        token: str | None = "",
        status: int = 200,
        key: str | None = None,
    ) -> Any:
        """The answer's body; `token` empty: the client's own, None: none."""
        headers = {} if token is None else {"Authorization": f"Bearer {token or token_of()}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        sent: dict[str, Any] = {} if body is None else {"json": body}
        answer: Response = await self.phone.open(f"{V1}{path}", method=method, headers=headers, **sent)
        assert (answer.status_code, answer.content_type) == (status, "application/json"), await answer.get_data()
        return await answer.get_json()


def token_of(client: str = CLIENT, **claims: Any) -> str:
    """A token of that client."""
    return token_issuer.by_secret({"sub": client, **claims})
