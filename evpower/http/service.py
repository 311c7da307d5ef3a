"""Is the server well, and which one is it: /health, /health-force, /readyz, /version, / (contract/rest-api §6)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NotRequired, Protocol, TypedDict

import trio
from quart import Blueprint, Response

from evpower.http.wire.answers import Answer, written
from evpower.http.wire.described import Instant, Success, described
from evpower.http.wire.payment_doors import provider_body
from evpower.http.wire.values import jsonable
from evpower.payments.provider_calls import ProviderState

logger = logging.getLogger("evpower.http")

SERVICE_NAME = "EvPower OCPP WebSocket Server"
PROBE_WITHIN_S = 2
ENDPOINTS = (
    "POST /api/v1/charging/start",
    "POST /api/v1/charging/stop",
    "GET /api/v1/charging/status/{session_id}",
    "GET /api/v1/station/status/{station_id}",
    "GET /api/v1/balance/{client_id}",
    "POST /api/v1/balance/topup-qr",
    "POST /api/v1/balance/topup-card",
    "GET /api/v1/payment/status/{invoice_id}",
    "GET /health",
    "GET /readyz",
    "GET /version",
)


class ProviderStateBody(TypedDict):
    """How a payment provider answers."""

    state: Literal["up", "failing", "off"]
    failing_since: NotRequired[Instant]
    last_error: NotRequired[str]


class ClockBody(TypedDict):
    """The wall clock jumped not long ago, by so many seconds."""

    state: Literal["jumped"]
    by_s: int


class HealthBody(TypedDict):
    """What the engines behind the server answer; `error` says what is wrong."""

    status: Literal["healthy", "unhealthy"]
    service: str
    version: str
    redis: Literal["connected", "disconnected", "disabled"]
    database: Literal["connected", "disconnected"]
    connected_stations: int
    payments: dict[str, ProviderStateBody]
    endpoints: list[str]
    clock: NotRequired[ClockBody]
    note: NotRequired[str]
    error: NotRequired[str]


class ReadyBody(TypedDict):
    """Whether a balancer may send requests here."""

    status: Literal["ready", "not_ready"]
    error: NotRequired[str]


class VersionBody(TypedDict):
    """What was built when."""

    success: Success
    version: str
    git_commit: str
    build_time: str


class RootBody(TypedDict):
    """Where stations connect."""

    service: str
    version: str
    protocol: str
    websocket_urls: list[str]
    health: str


class Probes(Protocol):
    """What the server can say about the engines behind it."""

    async def database(self) -> None:
        """Returns when PostgreSQL answered; raises otherwise. The caller sets the time-out."""
        ...

    def payments(self) -> Mapping[str, ProviderState]:
        """How each payment provider answers; a driver can charge without any, so none makes the server unhealthy."""
        ...

    def redis(self) -> str:
        """`connected`, `disconnected` or `disabled`: how it was a moment ago."""
        ...

    async def redis_stores(self) -> str:
        """The same status, after storing and reading something there; within two seconds."""
        ...

    def clock_jump_s(self) -> float | None:
        """By how many seconds the wall clock jumped, for ten minutes after it did."""
        ...

    def refused_write(self) -> tuple[str, str] | None:
        """What could not be written within the last minute although the database answers, and why."""
        ...

    def connected_stations(self) -> int:
        """Open station sockets in this process."""
        ...


@dataclass(frozen=True)
class ServiceFacts:
    """What this server is; `ocpp_urls` are where stations connect."""

    version: str
    git_commit: str = "unknown"
    build_time: str = "unknown"
    ocpp_urls: tuple[str, ...] = ()


def service_routes(facts: ServiceFacts, probes: Probes) -> Blueprint:
    """The routes at the root; no prefix."""
    routes = Blueprint("service", __name__)

    @routes.get("/health")
    @described("Is all well", caller="anyone", answer=HealthBody, failures={503: HealthBody})
    async def health() -> Response:
        return written(await health_answer(facts, probes))

    @routes.get("/health-force")
    @described("Is all well, asked of Redis too", caller="anyone", answer=HealthBody, failures={503: HealthBody})
    async def health_force() -> Response:
        return written(await health_answer(facts, probes, redis=await probes.redis_stores()))

    @routes.get("/readyz")
    @described("May this server be asked", caller="anyone", answer=ReadyBody, failures={503: ReadyBody})
    async def ready() -> Response:
        error = await database_error(probes) or write_error(probes)
        if error is None:
            return written(Answer({"status": "ready"}))
        return written(Answer({"status": "not_ready", "error": error}, 503))

    @routes.get("/version")
    @described("Which version this is", caller="anyone", answer=VersionBody)
    async def version() -> Response:
        body = {"success": True, "version": facts.version, "git_commit": facts.git_commit}
        return written(Answer({**body, "build_time": facts.build_time}))

    @routes.get("/")
    @described("What this is", caller="anyone", answer=RootBody)
    async def root() -> Response:
        body = {"service": SERVICE_NAME, "version": facts.version, "protocol": "OCPP 1.6 JSON"}
        return written(Answer({**body, "websocket_urls": facts.ocpp_urls, "health": "/health"}))

    return routes


async def health_answer(facts: ServiceFacts, probes: Probes, *, redis: str | None = None) -> Answer:
    """200 when all is well, 503 with the reason: PostgreSQL or a set Redis does not answer, or writes are refused."""
    database, redis = await database_error(probes), redis or probes.redis()
    error = database or write_error(probes) or ("Redis does not answer" if redis == "disconnected" else None)
    body = {
        "status": "healthy" if error is None else "unhealthy",
        "service": SERVICE_NAME,
        "version": facts.version,
        "redis": redis,
        "database": "connected" if database is None else "disconnected",
        "connected_stations": probes.connected_stations(),
        "payments": {name: jsonable(provider_body(state)) for name, state in probes.payments().items()},
        "endpoints": ENDPOINTS,
    }
    if (jump_s := probes.clock_jump_s()) is not None:
        body["clock"] = {"state": "jumped", "by_s": round(jump_s)}
    if error is None:
        return Answer({**body, "note": "Все системы работают"})
    return Answer({**body, "error": error}, 503)


def write_error(probes: Probes) -> str | None:
    """None when the last minute's writes went through; otherwise what was not written, and why."""
    refused = probes.refused_write()
    return None if refused is None else f"PostgreSQL refuses to write: {refused[0]}, {refused[1]}"


async def database_error(probes: Probes) -> str | None:
    """None when PostgreSQL answers in time; a reason fit for strangers otherwise, the cause goes to the log."""
    try:
        with trio.fail_after(PROBE_WITHIN_S):
            await probes.database()
    except trio.TooSlowError:
        return f"PostgreSQL did not answer within {PROBE_WITHIN_S} s"
    except Exception:
        logger.exception("The database probe failed")
        return "PostgreSQL does not answer"
    return None
