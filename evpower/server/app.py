"""The application graph, built by hand: who knows whom, on one screen. Nothing here runs; `supervisor.py` does that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import trio

from evpower.billing.pricing import Pricing, PricingRules
from evpower.billing.reservation import ReservationRules
from evpower.billing.service import BillingService
from evpower.charging.arrivals import TakenUp, to_take_up
from evpower.charging.beginnings import Beginnings
from evpower.charging.endings import Endings
from evpower.charging.free_vend import FreeVend
from evpower.charging.limits import LimitKeeper
from evpower.charging.parked import ParkedReports
from evpower.charging.recovery import Recovery, RecoveryRules
from evpower.charging.reservations import Reserving
from evpower.charging.service import ChargingRules, ChargingService
from evpower.charging.settler import Settler
from evpower.charging.start_stop import Commands
from evpower.clock import Clock, Ids, RandomBytes, random_bytes
from evpower.db.lookups import Lookups
from evpower.db.pool import Pool
from evpower.db.redis_link import RedisLink
from evpower.events import EventBus
from evpower.http.operators.operations import StationOperations
from evpower.identifiers import StationId
from evpower.link.ports import ChargerLink, StationLink
from evpower.metering.journal import Journal
from evpower.network.charge_point import Admission
from evpower.network.feed import changes_the_network
from evpower.network.list_cache import OwnListCache
from evpower.network.locations import Locations
from evpower.network.presence import Presence
from evpower.network.shared_list_cache import SharedListCache
from evpower.network.station_records import admissions
from evpower.network_file.service import NetworkFile
from evpower.ocpp.dialects import read_stop
from evpower.ocpp.door.passwords import SaltedPasswords
from evpower.payments.gateway import PaymentGateway
from evpower.payments.graph import Payments, build_payments
from evpower.payments.top_up import TopUpRules
from evpower.reports.charger_reports import ChargerReports, ReportedTo
from evpower.security.certificates import StationCertificates
from evpower.security.records import under_way
from evpower.security.security_profiles import SecurityProfiles
from evpower.security.station_authority import StationAuthority
from evpower.security.trusted_certificates import TrustedCertificates
from evpower.settings.config import Config
from evpower.stations.availability import Availability
from evpower.stations.awaited_answers import Awaited
from evpower.stations.charging_profiles import ChargingProfiles
from evpower.stations.commands import StationCommands
from evpower.stations.configuration import Configuration
from evpower.stations.connector_reservations import ConnectorReservations
from evpower.stations.local_lists import LocalLists
from evpower.stations.transfers import Transfers
from evpower.tags.service import Tags


@dataclass(frozen=True)
class ArrivalLookups:
    """What every charger that arrives is looked up for, in groups."""

    admissions: Lookups[str, Admission]
    to_take_up: Lookups[StationId, TakenUp]
    certificates: Lookups[StationId, int]

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Their readers, until cancelled."""
        async with trio.open_nursery() as readers:
            await readers.start(self.admissions.run)
            await readers.start(self.to_take_up.run)
            await readers.start(self.certificates.run)
            task_status.started()


@dataclass(frozen=True)
class App:
    """Every service of one process."""

    bus: EventBus
    #: None: this process caches alone.
    redis: RedisLink | None
    billing: BillingService
    network_file: NetworkFile
    payments: Payments
    pricing: Pricing
    charging: ChargingService
    locations: Locations
    reports: ChargerReports
    parked: ParkedReports
    tags: Tags
    free_vend: FreeVend
    commands: Commands
    operations: StationOperations
    certificates: StationCertificates
    authority: StationAuthority
    journal: Journal
    lookups: ArrivalLookups
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
    random_bytes: RandomBytes = random_bytes,
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
    lookups = ArrivalLookups(Lookups(pool, admissions), Lookups(pool, to_take_up), Lookups(pool, under_way))
    settler = Settler(pool, clock, billing, bus)
    commands = Commands(
        conversations,
        link,
        pool,
        lookups.to_take_up,
        clock,
        bus,
        settler,
        config.charging.stop_wait_s,
        config.charging.start_repeat_s,
    )
    limits = LimitKeeper(pool, clock, bus, commands.stop_at_limit, config.charging.stop_repeat_s)
    reserving = Reserving(clock, billing, pricing, reservation)
    beginnings = Beginnings(pool, clock, ids, reserving, settler, commands, bus)
    awaited = Awaited(pool, clock)
    station_commands = StationCommands(pool, link)
    days, is_set = config.ocpp.station_certificate_days, bool(config.ocpp.station_ca_certificate)
    authority = StationAuthority(*config.station_ca, days, random_bytes, is_set=is_set)
    certificates = StationCertificates(pool, clock, lookups.certificates, station_commands, authority, commands.begin)
    tls = bool(config.ocpp.tls_bind)
    operations = _station_operations(pool, clock, link, station_commands, awaited, certificates, tls=tls)
    rules = ChargingRules(
        config.charging.start_wait_s,
        config.ocpp.heartbeat_timeout_s,
        config.charging.max_sessions_per_client,
    )
    endings = Endings(pool, clock, settler, bus)
    parked = ParkedReports(pool, clock, endings, read_stop)
    reported_to = ReportedTo(
        beginnings=beginnings,
        endings=endings,
        commands=commands,
        limits=limits,
        parked=parked,
        certificates=certificates,
        awaited=awaited,
        availability=operations.availability,
        reservations=operations.reservations,
        transfers=operations.transfers,
    )
    reports = ChargerReports(
        pool, clock, lookups.admissions, journal, reported_to, bus, config.ocpp.heartbeat_interval_s
    )
    presence = Presence(pool, clock, link, bus, config.ocpp.heartbeat_timeout_s)
    redis = RedisLink(config.redis.url) if config.redis.url else None
    list_cache = SharedListCache(redis, clock, random_bytes) if redis else OwnListCache(clock)
    locations = Locations(
        pool, clock, link, pricing, list_cache, config.ocpp.heartbeat_timeout_s, on_silence=presence.silence_seen
    )
    bus.listen(lambda event: locations.forget() if changes_the_network(event) else None)
    return App(
        bus=bus,
        redis=redis,
        billing=billing,
        network_file=NetworkFile(clock, SaltedPasswords(), pricing, billing, bus),
        payments=build_payments(pool, clock, ids, billing, bus, gateways or {}, _top_up_rules(config)),
        pricing=pricing,
        charging=ChargingService(
            pool, clock, ids, reserving, pricing, link, commands, bus, rules, on_silence=presence.silence_seen
        ),
        locations=locations,
        reports=reports,
        parked=parked,
        tags=Tags(pool, clock),
        free_vend=FreeVend(pool, clock),
        commands=commands,
        operations=operations,
        certificates=certificates,
        authority=authority,
        journal=journal,
        lookups=lookups,
        settler=settler,
        limits=limits,
        presence=presence,
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


def _top_up_rules(config: Config) -> TopUpRules:
    return TopUpRules(
        poll_interval_s=config.payments.poll_interval_s,
        max_checks=config.payments.max_checks,
        slow_interval_s=config.payments.slow_interval_s,
        invoice_lifetime_s=config.payments.invoice_lifetime_s,
        minimum_tyiyn=config.payments.minimum_tyiyn,
        maximum_tyiyn=config.payments.maximum_tyiyn,
        h2h_allowed=config.obank.h2h,
        test_payments=config.odengi.test,
    )


def _station_operations(
    pool: Pool,
    clock: Clock,
    link: StationLink,
    commands: StationCommands,
    awaited: Awaited,
    certificates: StationCertificates,
    *,
    tls: bool,
) -> StationOperations:
    configuration = Configuration(pool, clock, commands)
    return StationOperations(
        pool=pool,
        clock=clock,
        commands=commands,
        availability=Availability(pool, clock, commands, awaited),
        configuration=configuration,
        transfers=Transfers(pool, clock, commands),
        local_lists=LocalLists(pool, clock, commands),
        reservations=ConnectorReservations(pool, clock, commands, awaited),
        profiles=ChargingProfiles(pool, clock, commands, link),
        certificates=certificates,
        trusted=TrustedCertificates(commands),
        security=SecurityProfiles(pool, clock, configuration, tls=tls),
    )
