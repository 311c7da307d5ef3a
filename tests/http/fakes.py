"""The services behind the HTTP doors, made of set answers, and views with the contract's own figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar, cast

import trio
from quart import Blueprint
from quart.testing import QuartClient
from quart_trio import QuartTrio

from evpower.accounts.deletion import Deletion
from evpower.accounts.service import Accounts
from evpower.attempts.service import StartDoor
from evpower.billing.account import BalanceView
from evpower.billing.service import BillingService
from evpower.billing.tariff import Price
from evpower.charging.service import ChargingService
from evpower.charging.session import SessionView, StartedSession, StartOrder, StoppedSession
from evpower.client_address import Network
from evpower.errors import Forbidden, LocationNotFound, SessionNotFound, StationNotFound
from evpower.http.app import NOBODY, HttpAppSettings, PhoneServices, build_http_app
from evpower.http.operators.admin import AdminDoor
from evpower.http.phones.live_hub import LiveHub, LiveLimits
from evpower.http.service import ServiceFacts, service_routes
from evpower.http.wire.access import HttpTraffic
from evpower.http.wire.application import RequestLimits
from evpower.http.wire.caller import Callers, Mode
from evpower.idempotency.claim import IdempotencyClaim, StoredAnswer
from evpower.identifiers import ClientId, ConnectorId, SessionId, StationId
from evpower.identity.graph import TokenRules, build_tokens
from evpower.identity.identity import Identity
from evpower.identity.keys import GivenKeys, public_key
from evpower.identity.verifier import Verifier
from evpower.network.list_cache import NetworkPicture
from evpower.network.listing import ListedConnector, ListedLocation, ListedStation
from evpower.network.locations import Locations
from evpower.network.station_page import StationPages
from evpower.network.station_view import RunningSession, StationView
from evpower.payments.provider_calls import ProviderState
from evpower.rate_limits.service import RateLimits
from tests.http.description import hold_to_description
from tests.worlds import token_issuer
from tests.worlds.fakes import SetClock

T = TypeVar("T")
Phone: TypeAlias = QuartClient

#: Of our own issuer: `token_issuer.by_ec(…, kid="own-1")`.
OWN_KEYS = GivenKeys([public_key(token_issuer.ec_jwk("own-1"))])
#: The last day of the first paths.
SUNSET = "2030-01-31"
OWNER = ClientId("6f1c")
SESSION = SessionId("0b6e")
STATION = StationId("EVP-001-01")
NOON = datetime(2025, 9, 30, 12, 0, 0, tzinfo=UTC)

RUNNING = SessionView(
    session_id=SESSION,
    client_id=OWNER,
    station_id=STATION,
    connector_id=ConnectorId(1),
    status="started",
    phase="charging",
    start_time=NOON,
    stop_time=None,
    reserved_tyiyn=27000,
    energy_wh=10000,
    cost_tyiyn=13500,
    refunded_tyiyn=0,
    additional_tyiyn=0,
    debt_tyiyn=0,
    estimated=False,
    corrected=False,
    doubtful=False,
    rate_per_kwh=Decimal("13.50"),
    rate_per_minute=Decimal(0),
    session_fee_tyiyn=0,
    limit_type="energy",
    limit_value=20000,
    limit_percentage=Decimal("50.0"),
    limit_reached=False,
    duration_minutes=25,
    client_balance_tyiyn=23000,
    station_online=True,
    wire_transaction_id="123",
    ocpp_status="Started",
    meter_start_wh=0,
    meter_current_wh=10000,
    power_w=21500.0,
    current_a=32.5,
    voltage_v=398.0,
    soc_percent=61.0,
    temperature_c=41.0,
    last_sample_at=NOON,
    end_cause=None,
    stop_reason=None,
)
RESERVED = replace(
    RUNNING,
    phase="reserved",
    energy_wh=0,
    cost_tyiyn=0,
    limit_percentage=Decimal(0),
    duration_minutes=0,
    wire_transaction_id=None,
    ocpp_status=None,
    meter_start_wh=None,
    meter_current_wh=None,
    power_w=None,
    current_a=None,
    voltage_v=None,
    soc_percent=None,
    temperature_c=None,
    last_sample_at=None,
)
SETTLED = replace(
    RUNNING,
    status="stopped",
    phase="settled",
    stop_time=NOON.replace(minute=40),
    energy_wh=15000,
    cost_tyiyn=20250,
    refunded_tyiyn=6750,
    limit_percentage=Decimal("75.0"),
    duration_minutes=40,
    client_balance_tyiyn=29750,
    ocpp_status="Stopped",
)
LISTED = ListedStation(
    id=STATION,
    location_id="EVP-LOC-001",
    serial_number="EVPCS-001",
    model="ChargePoint Express 250",
    manufacturer="ChargePoint",
    admin_status="active",
    power_capacity_kw=22.0,
    connectors_count=2,
    online=True,
    last_seen_at=NOON,
    connectors=(
        ListedConnector(ConnectorId(1), "GBT", 22.0, "available", "Available", busy=False),
        ListedConnector(ConnectorId(2), "GBT", None, "available", "Available", busy=False),
    ),
    rate_per_kwh=Decimal("13.50"),
    session_fee=Decimal(0),
)
LOCATION = ListedLocation(
    "EVP-LOC-001", "ТЦ Дордой Плаза", "ул. Московская, 123", "Бишкек", "Кыргызстан", 42.8746, 74.5698, (LISTED,)
)
PRICE = Price(
    rate_per_kwh=Decimal("13.50"),
    rate_per_minute=Decimal(0),
    session_fee=Decimal(0),
    parking_fee_per_minute=Decimal(0),
    active_rule="station",
    rule_details={"name": "base", "rate": Decimal("13.50")},
    time_based=False,
    next_rate_change=None,
    tariff_plan_id=None,
    rule_id=None,
)
STARTED = StartedSession(RESERVED, PRICE, energy_wh=20000, estimated_energy_kwh=None, station_online=True)
STATION_VIEW = StationView(
    station=replace(LISTED, connectors=LISTED.connectors[:1]),
    location=LOCATION,
    connected=True,
    firmware_version="1.2.3",
    error_codes={ConnectorId(1): "NoError"},
    running=(),
)
RUNNING_HERE = RunningSession(SESSION, OWNER, ConnectorId(1), NOON, 10000, "energy")
BALANCE = BalanceView(
    client_id=OWNER,
    status="active",
    balance_tyiyn=23000,
    reserved_tyiyn=27000,
    debt_tyiyn=0,
    total_spent_tyiyn=27000,
    last_topup_at=NOON,
    active_session_ids=(SESSION,),
)


class FakeCharging(ChargingService):
    """Answers what it was told, or raises it; remembers what it was asked."""

    def __init__(self, keys: FakeKeys) -> None:
        self._keys = keys
        self.start_answer: StartedSession | Exception = STARTED
        self.stop_answer: StoppedSession | Exception = StoppedSession(SETTLED, already_stopped=False)
        self.session_answer: SessionView | Exception = RUNNING
        self.owners = {SESSION: OWNER}
        self.orders: list[StartOrder] = []
        self.stops: list[tuple[SessionId, ClientId | None, str]] = []
        #: Set to make the next start wait until the event is set.
        self.hold: trio.Event | None = None
        self.waiting = trio.Event()
        self.finished = trio.Event()

    async def start_session(
        self, order: StartOrder, claim: IdempotencyClaim | None = None, *, door: StartDoor = "phone"
    ) -> StartedSession:
        self.orders.append(order)
        if self.hold is not None:
            self.waiting.set()
            await self.hold.wait()
        answer = raised_or(self.start_answer)
        if claim is not None:
            self._keys.claim(claim, SESSION)
        self.finished.set()
        return answer

    async def started_view(self, session_id: SessionId) -> StartedSession:
        return raised_or(self.start_answer)

    async def stop_session(
        self, session_id: SessionId, *, caller: ClientId | None, actor: str, claim: IdempotencyClaim | None = None
    ) -> StoppedSession:
        self.stops.append((session_id, caller, actor))
        if caller not in (None, self.owners.get(session_id)):
            raise Forbidden
        if claim is not None:
            self._keys.claim(claim, session_id)
        return raised_or(self.stop_answer)

    async def owner_of(self, session_id: SessionId) -> ClientId | None:
        return self.owners.get(session_id)

    async def session(self, session_id: SessionId) -> SessionView:
        if session_id not in self.owners:
            raise SessionNotFound
        return raised_or(self.session_answer)


class FakeStationPages(StationPages):
    """One station, as it is set."""

    def __init__(self) -> None:
        self.answer: StationView | Exception = STATION_VIEW

    async def station(self, name: str) -> StationView:
        if name not in (STATION, LISTED.serial_number):
            raise StationNotFound
        return raised_or(self.answer)


class FakeLocations(Locations):
    """A network as it is set; `asked` counts the pictures taken."""

    def __init__(self) -> None:
        self.picture_answer = NetworkPicture((LOCATION,), NOON)
        self.cached = False
        self.forgotten = 0

    async def picture(self) -> tuple[NetworkPicture, bool]:
        return self.picture_answer, self.cached

    async def location(self, location_id: str) -> ListedLocation:
        for location in self.picture_answer.locations:
            if location.id == location_id:
                return location
        raise LocationNotFound(f"Локация {location_id} не найдена")

    def refresh(self) -> None:
        self.forgotten += 1


class FakeBilling(BillingService):
    def __init__(self) -> None:
        self.answer: BalanceView | Exception = BALANCE
        self.unknown = set[ClientId]()

    async def known_balance(self, client_id: ClientId) -> BalanceView | None:
        return None if client_id in self.unknown else replace(raised_or(self.answer), client_id=client_id)

    async def balance(self, client_id: ClientId) -> BalanceView:
        self.unknown.discard(client_id)
        return replace(raised_or(self.answer), client_id=client_id)


class FakeKeys:
    """The idempotency table as a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[tuple[ClientId, str], StoredAnswer] = {}
        self.store_error: Exception | None = None

    def claim(self, claim: IdempotencyClaim, session_id: SessionId) -> None:
        self.rows[claim.client_id, claim.key] = StoredAnswer(claim, session_id, None, None)

    async def find(self, client_id: ClientId, key: str) -> StoredAnswer | None:
        return self.rows.get((client_id, key))

    async def store_answer(self, claim: IdempotencyClaim, answer: Mapping[str, Any], status: int) -> None:
        if self.store_error is not None:
            raise self.store_error
        row = self.rows.get((claim.client_id, claim.key), StoredAnswer(claim, None, None, None))
        self.rows[claim.client_id, claim.key] = replace(row, status_code=status, response=dict(answer))


class FakeProbes:
    def __init__(self) -> None:
        self.database_error: Exception | None = None
        self.database_hangs = False
        self.redis_word = "disabled"
        self.providers: dict[str, ProviderState] = {"ODENGI": ProviderState("up"), "OBANK": ProviderState("off")}
        self.redis_stores_word = ""
        self.jumped_s: float | None = None
        self.refused: tuple[str, str] | None = None

    async def database(self) -> None:
        if self.database_hangs:
            await trio.sleep_forever()
        if self.database_error is not None:
            raise self.database_error

    def payments(self) -> Mapping[str, ProviderState]:
        return self.providers

    def redis(self) -> str:
        return self.redis_word

    async def redis_stores(self) -> str:
        return self.redis_stores_word or self.redis_word

    def clock_jump_s(self) -> float | None:
        return self.jumped_s

    def refused_write(self) -> tuple[str, str] | None:
        return self.refused

    def connected_stations(self) -> int:
        return 7


class CountingIds:
    """Identifiers 1, 2, 3."""

    def __init__(self) -> None:
        self._last = 0

    def new(self) -> str:
        self._last += 1
        return f"id-{self._last}"

    def new_id_tag(self) -> str:
        return "EV00000000000001"


FACTS = ServiceFacts("1.0.0", "abc123", "2025-09-30T12:00:00Z", ("ws://127.0.0.1:9000/ws/{station_id}",))


class FakeAccounts(Accounts):
    """Notes what was asked; `refusal` is raised instead."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ClientId, str]] = []
        self.refusal: Exception | None = None

    async def request_deletion(self, client_id: ClientId, actor: str) -> Deletion:
        self._note("end", client_id, actor)
        return Deletion(client_id, "inactive", None, None, None, 0, 0, 0, NOON, NOON, None)

    async def restore(self, client_id: ClientId, actor: str) -> None:
        self._note("restore", client_id, actor)

    def _note(self, what: str, client_id: ClientId, actor: str) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.asked.append((what, client_id, actor))


class Cpu:
    """A thread's CPU time that moves when it is worked with."""

    def __init__(self) -> None:
        self.used_s = 0.0

    def __call__(self) -> float:
        return self.used_s

    def work(self, seconds: float) -> None:
        self.used_s += seconds


@dataclass
class World:
    """An application and the fakes behind it."""

    keys: FakeKeys = field(default_factory=FakeKeys)
    billing: FakeBilling = field(default_factory=FakeBilling)
    probes: FakeProbes = field(default_factory=FakeProbes)
    body_bytes_max: int = 64 * 1024
    allowed_origins: tuple[str, ...] = ()
    at_root: tuple[Blueprint, ...] = ()
    live_limits: LiveLimits = field(default_factory=LiveLimits)
    clock: SetClock = field(default_factory=SetClock)
    cpu: Cpu = field(default_factory=Cpu)
    mode: Mode = "trust"
    verifier: Verifier | None = None
    rate_limit_exempt: tuple[Network, ...] = ()
    legacy_sunset: str = SUNSET
    admin: AdminDoor = NOBODY
    operations: tuple[Blueprint, ...] = ()
    accounts: FakeAccounts = field(default_factory=FakeAccounts)
    #: Ids that were merged, and whose they are.
    aliases: dict[ClientId, ClientId] = field(default_factory=dict)
    traffic: HttpTraffic = field(default_factory=HttpTraffic)

    def __post_init__(self) -> None:
        self.charging = FakeCharging(self.keys)
        self.station_pages = FakeStationPages()
        self.locations = FakeLocations()
        self.hub = LiveHub(self.clock, self.live_limits)
        self.rate_limits = RateLimits(self.clock)
        self.tokens = build_tokens(
            TokenRules(token_issuer.SECRET), self.clock, own_keys=OWN_KEYS, refused=self._is_revoked
        )
        self.revoked: set[str] = set()
        self.app: QuartTrio = build_http_app(
            self.services,
            self.clock,
            CountingIds(),
            HttpAppSettings(
                RequestLimits(body_bytes_max=self.body_bytes_max),
                self.allowed_origins,
                rate_limit_exempt=self.rate_limit_exempt,
                legacy_sunset=self.legacy_sunset,
            ),
            admin=self.admin,
            operations=self.operations,
            at_root=(service_routes(FACTS, self.probes), *self.at_root),
            cpu_s=self.cpu,
            traffic=self.traffic,
        )
        hold_to_description(self.app)

    def _is_revoked(self, identity: Identity) -> bool:
        return identity.subject in self.revoked

    @property
    def services(self) -> PhoneServices:
        return PhoneServices(
            callers=Callers(self.mode, self.verifier or self.tokens.verifier, lambda id: self.aliases.get(id, id)),
            charging=self.charging,
            station_pages=self.station_pages,
            billing=self.billing,
            locations=self.locations,
            hub=self.hub,
            keys=self.keys,
            rate_limits=self.rate_limits,
            accounts=self.accounts,
        )

    def client(self) -> Phone:
        return cast("Phone", self.app.test_client())


def raised_or(answer: T | Exception) -> T:
    """The answer, or the error in its place."""
    if isinstance(answer, Exception):
        raise answer
    return answer
