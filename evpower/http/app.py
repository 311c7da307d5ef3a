"""The people's door: every public route, put together by hand."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from quart import Blueprint
from quart_trio import QuartTrio

from evpower.billing.service import BillingService
from evpower.charging.service import ChargingService
from evpower.client_address import LOOPBACK, Network
from evpower.clock import Clock, Ids
from evpower.http.operators.admin import admin_routes
from evpower.http.phones.accounts import account_routes
from evpower.http.phones.live import live_routes
from evpower.http.phones.live_hub import LiveHub
from evpower.http.phones.locations import location_routes
from evpower.http.phones.payments import payment_routes
from evpower.http.phones.sessions import charging_routes
from evpower.http.phones.stations import station_routes
from evpower.http.providers.webhook_guard import WebhookGuard, WebhookLimits
from evpower.http.providers.webhooks import webhook_routes
from evpower.http.service import Probes, ServiceFacts, service_routes
from evpower.http.wire.application import HttpApplication, RequestLimits
from evpower.http.wire.idempotency import Idempotency, KeyStore
from evpower.http.wire.payment_doors import LEGACY
from evpower.network.locations import Locations
from evpower.payments.graph import Payments

V1 = "/api/v1"


@dataclass(frozen=True)
class HttpAppSettings:
    """What an operator may set.

    `allowed_origins` are web pages that may call us (`https://app.example`); `trusted_proxies` may say whom they serve;
    without an `admin_token` the administrative routes refuse everyone.
    """

    limits: RequestLimits = field(default_factory=RequestLimits)
    allowed_origins: Collection[str] = ()
    admin_token: str = field(default="", repr=False)
    trusted_proxies: Collection[Network] = LOOPBACK
    webhooks: WebhookLimits = field(default_factory=WebhookLimits)


def build_http_app(
    *,
    charging: ChargingService,
    billing: BillingService,
    locations: Locations,
    hub: LiveHub,
    keys: KeyStore,
    probes: Probes,
    clock: Clock,
    ids: Ids,
    facts: ServiceFacts,
    settings: HttpAppSettings,
    operations: Iterable[Blueprint] = (),
    at_root: Iterable[Blueprint] = (),
    payments: Payments | None = None,
) -> QuartTrio:
    """The application; it owns nothing, so it needs no start and no end.

    `operations` are for administrators alone; `at_root` are further routes beside /health. Without `payments` there are
    no payment routes.
    """
    idempotency = Idempotency(keys)
    app = HttpApplication(
        "evpower",
        ids=ids,
        limits=settings.limits,
        allowed_origins=settings.allowed_origins,
        trusted_proxies=settings.trusted_proxies,
    )
    app.register_blueprint(service_routes(facts, probes))
    app.register_blueprint(charging_routes(charging, idempotency, prefix=V1))
    app.register_blueprint(station_routes(charging, prefix=V1))
    app.register_blueprint(location_routes(locations, prefix=V1))
    app.register_blueprint(live_routes(hub, clock, ids, allowed_origins=settings.allowed_origins, prefix=V1))
    app.register_blueprint(account_routes(billing, prefix=V1))
    if payments is not None:
        guard = WebhookGuard(settings.webhooks, payments.notices, clock)
        for prefix in (V1, LEGACY):
            app.register_blueprint(payment_routes(payments, idempotency, prefix=prefix))
            app.register_blueprint(webhook_routes(payments.notices, guard, prefix=prefix))
    app.register_blueprint(admin_routes(settings.admin_token, operations, prefix=V1))
    for routes in at_root:
        app.register_blueprint(routes)
    return app
