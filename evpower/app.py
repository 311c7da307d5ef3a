"""The application graph, built by hand: who knows whom, on one screen. Nothing here runs; `supervisor.py` does that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import trio

from evpower.billing.gateway import PaymentGateway
from evpower.billing.payments import Payments, build_payments
from evpower.billing.pricing import Pricing, PricingRules
from evpower.billing.reservation import ReservationRules
from evpower.billing.service import BillingService
from evpower.billing.top_up import TopUpRules
from evpower.charging.availability import Availability
from evpower.charging.awaited import Awaited
from evpower.charging.beginnings import Beginnings
from evpower.charging.charging_profiles import ChargingProfiles
from evpower.charging.commands import Commands
from evpower.charging.configuration import Configuration
from evpower.charging.connector_reservations import ConnectorReservations
from evpower.charging.follow_ups import FollowUps
from evpower.charging.limits import LimitKeeper
from evpower.charging.local_lists import LocalLists
from evpower.charging.parked import ParkedReports
from evpower.charging.ports import ChargerLink
from evpower.charging.presence import Presence
from evpower.charging.recovery import Recovery, RecoveryRules
from evpower.charging.reports import ChargerReports
from evpower.charging.reserving import Reserving
from evpower.charging.service import ChargingRules, ChargingService
from evpower.charging.settler import Settler
from evpower.charging.station_commands import StationCommands
from evpower.charging.station_operations import StationOperations
from evpower.charging.tags import Tags
from evpower.charging.transfers import Transfers
from evpower.clock import Clock, Ids
from evpower.config import Config
from evpower.db.journal import Journal
from evpower.db.pool import Pool
from evpower.events import EventBus


@dataclass(frozen=True)
class App:
    """Every service of one process."""

    bus: EventBus
    billing: BillingService
    payments: Payments
    pricing: Pricing
    charging: ChargingService
    reports: ChargerReports
    parked: ParkedReports
    tags: Tags
    commands: Commands
    operations: StationOperations
    journal: Journal
    settler: Settler
    limits: LimitKeeper
    presence: Presence
    recovery: Recovery


def build_app(
    config: Config,
    pool: Pool,
    link: ChargerLink,
    clock: Clock,
    ids: Ids,
    conversations: trio.Nursery,
    *,
    gateways: Mapping[str, PaymentGateway] | None = None,
    top_up_rules: TopUpRules | None = None,
) -> App:
    """Put the services together. `conversations` owns what is being asked of chargers (see `Commands`).

    `gateways` are the payment providers by name; one that is not there is unavailable.
    """
    reservation = ReservationRules(
        config.charging.unlimited_reserve_tyiyn,
        config.charging.unlimited_minimum_tyiyn,
        config.charging.planning_minutes,
    )
    bus = EventBus()
    billing = BillingService(pool, clock)
    pricing = Pricing(
        clock, PricingRules(config.billing.default_rate_per_kwh, config.billing.timezone, config.billing.price_cache_s)
    )
    journal = Journal(pool)
    settler = Settler(pool, clock, billing, bus)
    commands = Commands(
        conversations, link, pool, clock, bus, settler, config.charging.stop_wait_s, config.charging.start_repeat_s
    )
    limits = LimitKeeper(pool, clock, bus, commands.stop_at_limit, config.charging.stop_repeat_s)
    reserving = Reserving(clock, billing, pricing, reservation)
    beginnings = Beginnings(pool, clock, ids, reserving, settler, commands, bus)
    awaited = Awaited(pool)
    operations = _station_operations(pool, clock, link, awaited)
    rules = ChargingRules(
        config.charging.start_wait_s,
        config.ocpp.heartbeat_timeout_s,
        config.charging.max_sessions_per_client,
    )
    follow_ups = FollowUps(awaited, operations.availability, operations.reservations, operations.transfers)
    reports = ChargerReports(
        pool, clock, journal, beginnings, settler, commands, limits, follow_ups, bus, config.ocpp.heartbeat_interval_s
    )
    return App(
        bus=bus,
        billing=billing,
        payments=build_payments(pool, clock, ids, billing, bus, gateways or {}, top_up_rules or TopUpRules()),
        pricing=pricing,
        charging=ChargingService(pool, clock, ids, reserving, pricing, link, commands, bus, rules),
        reports=reports,
        parked=ParkedReports(pool, clock, reports),
        tags=Tags(pool, clock),
        commands=commands,
        operations=operations,
        journal=journal,
        settler=settler,
        limits=limits,
        presence=Presence(pool, clock, link, bus, config.ocpp.heartbeat_timeout_s),
        recovery=Recovery(
            pool,
            clock,
            commands,
            settler,
            RecoveryRules(
                config.charging.start_deadline_s,
                config.charging.longest_session_s,
                config.charging.reboot_grace_s,
                config.charging.stop_wait_s,
            ),
        ),
    )


def _station_operations(pool: Pool, clock: Clock, link: ChargerLink, awaited: Awaited) -> StationOperations:
    commands = StationCommands(pool, link)
    return StationOperations(
        pool=pool,
        clock=clock,
        commands=commands,
        availability=Availability(pool, clock, commands, awaited),
        configuration=Configuration(pool, clock, commands),
        transfers=Transfers(pool, clock, commands),
        local_lists=LocalLists(pool, clock, commands),
        reservations=ConnectorReservations(pool, clock, commands, awaited),
        profiles=ChargingProfiles(pool, clock, commands),
    )
