"""The people's door: every public route, put together by hand."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from quart import Blueprint
from quart_trio import QuartTrio

from evpower.accounts.profiles import ClientProfiles
from evpower.accounts.service import Accounts
from evpower.billing.service import BillingService
from evpower.charging.service import ChargingService
from evpower.client_address import LOOPBACK, Network
from evpower.clock import Clock, Ids
from evpower.favorites.service import Favorites
from evpower.favorites.watches import Watches
from evpower.forecast.service import Forecasts
from evpower.history.bill_evidence import Evidence
from evpower.history.documents import Documents
from evpower.history.service import History
from evpower.http.openapi import openapi_routes
from evpower.http.operators.admin import AdminDoor, admin_routes, admit_from
from evpower.http.phones.accounts import account_end_routes, account_routes
from evpower.http.phones.history.documents import document_routes
from evpower.http.phones.history.lists import history_routes
from evpower.http.phones.journeys.forecasts import forecast_routes
from evpower.http.phones.journeys.navigation import navigation_routes
from evpower.http.phones.live import live_routes
from evpower.http.phones.live_hub import LiveHub
from evpower.http.phones.locations import location_routes
from evpower.http.phones.payments import payment_routes
from evpower.http.phones.person.devices import push_routes
from evpower.http.phones.person.favorites import favorite_routes
from evpower.http.phones.person.newcomers import Newcomers
from evpower.http.phones.person.preferences import preference_routes
from evpower.http.phones.person.prices import price_routes
from evpower.http.phones.person.profile import profile_routes
from evpower.http.phones.person.reservations import reservation_routes
from evpower.http.phones.person.watches import watch_routes
from evpower.http.phones.sessions import charging_routes
from evpower.http.phones.sign_in import key_set_routes, sign_in_routes
from evpower.http.phones.stations import station_routes
from evpower.http.providers.webhook_guard import WebhookGuard, WebhookLimits
from evpower.http.providers.webhooks import webhook_routes
from evpower.http.throttle.guard import RequestGuard
from evpower.http.wire.access import HttpTraffic
from evpower.http.wire.aliases import LEGACY, end_at
from evpower.http.wire.application import HttpApplication, RequestLimits
from evpower.http.wire.caller import Callers
from evpower.http.wire.idempotency import Idempotency, KeyStore
from evpower.http.wire.loop_time import CpuSeconds
from evpower.navigation.service import Navigation
from evpower.network.locations import Locations
from evpower.network.station_page import StationPages
from evpower.network.station_prices import StationPrices
from evpower.payments.graph import Payments
from evpower.power.preferences import PowerPreferences
from evpower.push.graph import Push
from evpower.rate_limits.service import RateLimits
from evpower.reservations.service import Reservations
from evpower.sign_in.graph import SignIn
from evpower.staff.service import Staff

V1 = "/api/v1"
#: The administrators' door while it is shut.
NOBODY = AdminDoor()


@dataclass(frozen=True)
class HttpAppSettings:
    """What an operator may set.

    `allowed_origins` are web pages that may call us (`https://app.example`); `trusted_proxies` may say whom they serve;
    `described_as` is the version that /openapi.json describes, empty: there is no such route.
    """

    limits: RequestLimits = field(default_factory=RequestLimits)
    allowed_origins: Collection[str] = ()
    trusted_proxies: Collection[Network] = LOOPBACK
    #: From where something of operators may be asked for; empty: from anywhere.
    admin_allow: Collection[Network] = ()
    #: Internal services, whose requests are not counted.
    rate_limit_exempt: Collection[Network] = ()
    webhooks: WebhookLimits = field(default_factory=WebhookLimits)
    described_as: str = ""
    #: The last day of the first paths, YYYY-MM-DD; empty: not decided.
    legacy_sunset: str = ""


@dataclass(frozen=True)
class People:
    """Who asks for a profile: a client, or a member of the staff."""

    profiles: ClientProfiles
    staff: Staff


@dataclass(frozen=True)
class PhoneServices:
    """What phones reach; `callers` says who they are.

    Without `payments` there are no payment routes, without `sign_in` none to sign in, without `accounts` none to end an
    account, without `favorites` no favorites, without `reservations` none to keep a connector, without `history` none
    of the past, without `push` none of devices and their messages, without `people` neither these nor a profile.
    """

    callers: Callers
    charging: ChargingService
    station_pages: StationPages
    billing: BillingService
    locations: Locations
    hub: LiveHub
    keys: KeyStore
    rate_limits: RateLimits
    payments: Payments | None = None
    sign_in: SignIn | None = None
    accounts: Accounts | None = None
    favorites: Favorites | None = None
    history: History | None = None
    push: Push | None = None
    documents: Documents | None = None
    watches: Watches | None = None
    power_preferences: PowerPreferences | None = None
    reservations: Reservations | None = None
    people: People | None = None
    prices: StationPrices | None = None
    evidence: Evidence | None = None
    forecasts: Forecasts | None = None
    navigation: Navigation | None = None


def build_http_app(
    services: PhoneServices,
    clock: Clock,
    ids: Ids,
    settings: HttpAppSettings,
    *,
    admin: AdminDoor = NOBODY,
    operations: Iterable[Blueprint] = (),
    at_root: Iterable[Blueprint] = (),
    cpu_s: CpuSeconds = time.thread_time,
    traffic: HttpTraffic | None = None,
) -> QuartTrio:
    """The application; it owns nothing, so it needs no start and no end.

    `operations` are for those alone whom `admin` lets in; `at_root` are routes without a prefix, such as /health;
    `cpu_s` is the clock of what a request takes of the event loop; requests are counted in `traffic`.
    """
    idempotency = Idempotency(services.keys)
    origins, payments = settings.allowed_origins, services.payments
    app = HttpApplication(
        "evpower",
        ids=ids,
        limits=settings.limits,
        allowed_origins=origins,
        trusted_proxies=settings.trusted_proxies,
        cpu_s=cpu_s,
        traffic=traffic,
    )
    end_at(app, settings.legacy_sunset)
    admit_from(app, settings.admin_allow, prefix=V1)
    guard = RequestGuard(services.rate_limits, clock, settings.rate_limit_exempt)
    guard.protect(app)
    for routes in at_root:
        app.register_blueprint(routes)
    for routes in _phone_routes(services, idempotency, guard):
        routes.before_request(services.callers.identify)
        guard.protect_phones(routes)
        app.register_blueprint(routes)
    app.register_blueprint(live_routes(services.hub, services.callers, clock, ids, allowed_origins=origins, prefix=V1))
    if payments is not None:
        webhooks = WebhookGuard(settings.webhooks, payments.notices, guard)
        for prefix in (V1, LEGACY):
            app.register_blueprint(webhook_routes(payments.notices, webhooks, prefix=prefix))
    app.register_blueprint(admin_routes(admin, operations, guard, prefix=V1))
    if settings.described_as:
        app.register_blueprint(openapi_routes(app, settings.described_as))
    return app


def _phone_routes(services: PhoneServices, idempotency: Idempotency, guard: RequestGuard) -> Iterator[Blueprint]:
    """Every route of phones: before a request it is known whose token it carries."""
    for prefix in (V1, LEGACY):
        yield charging_routes(services.charging, idempotency, prefix=prefix)
        if services.power_preferences is not None and prefix == V1:
            yield preference_routes(services.charging, services.power_preferences, idempotency, prefix=V1)
        yield station_routes(services.station_pages, prefix=prefix)
        yield account_routes(services.billing, guard, prefix=prefix)
        if services.payments is not None:
            yield payment_routes(services.payments, idempotency, prefix=prefix)
    yield location_routes(services.locations, forecasts=services.forecasts, prefix=V1)
    if services.forecasts is not None:
        yield forecast_routes(services.forecasts, prefix=V1)
    if services.navigation is not None:
        yield navigation_routes(services.navigation, prefix=V1)
    if services.accounts is not None:
        yield account_end_routes(services.accounts, prefix=V1)
    newcomers = Newcomers(services.billing, guard)
    if services.prices is not None:
        yield price_routes(services.prices, prefix=V1)
    if services.people is not None:
        profiles, staff = services.people.profiles, services.people.staff
        yield profile_routes(profiles, staff, newcomers, idempotency, prefix=V1)
    if services.favorites is not None:
        yield favorite_routes(services.favorites, newcomers, idempotency, prefix=V1)
        if services.watches is not None:
            yield watch_routes(services.watches, newcomers, idempotency, prefix=V1)
    if services.reservations is not None:
        yield reservation_routes(services.reservations, newcomers, idempotency, prefix=V1)
    if services.history is not None:
        yield history_routes(services.history, prefix=V1)
        if services.documents is not None and services.evidence is not None:
            yield document_routes(services.documents, services.evidence, services.history, prefix=V1)
    if services.sign_in is not None:
        yield sign_in_routes(services.sign_in, prefix=V1)
        yield key_set_routes(services.sign_in)
    if services.push is not None and services.people is not None:
        yield push_routes(services.push, services.people.staff, idempotency, prefix=V1)
