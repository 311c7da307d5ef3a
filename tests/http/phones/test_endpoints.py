"""Each endpoint through the application: bodies, refusals, and JSON for whatever goes wrong (contract/rest-api §1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg
import pytest
import trio

from evpower.billing.errors import ClientBlocked, ClientDeleted, InsufficientBalance, MinimumAmountRequired
from evpower.charging.errors import SessionFailed
from evpower.charging.session import StartOrder, StoppedSession
from evpower.errors import ConnectorNotFound, DatabaseUnavailable, EvPowerError, SessionAlreadyActive
from evpower.http.wire.payment_doors import operators_provider_body
from evpower.identifiers import ConnectorId
from evpower.network.spots.errors import (
    ConnectorFaulted,
    ConnectorOccupied,
    ConnectorUnavailable,
    StationInactive,
    StationOffline,
    StationUnderMaintenance,
    UnknownStation,
)
from evpower.payments.provider_calls import ProviderState
from tests.http.conftest import body_of
from tests.http.fakes import NOON, OWNER, SESSION, SETTLED, STATION, Phone, World

START = "/api/v1/charging/start"
STOP = "/api/v1/charging/stop"
ORDER = {"client_id": OWNER, "station_id": STATION, "connector_id": 1, "energy_kwh": 20}

REFUSALS: list[tuple[EvPowerError, dict[str, Any]]] = [
    (
        InsufficientBalance(5000, 27000),
        {
            "error": "insufficient_balance",
            "message": "Недостаточно средств. Баланс: 50 сом, требуется: 270 сом",
            "current_balance": 50,
            "required_amount": 270,
            "missing_amount": 220,
        },
    ),
    (MinimumAmountRequired(550), {"error": "minimum_amount_required", "required_amount": 5.5}),
    (UnknownStation(), {"error": "station_not_found"}),
    (StationInactive(), {"error": "station_unavailable"}),
    (StationUnderMaintenance(), {"error": "station_maintenance"}),
    (
        StationOffline(NOON, NOON.replace(minute=7)),
        {
            "error": "station_offline",
            "message": "Станция недоступна (офлайн 7 минут)",
            "last_heartbeat": "2025-09-30T12:00:00.000000Z",
        },
    ),
    (ConnectorNotFound(), {"error": "connector_not_found", "message": "Коннектор не найден"}),
    (ConnectorFaulted(connector_status="Faulted"), {"error": "connector_faulted"}),
    (ConnectorUnavailable(), {"error": "connector_unavailable"}),
    (
        ConnectorOccupied(connector_status="Charging", session_id="0b6e"),
        {"error": "connector_occupied", "connector_status": "Charging", "session_id": "0b6e"},
    ),
    (SessionAlreadyActive(), {"error": "session_already_active"}),
    (SessionFailed(), {"error": "session_failed"}),
    (ClientBlocked(), {"error": "client_blocked"}),
    (ClientDeleted(), {"error": "client_deleted"}),
]


async def test_a_start_orders_what_was_asked_and_answers_its_session(world: World, client: Phone) -> None:
    body = await body_of(await client.post(START, json=ORDER))
    assert world.charging.orders == [StartOrder(OWNER, STATION, ConnectorId(1), 20000, None)]
    assert (body["success"], body["session_id"], body["reserved_amount"]) == (True, SESSION, 270)


@pytest.mark.parametrize(("refusal", "expected"), REFUSALS, ids=lambda case: getattr(case, "code", ""))
async def test_a_refused_start_is_200_with_the_envelope(
    world: World, client: Phone, refusal: Exception, expected: dict[str, Any]
) -> None:
    world.charging.start_answer = refusal
    body = await body_of(await client.post(START, json=ORDER))
    assert {key: body.get(key) for key in expected} == expected
    assert body["success"] is False
    assert body["message"]


async def test_an_unreadable_start_is_400_with_every_field(world: World, client: Phone) -> None:
    body = await body_of(await client.post(START, json={"client_id": OWNER, "connector_id": "1"}), 400)
    assert body["error"] == "validation_error"
    assert [wrong["field"] for wrong in body["detail"]] == ["station_id", "connector_id"]
    assert not world.charging.orders


async def test_a_sum_with_parts_of_a_tyiyn_is_400_invalid_amount(client: Phone) -> None:
    body = await body_of(await client.post(START, json=ORDER | {"amount_som": 10.001}), 400)
    assert (body["error"], body["detail"][0]["field"]) == ("invalid_amount", "amount_som")


@pytest.mark.parametrize("path", [START, STOP])
async def test_malformed_json_is_400(client: Phone, path: str) -> None:
    body = await body_of(await client.post(path, data=b"{"), 400)
    assert (body["success"], body["error"]) == (False, "validation_error")


async def test_a_token_without_a_client_id_is_401(client: Phone) -> None:
    order = {"station_id": STATION, "connector_id": 1}
    body = await body_of(await client.post(START, json=order, headers={"Authorization": "Bearer a.b.c"}), 401)
    assert body["error"] == "unauthorized"


async def test_a_stop_without_a_client_is_the_owners(world: World, client: Phone) -> None:
    body = await body_of(await client.post(STOP, json={"session_id": SESSION}))
    assert world.charging.stops == [(SESSION, OWNER, "client")]
    assert (body["final_cost"], body["refunded_amount"]) == (202.5, 67.5)


async def test_a_stop_by_its_client_shows_the_balance(world: World, client: Phone) -> None:
    body = await body_of(await client.post(STOP, json={"session_id": SESSION, "client_id": OWNER}))
    assert (body["final_cost"], body["refunded_amount"], body["new_balance"]) == (202.5, 67.5, 297.5)


async def test_a_stop_by_another_client_is_403_and_stops_nothing(world: World, client: Phone) -> None:
    body = await body_of(await client.post(STOP, json={"session_id": SESSION, "client_id": "other"}), 403)
    assert body["error"] == "forbidden"
    assert not world.charging.stops


async def test_a_stop_of_an_unknown_session_is_404(client: Phone) -> None:
    """Field ruling 6.3; it was a refusal with 200, which the app takes for a stop."""
    body = await body_of(await client.post(STOP, json={"session_id": "nobody"}), 404)
    assert body == {
        "success": False,
        "error": "session_not_found",
        "message": "Активная сессия зарядки не найдена",
    }


async def test_a_second_stop_is_a_success_with_the_same_figures(world: World, client: Phone) -> None:
    world.charging.stop_answer = StoppedSession(SETTLED, already_stopped=True)
    body = await body_of(await client.post(STOP, json={"session_id": SESSION}))
    assert (body["success"], body["already_stopped"], body["final_cost"]) == (True, True, 202.5)


async def test_a_session_can_be_read(client: Phone) -> None:
    body = await body_of(await client.get(f"/api/v1/charging/status/{SESSION}"))
    assert (body["status"], body["session"]["status"], body["client_id"]) == ("started", "started", OWNER)


@pytest.mark.parametrize("session_id", ["unknown", "a%20b", "x" * 101, "%D0%96"])
async def test_an_unknown_session_is_404(client: Phone, session_id: str) -> None:
    body = await body_of(await client.get(f"/api/v1/charging/status/{session_id}"), 404)
    assert (body["error"], body["message"]) == ("session_not_found", "Сессия зарядки не найдена")


async def test_a_station_can_be_read(client: Phone) -> None:
    body = await body_of(await client.get(f"/api/v1/station/status/{STATION}"))
    assert (body["success"], body["station_id"], body["tariff_rub_kwh"]) == (True, STATION, 13.5)


async def test_a_station_is_read_by_its_serial_number_and_answers_its_id(client: Phone) -> None:
    """Field ruling 6.1."""
    body = await body_of(await client.get("/api/v1/station/status/EVPCS-001"))
    assert (body["station_id"], body["serial_number"]) == (STATION, "EVPCS-001")


@pytest.mark.parametrize("station_id", ["unknown", "a%20b", "x" * 51, "a%2Fb", "x" * 256, "%00", "%0a"])
async def test_an_unknown_station_is_404(client: Phone, station_id: str) -> None:
    body = await body_of(await client.get(f"/api/v1/station/status/{station_id}"), 404)
    assert (body["error"], body["message"]) == ("station_not_found", "Станция не найдена")


async def test_a_balance_can_be_read(client: Phone) -> None:
    body = await body_of(await client.get("/api/v1/balance/test-client-123"))
    assert (body["client_id"], body["balance"], body["total_balance"]) == ("test-client-123", 230, 500)


@pytest.mark.parametrize("client_id", ["a.b", "x" * 65, "%20"])
async def test_a_balance_of_a_malformed_id_is_400(client: Phone, client_id: str) -> None:
    body = await body_of(await client.get(f"/api/v1/balance/{client_id}"), 400)
    assert body["detail"][0]["field"] == "client_id"


async def test_the_balance_of_the_token_needs_a_token(client: Phone) -> None:
    assert (await body_of(await client.get("/api/v1/balance/get"), 401))["error"] == "unauthorized"


@pytest.mark.parametrize("path", ["/nowhere", "/api/v2/charging/start", "/api/v1", "/health/"])
async def test_an_unknown_route_is_a_json_404(client: Phone, path: str) -> None:
    body = await body_of(await client.get(path), 404)
    assert (body["success"], body["error"]) == (False, "not_found")


async def test_a_wrong_method_is_a_json_405_that_tells_the_right_one(client: Phone) -> None:
    response = await client.get(START)
    assert (await body_of(response, 405))["error"] == "method_not_allowed"
    assert "POST" in response.headers["Allow"]


async def test_health_says_that_the_clock_jumped(world: World, client: Phone) -> None:
    """Money audit B2: an alarm, and no reason to send phones elsewhere."""
    assert "clock" not in await body_of(await client.get("/health"))
    world.probes.jumped_s = -86_400.2
    body = await body_of(await client.get("/health"))
    assert (body["status"], body["clock"]) == ("healthy", {"state": "jumped", "by_s": -86_400})


async def test_health_and_readiness_say_what_could_not_be_written(world: World, client: Phone) -> None:
    """Money audit B3: the disk was full, every write was refused, and both said that all is well."""
    world.probes.refused = ("metering", "DiskFull")
    reason = "PostgreSQL refuses to write: metering, DiskFull"
    health = await body_of(await client.get("/health"), 503)
    assert (health["status"], health["error"], health["database"]) == ("unhealthy", reason, "connected")
    assert await body_of(await client.get("/readyz"), 503) == {"status": "not_ready", "error": reason}


async def test_a_body_over_the_limit_is_a_json_413() -> None:
    client = World(body_bytes_max=100).client()
    body = await body_of(await client.post(START, data=b" " * 101), 413)
    assert body["error"] == "request_too_large"


async def test_an_unexpected_error_is_a_json_500_that_tells_nothing(world: World, client: Phone) -> None:
    world.charging.start_answer = KeyError("secret")
    body = await body_of(await client.post(START, json=ORDER), 500)
    assert body == {"success": False, "error": "internal_error", "message": "Внутренняя ошибка сервера"}


async def test_errors_of_a_services_nursery_are_unwrapped(world: World, client: Phone) -> None:
    world.charging.start_answer = ExceptionGroup("nursery", [StationInactive()])
    assert (await body_of(await client.post(START, json=ORDER)))["error"] == "station_unavailable"


@pytest.mark.parametrize("error", [DatabaseUnavailable("no PostgreSQL at /secret"), psycopg.OperationalError("gone")])
async def test_a_lost_database_is_503(world: World, client: Phone, error: Exception) -> None:
    world.billing.answer = error
    body = await body_of(await client.get("/api/v1/balance/6f1c"), 503)
    assert body["error"] == "service_unavailable"
    assert "secret" not in str(body)


async def test_an_answer_that_takes_too_long_is_503_before_the_app_gives_up(
    world: World, client: Phone, autojump_clock: trio.abc.Clock
) -> None:
    world.charging.hold = trio.Event()
    body = await body_of(await client.post(START, json=ORDER), 503)
    assert body["error"] == "timeout"
    assert trio.current_time() == pytest.approx(9, abs=0.5)


async def test_a_write_goes_on_when_its_phone_hangs_up(world: World, client: Phone) -> None:
    world.charging.hold = trio.Event()
    with trio.fail_after(5):
        async with client.request(START, method="POST") as connection:
            await connection.send(b'{"client_id":"6f1c","station_id":"EVP-001-01","connector_id":1}')
            await connection.send_complete()
            await world.charging.waiting.wait()
            await connection.disconnect()
            world.charging.hold.set()
            await world.charging.finished.wait()


async def test_the_api_version_is_on_api_answers_only(client: Phone) -> None:
    api = await client.get("/api/v1/nowhere")
    assert api.headers["X-API-Version"] == "1.0"
    assert "X-API-Version" not in (await client.get("/version")).headers


async def test_a_sane_correlation_id_is_echoed(client: Phone) -> None:
    response = await client.get("/version", headers={"X-Correlation-ID": "abc-1.2_3"})
    assert response.headers["X-Correlation-ID"] == "abc-1.2_3"


@pytest.mark.parametrize("given", [None, "", "a b", "x" * 129, "<script>"])
async def test_otherwise_a_correlation_id_is_made(client: Phone, given: str | None) -> None:
    response = await client.get("/version", headers={} if given is None else {"X-Correlation-ID": given})
    assert response.headers["X-Correlation-ID"] == "id-1"


async def test_posts_and_answers_to_tokens_are_not_to_be_stored(client: Phone) -> None:
    assert (await client.post(START, json=ORDER)).headers["Cache-Control"] == "no-store"
    with_token = await client.get("/api/v1/balance/6f1c", headers={"Authorization": "Bearer x"})
    assert with_token.headers["Cache-Control"] == "no-store"
    assert "Cache-Control" not in (await client.get("/api/v1/balance/6f1c")).headers


async def test_an_allowed_origin_may_call_and_is_told_what_it_may_send() -> None:
    client = World(allowed_origins=("https://app.example",)).client()
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    response = await client.options(START, headers=headers)
    assert response.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Idempotency-Key" in response.headers["Access-Control-Allow-Headers"]


async def test_another_origin_gets_no_leave() -> None:
    client = World(allowed_origins=("https://app.example",)).client()
    response = await client.get("/version", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in response.headers


APP = "capacitor://localhost"


@pytest.mark.parametrize(
    "path",
    [START, "/api/v1/balance/6f1c", "/api/v1/ws/locations", "/api/v1/admin/stations", "/api/v1/nowhere", "/x", "//x"],
)
async def test_a_preflight_is_204_with_leave_on_every_path_existing_or_not(path: str) -> None:
    """Field ruling 6.2: unknown paths were 404 without leave, administrators' 401."""
    client = World(allowed_origins=("https://localhost", APP)).client()
    headers = {"Origin": APP, "Access-Control-Request-Method": "DELETE"}
    response = await client.options(path, headers=headers)
    assert (response.status_code, await response.get_data()) == (204, b"")
    assert response.headers["Access-Control-Allow-Origin"] == APP
    assert "DELETE" in response.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in response.headers["Access-Control-Allow-Headers"]


async def test_options_without_the_words_of_a_preflight_are_answered_alike() -> None:
    """Field ruling 6.2; it was 200 with a body, which a 204 has not."""
    client = World(allowed_origins=(APP,)).client()
    plain = await client.options(START)
    assert (plain.status_code, set(plain.headers["Allow"].split(", "))) == (204, {"OPTIONS", "POST"})
    assert "Access-Control-Allow-Origin" not in plain.headers
    named = await client.options(START, headers={"Origin": APP})
    assert "POST" in named.headers["Access-Control-Allow-Methods"]


async def test_a_preflight_of_another_origin_gets_no_leave() -> None:
    client = World(allowed_origins=(APP,)).client()
    headers = {"Origin": "http://localhost", "Access-Control-Request-Method": "POST"}
    response = await client.options(START, headers=headers)
    assert response.status_code == 204
    assert not [name for name, _ in response.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_no_body_under_a_json_content_type_is_a_body_without_fields(client: Phone, method: str) -> None:
    """Field ruling 6.6: the app names JSON with every request; what is missing is named, not that JSON is broken."""
    headers = {"Content-Type": "application/json"}
    refresh = await client.post("/api/v1/locations/EVP-LOC-001/refresh-status", headers=headers)
    assert (await body_of(refresh))["success"] is True
    asked = await body_of(await client.open(STOP, method="POST", headers=headers), 400)
    assert [each["field"] for each in asked["detail"]] == ["session_id"]
    nowhere = await client.open("/api/v1/nowhere", method=method, headers=headers)
    assert (await body_of(nowhere, 404))["error"] == "not_found"


async def test_health_tells_what_is_connected(client: Phone) -> None:
    body = await body_of(await client.get("/health"))
    assert body.pop("endpoints")
    assert body == {
        "status": "healthy",
        "service": "EvPower OCPP WebSocket Server",
        "version": "1.0.0",
        "redis": "disabled",
        "database": "connected",
        "connected_stations": 7,
        "payments": {"ODENGI": {"state": "up"}, "OBANK": {"state": "off"}},
        "note": "Все системы работают",
    }


async def test_a_provider_that_fails_is_shown_and_makes_nothing_unhealthy(world: World, client: Phone) -> None:
    failing = ProviderState("failing", NOON, "provider_timeout", "TLS: a reason for operators alone")
    world.probes.providers = {"ODENGI": failing, "OBANK": failing}
    body = await body_of(await client.get("/health"))
    shown = {"state": "failing", "failing_since": "2025-09-30T12:00:00.000000Z", "last_error": "provider_timeout"}
    assert (body["status"], body["payments"]) == ("healthy", {"ODENGI": shown, "OBANK": shown})


def test_operators_see_why_tls_failed_too() -> None:
    failing = ProviderState("failing", NOON, "provider_timeout", "TLS: handshake failure")
    assert operators_provider_body(failing)["last_error"] == "provider_timeout (TLS: handshake failure)"
    assert operators_provider_body(replace(failing, tls=""))["last_error"] == "provider_timeout"


async def test_health_is_503_when_the_database_fails(world: World, client: Phone) -> None:
    world.probes.database_error = psycopg.OperationalError("password=secret")
    body = await body_of(await client.get("/health"), 503)
    assert (body["status"], body["database"], body["error"]) == (
        "unhealthy",
        "disconnected",
        "PostgreSQL does not answer",
    )


async def test_health_does_not_wait_long_for_the_database(
    world: World, client: Phone, autojump_clock: trio.abc.Clock
) -> None:
    world.probes.database_hangs = True
    await body_of(await client.get("/health"), 503)
    assert trio.current_time() == pytest.approx(2, abs=0.5)


async def test_health_is_503_when_a_configured_redis_is_away(world: World, client: Phone) -> None:
    world.probes.redis_word = "disconnected"
    body = await body_of(await client.get("/health"), 503)
    assert (body["redis"], body["database"]) == ("disconnected", "connected")


async def test_health_force_asks_redis_for_more_than_a_word(world: World, client: Phone) -> None:
    world.probes.redis_word = "connected"
    assert (await body_of(await client.get("/health-force")))["redis"] == "connected"
    world.probes.redis_stores_word = "disconnected"
    body = await body_of(await client.get("/health-force"), 503)
    assert (body["redis"], body["error"]) == ("disconnected", "Redis does not answer")


async def test_ready_needs_only_the_database(world: World, client: Phone) -> None:
    world.probes.redis_word = "disconnected"
    assert await body_of(await client.get("/readyz")) == {"status": "ready"}
    world.probes.database_error = psycopg.OperationalError("gone")
    assert (await body_of(await client.get("/readyz"), 503))["status"] == "not_ready"


async def test_version_names_the_build(client: Phone) -> None:
    assert await body_of(await client.get("/version")) == {
        "success": True,
        "version": "1.0.0",
        "git_commit": "abc123",
        "build_time": "2025-09-30T12:00:00Z",
    }


async def test_the_root_says_where_chargers_connect(client: Phone) -> None:
    body = await body_of(await client.get("/"))
    assert body["protocol"] == "OCPP 1.6 JSON"
    assert body["websocket_urls"] == ["ws://127.0.0.1:9000/ws/{station_id}"]


async def test_a_settled_session_reads_the_same_on_status_and_stop(world: World, client: Phone) -> None:
    world.charging.session_answer = replace(SETTLED, debt_tyiyn=125)
    body = await body_of(await client.get(f"/api/v1/charging/status/{SESSION}"))
    assert (body["final_cost"], body["current_cost"], body["debt_amount"]) == (202.5, 202.5, 1.25)
