"""The phones' door before the whole application, every answer held to its description."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from evpower.http.app import HttpAppSettings, PhoneServices, build_http_app
from evpower.http.phones.live_hub import LiveHub, LiveLimits
from evpower.http.wire.caller import Callers, Mode
from evpower.identifiers import ClientId
from evpower.identity.graph import TokenRules, build_tokens
from tests.http.description import hold_to_description
from tests.http.fakes import CountingIds, Phone
from tests.worlds import token_issuer
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import CLIENT, World

OTHER = ClientId("client-2")


def phone_of(world: World, mode: Mode = "trust") -> Phone:
    """A phone before the world's application."""
    tokens = build_tokens(TokenRules(token_issuer.SECRET), world.clock)
    app = world.app
    services = PhoneServices(
        callers=Callers(mode, tokens.verifier, app.aliases.resolve),
        charging=app.charging,
        station_pages=app.station_pages,
        billing=app.billing,
        locations=app.locations,
        hub=LiveHub(world.clock, LiveLimits()),
        keys=app.keys,
        rate_limits=app.rate_limits,
        accounts=app.accounts,
        history=app.history,
        documents=app.documents,
        evidence=app.evidence,
    )
    http_app = build_http_app(services, world.clock, CountingIds(), HttpAppSettings())
    hold_to_description(http_app)
    return cast("Phone", http_app.test_client())


async def get(
    phone: Phone, path: str, expected: int = 200, asking: ClientId | None = CLIENT, /, **query: object
) -> Any:
    """The JSON of an answer with this status."""
    if asking is not None:
        query["client_id"] = asking
    response = await phone.get(f"/api/v1{path}", query_string={name: str(value) for name, value in query.items()})
    assert response.status_code == expected, await response.get_data()
    return await response.get_json()


async def charged(world: World, energy_wh: int = 1_000, client: ClientId = CLIENT) -> str:
    """A settled charge, a minute after what was before."""
    world.clock.advance(60)
    session_id = (await world.order(energy_wh=20_000, client=client)).session.session_id
    await world.charge(session_id, energy_wh)
    return session_id


PAST = """
INSERT INTO charging_sessions (id, user_id, station_id, connector_id, start_time, stop_time, status, energy, amount,
                               settled_at, created_at)
SELECT 'old-' || lpad(n::text, 5, '0'), %(client)s, 'EVP-001-01', 1, %(at)s + n * interval '1 minute',
       %(at)s + n * interval '1 minute' + interval '30 minutes', 'stopped', 0, 0, %(at)s,
       %(at)s + n * interval '1 minute'
FROM generate_series(1, %(count)s) n
"""


async def lay_out(world: World, count: int, client: ClientId = CLIENT) -> None:
    """So many old charges of a client, one a minute, the last of them long ago."""
    await world.give(5_000_00, client)
    at = world.clock.now() - timedelta(days=40)
    async with by_hand(world.pool) as conn:
        await conn.execute(PAST, {"client": client, "at": at, "count": count})
        await conn.execute(
            "INSERT INTO evpower.session_phases (session_id, phase, phase_at) "
            "SELECT id, 'settled', settled_at FROM charging_sessions WHERE id LIKE 'old-%%' ON CONFLICT DO NOTHING",
            {},
        )
