"""The application graph, built by hand: who knows whom. Nothing here runs; `supervisor.py` starts it.

Every service of a room is built here, once. `process.py` makes a process of it, `doors.py` opens doors to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import trio

from evpower.accounts.aliases import Aliases
from evpower.accounts.erasure import Erasure
from evpower.accounts.merging import Merging
from evpower.accounts.profiles import ClientProfiles
from evpower.accounts.service import Accounts
from evpower.administration.charge_views import ChargeViews
from evpower.administration.client_accounts import ClientAccounts
from evpower.administration.finding import Search
from evpower.administration.network_views import NetworkViews
from evpower.administration.provisioning import Provisioning
from evpower.administration.service import Administration
from evpower.administration.strangers import Strangers
from evpower.administration.tariff_plans import TariffPlans
from evpower.attempts.service import Attempts
from evpower.attention.beneath import Beneath, DiskRoom, disk_room
from evpower.attention.gifts import Gifts
from evpower.attention.picture import Pictures
from evpower.attention.reading import PictureReading
from evpower.attention.service import Marks
from evpower.availability.service import StationAvailability
from evpower.billing.books.day_book import DayBook
from evpower.billing.books.nightly_check import LedgerChecks
from evpower.billing.pricing import Pricing
from evpower.billing.service import BillingService
from evpower.case_files.call_sheets import CallSheets
from evpower.case_files.service import CaseFiles
from evpower.case_files.stations import StationCases
from evpower.charging.arrivals import TakenUp, to_take_up
from evpower.charging.beginnings import Beginnings
from evpower.charging.endings import Endings
from evpower.charging.limits import LimitKeeper, RegisterWatch
from evpower.charging.recovery import Recovery
from evpower.charging.reservations import Reserving
from evpower.charging.review.doubts import Doubts
from evpower.charging.review.free_vend import FreeVend
from evpower.charging.review.parked import ParkedReports
from evpower.charging.service import ChargingService
from evpower.charging.settler import Settler
from evpower.charging.start_deadlines import StartDeadlines
from evpower.charging.start_stop import Commands
from evpower.clock import Clock, ClockWatch, Ids, RandomBytes, random_bytes
from evpower.db.lookups import Lookups
from evpower.db.pool import Pool
from evpower.db.redis_link import RedisLink
from evpower.db.unit_of_work import UnitOfWork
from evpower.events import EventBus
from evpower.favorites.service import Favorites
from evpower.favorites.watches import ConnectorFree, Watches
from evpower.forecast.calendar import Calendar
from evpower.forecast.keeper import ForecastKeeper
from evpower.forecast.nightly import NightlyWork
from evpower.forecast.service import Forecasts
from evpower.health.service import ConnectorsHealth
from evpower.history.bill_evidence import Evidence
from evpower.history.documents import Documents
from evpower.history.keeping import Keeping
from evpower.history.service import History
from evpower.http.operators.operations import StationOperations
from evpower.idempotency.keys import KeyRows
from evpower.identifiers import StationId
from evpower.idle_fees.keeper import IdleFees
from evpower.link.ports import StationLink
from evpower.metering.journal import Journal
from evpower.navigation.roads import Roads
from evpower.navigation.service import Navigation
from evpower.network.list_cache import OwnListCache
from evpower.network.locations import Locations
from evpower.network.presence import Presence
from evpower.network.shared_list_cache import SharedListCache
from evpower.network.station import Admission
from evpower.network.station_page import StationPages
from evpower.network.station_prices import StationPrices
from evpower.network.station_records import admissions
from evpower.network_file.imports import FleetImports
from evpower.network_file.service import NetworkFile
from evpower.ocpp.dialects import read_signed, read_start, read_stop
from evpower.ocpp.door.passwords import SaltedPasswords
from evpower.ocpp.habits.station_habits import StationHabits
from evpower.ocpp.lobby import Lobby
from evpower.ocpp.shared.stored import read_schedules
from evpower.payments.gateway import Gateways
from evpower.payments.graph import Payments, build_payments
from evpower.plug_and_charge.service import PlugAndCharge
from evpower.power.at_station.beside import OperatorsProfiles
from evpower.power.at_station.reported import ReportedLimits
from evpower.power.keeper import PowerKeeper
from evpower.power.preferences import PowerPreferences
from evpower.power.service import PowerGroups
from evpower.push.delivery import DeliveryService
from evpower.push.events import PushEvent
from evpower.push.graph import Push, build_push
from evpower.push.outbox import PushOutbox
from evpower.push.recipient import Recipient
from evpower.rate_limits.service import RateLimits
from evpower.reports.device_events import DeviceEvents
from evpower.reports.station_reports import ReportedTo, StationReports
from evpower.reports.transaction_events import TransactionEvents
from evpower.reservations.graph import KeptConnectors, build_reservations
from evpower.security.certificates import StationCertificates
from evpower.security.records import under_way
from evpower.security.security_profiles import SecurityProfiles
from evpower.security.station_access import StationAccess
from evpower.security.station_authority import StationAuthority
from evpower.security.trusted_certificates import TrustedCertificates
from evpower.server.ailing import read_ailing
from evpower.server.rules import (
    asking_rules,
    charging_rules,
    code_rules,
    keeping_rules,
    pricing_rules,
    push_rules,
    recovery_rules,
    reservation_rules,
    start_deadline_rules,
    top_up_rules,
)
from evpower.settings.config import Config
from evpower.sign_in.browsers import Browsers
from evpower.sign_in.graph import SignIn, build_sign_in
from evpower.sign_in.means import SECRET_BYTES, SignInMeans
from evpower.staff.acts import OperatorActs
from evpower.staff.allowance import Allowance
from evpower.staff.asked_acts import AskedActs
from evpower.staff.second_factor import SecondFactor
from evpower.staff.service import Staff
from evpower.stations.availability import Availability
from evpower.stations.awaited_answers import Awaited
from evpower.stations.charging_profiles import ChargingProfiles
from evpower.stations.commands import StationCommands
from evpower.stations.configuration import Configuration
from evpower.stations.connector_reservations import ConnectorReservations
from evpower.stations.device_model import DeviceModel
from evpower.stations.local_lists import LocalLists
from evpower.stations.transfers import Transfers
from evpower.tags.service import Tags
from evpower.webhooks.deliverer import WebhookDeliverer
from evpower.webhooks.service import Webhooks


@dataclass(frozen=True)
class ArrivalLookups:
    """What every station that arrives is looked up for, in groups."""

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
    ledger_checks: LedgerChecks
    day_book: DayBook
    accounts: Accounts
    profiles: ClientProfiles
    erasure: Erasure
    favorites: Favorites
    watches: Watches
    power: PowerKeeper
    power_groups: PowerGroups
    power_preferences: PowerPreferences
    keeping: Keeping
    aliases: Aliases
    merging: Merging
    payments: Payments
    pricing: Pricing
    charging: ChargingService
    station_pages: StationPages
    station_prices: StationPrices
    locations: Locations
    reports: StationReports
    parked: ParkedReports
    doubts: Doubts
    attempts: Attempts
    tags: Tags
    free_vend: FreeVend
    commands: Commands
    operations: StationOperations
    certificates: StationCertificates
    authority: StationAuthority
    access: StationAccess
    network_file: NetworkFile
    fleet_imports: FleetImports
    views: NetworkViews
    administration: Administration
    tariff_plans: TariffPlans
    provisioning: Provisioning
    lobby: Lobby
    staff: Staff
    browsers: Browsers
    acts: OperatorActs
    asked_acts: AskedActs
    marks: Marks
    pictures: Pictures
    health: ConnectorsHealth
    availability: StationAvailability
    forecast_keeper: ForecastKeeper
    forecasts: Forecasts
    forecast_nightly: NightlyWork
    navigation: Navigation
    allowance: Allowance
    charge_views: ChargeViews
    client_accounts: ClientAccounts
    second_factor: SecondFactor
    keys: KeyRows
    rate_limits: RateLimits
    journal: Journal
    lookups: ArrivalLookups
    settler: Settler
    reservations: KeptConnectors
    idle_fees: IdleFees
    limits: LimitKeeper
    register_watch: RegisterWatch
    presence: Presence
    recovery: Recovery
    transactions: TransactionEvents
    sign_in: SignIn
    #: None: switched off.
    history: History | None
    push: Push
    webhooks: Webhooks
    webhook_deliverer: WebhookDeliverer
    documents: Documents | None
    evidence: Evidence | None
    case_files: CaseFiles
    station_cases: StationCases
    call_sheets: CallSheets
    finding: Search


def build_app(
    config: Config,
    pool: Pool,
    link: StationLink,
    clock: Clock,
    ids: Ids,
    conversations: trio.Nursery,
    *,
    watch: ClockWatch | None = None,
    gateways: Gateways | None = None,
    sign_in_means: SignInMeans | None = None,
    push_services: Mapping[str, DeliveryService] | None = None,
    random_bytes: RandomBytes = random_bytes,
    room: DiskRoom = disk_room,
    habits: StationHabits | None = None,
) -> App:
    """Put the services together. `conversations` owns what is being asked of stations (see `Commands`).

    A payment provider without a gateway is unavailable. Without a `watch` the wall clock is believed. Without
    `sign_in_means` nobody can sign in by phone. Without `push_services` no message is delivered.
    """
    means = sign_in_means or SignInMeans(random_bytes(SECRET_BYTES), sms=None)
    watch = watch or ClockWatch(clock)
    bus = EventBus()
    redis = RedisLink(config.redis.url) if config.redis.url else None
    journal = Journal(pool)
    lookups = ArrivalLookups(Lookups(pool, admissions), Lookups(pool, to_take_up), Lookups(pool, under_way))
    push = build_push(pool, clock, ids, push_rules(config), watch, push_services or {})
    billing, aliases = BillingService(pool, clock, push.outbox), Aliases(pool)
    pricing = Pricing(clock, pricing_rules(config))
    keeping = Keeping(clock, config.billing.timezone, read_signed, enabled=config.history.enabled)
    reservations = build_reservations(
        pool, clock, ids, watch, link, pricing, push.outbox, bus, conversations, keeping_rules(config)
    )
    settler = Settler(pool, clock, billing, keeping, reservations.use, bus, push.outbox)
    power = PowerKeeper(pool, clock, link, config.billing.timezone, read_schedules, enabled=config.power.enabled)
    bus.listen(power.hear)
    commands = Commands(
        conversations,
        link,
        pool,
        lookups.to_take_up,
        clock,
        bus,
        settler,
        asking_rules(config),
        first_limit=power.first_limit,
    )
    interval_s = config.ocpp.sample_interval_s
    limits = LimitKeeper(
        pool, watch, bus, push.outbox, commands.stop_at_limit, config.charging.stop_repeat_s, interval_s
    )
    attempts = Attempts(pool, clock)
    idle_fees = IdleFees(pool, watch, billing, push.outbox, link, config.billing.timezone)
    reserving = Reserving(clock, billing, pricing, reservation_rules(config), settler, idle_fees)
    beginnings = Beginnings(
        pool, clock, ids, reserving, reservations.use, settler, commands, bus, push.outbox, attempts
    )
    endings = Endings(pool, clock, settler, bus)
    parked = ParkedReports(pool, clock, endings, read_stop)
    presence = Presence(pool, watch, link, bus, push.outbox, config.ocpp.heartbeat_timeout_s)
    locations = _locations(config, pool, clock, link, pricing, redis, random_bytes, presence)
    bus.listen(lambda _event: locations.forget())
    authority = _authority(config, random_bytes)
    station_commands = StationCommands(pool, link, attempts, read_start)
    certificates = StationCertificates(pool, clock, lookups.certificates, station_commands, authority, commands.begin)
    awaited = Awaited(pool, clock)
    operations = _station_operations(config, pool, clock, link, station_commands, awaited, certificates)
    transactions = TransactionEvents(
        pool, clock, journal, beginnings, endings, limits, commands, operations.reservations, parked
    )
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
        kept_connectors=reservations.worker,
        transfers=operations.transfers,
        transactions=transactions,
        device_model=operations.device_model,
        device_events=operations.device_events,
        limits_of_others=ReportedLimits(pool, clock, enabled=config.power.enabled),
        plug_and_charge=PlugAndCharge(config.ocpp.ocsp_responders, config.ocpp.contract_provider_url),
    )
    passwords = SaltedPasswords()
    network_file = NetworkFile(clock, passwords, pricing, billing, bus)
    views = NetworkViews(pool, clock, link, config.ocpp.heartbeat_timeout_s)
    allowance = Allowance(pool, clock, config.admin.adjust_limit_tyiyn, config.billing.timezone)
    lobby = Lobby(Strangers(pool, clock, config.ocpp.heartbeat_interval_s))
    staff = Staff(pool, clock, ids)
    sign_in = build_sign_in(pool, clock, ids, means, code_rules(config), random_bytes)
    acts = OperatorActs(pool, clock)
    heartbeat_timeout_s, timezone = config.ocpp.heartbeat_timeout_s, config.billing.timezone
    station_cases = StationCases(pool, clock, heartbeat_timeout_s)
    availability = StationAvailability(pool, clock, timezone)
    calendar = Calendar(timezone, frozenset(config.forecast.holidays))
    forecasts = Forecasts(pool, clock, locations, calendar, limits.planned_at)
    payments = build_payments(pool, clock, ids, billing, gateways or Gateways(), top_up_rules(config), watch)
    ailing = read_ailing(habits or StationHabits(), link, clock)
    beneath = Beneath(clock, journal, payments.providers, config.server.state_dir, room, ailing)
    gifts = Gifts(pricing, config.operator.given_away_limit_tyiyn)
    picture_reading = PictureReading(pool, availability, gifts, heartbeat_timeout_s, timezone)
    return App(
        bus=bus,
        redis=redis,
        billing=billing,
        day_book=DayBook(pool),
        ledger_checks=LedgerChecks(pool, watch, billing, config.billing.timezone),
        accounts=Accounts(pool, clock, billing),
        profiles=ClientProfiles(pool, clock, config.billing.timezone),
        erasure=Erasure(pool, watch),
        favorites=Favorites(pool, clock),
        keeping=keeping,
        watches=Watches(pool, watch, locations, partial(_notify_of_free, push.outbox)),
        power=power,
        power_preferences=PowerPreferences(pool, clock),
        power_groups=PowerGroups(
            pool, clock, link, config.billing.timezone, read_schedules, enabled=config.power.enabled
        ),
        aliases=aliases,
        merging=Merging(pool, clock, billing, aliases),
        payments=payments,
        pricing=pricing,
        charging=ChargingService(
            pool, clock, ids, reserving, reservations.use, link, commands, bus, attempts, charging_rules(config)
        ),
        station_prices=StationPrices(pool, clock, pricing),
        station_pages=StationPages(
            pool, clock, link, pricing, config.ocpp.heartbeat_timeout_s, on_silence=presence.silence_seen
        ),
        locations=locations,
        reports=StationReports(
            pool, clock, lookups.admissions, journal, reported_to, bus, config.ocpp.heartbeat_interval_s
        ),
        parked=parked,
        doubts=Doubts(pool, clock, billing, keeping, settler),
        attempts=attempts,
        tags=Tags(pool, clock),
        free_vend=FreeVend(pool, clock),
        commands=commands,
        operations=operations,
        certificates=certificates,
        authority=authority,
        access=StationAccess(pool, clock, link, passwords),
        network_file=network_file,
        fleet_imports=FleetImports(pool, clock, network_file),
        views=views,
        administration=Administration(pool, clock, views, network_file),
        tariff_plans=TariffPlans(pool, clock, network_file),
        provisioning=Provisioning(pool, clock, lobby, network_file),
        lobby=lobby,
        staff=staff,
        browsers=Browsers(pool, clock, ids, sign_in.codes, staff, random_bytes),
        acts=acts,
        asked_acts=AskedActs(acts, conversations),
        marks=Marks(pool, clock),
        health=ConnectorsHealth(pool, clock, bus),
        availability=availability,
        forecast_keeper=ForecastKeeper(pool, watch, calendar),
        forecast_nightly=NightlyWork(pool, watch, calendar),
        forecasts=forecasts,
        navigation=Navigation(
            pool,
            clock,
            locations,
            Roads(config.navigation.router),
            forecasts if config.forecast.enabled else None,
            config.billing.timezone,
        ),
        pictures=Pictures(pool, clock, bus, picture_reading, random_bytes(8).hex(), beneath),
        allowance=allowance,
        charge_views=ChargeViews(pool, clock, link, config.ocpp.heartbeat_timeout_s, config.billing.timezone),
        client_accounts=ClientAccounts(pool, clock, ids, billing, allowance),
        second_factor=SecondFactor(pool, clock, random_bytes, is_required=config.auth.staff_totp),
        keys=KeyRows(pool, clock),
        rate_limits=RateLimits(clock, redis),
        journal=journal,
        lookups=lookups,
        settler=settler,
        reservations=reservations,
        idle_fees=idle_fees,
        limits=limits,
        presence=presence,
        register_watch=RegisterWatch(pool, watch, link, interval_s),
        recovery=Recovery(
            pool,
            clock,
            commands,
            settler,
            StartDeadlines(pool, watch, link, settler, start_deadline_rules(config)),
            recovery_rules(config),
            watch,
        ),
        transactions=transactions,
        sign_in=sign_in,
        history=History(pool, clock, config.billing.timezone, random_bytes) if config.history.enabled else None,
        push=push,
        webhooks=Webhooks(pool, clock, ids, random_bytes),
        webhook_deliverer=WebhookDeliverer(pool, watch),
        documents=Documents(pool, config.billing.timezone) if config.history.enabled else None,
        evidence=Evidence(pool) if config.history.enabled else None,
        finding=Search(pool),
        station_cases=station_cases,
        call_sheets=CallSheets(pool, clock, station_cases, heartbeat_timeout_s),
        case_files=CaseFiles(pool, clock, Evidence(pool)),
    )


def _authority(config: Config, random_bytes: RandomBytes) -> StationAuthority:
    days, is_set = config.ocpp.station_certificate_days, bool(config.ocpp.station_ca_certificate)
    return StationAuthority(*config.station_ca, days, random_bytes, is_set=is_set)


async def _notify_of_free(outbox: PushOutbox, uow: UnitOfWork, free: ConnectorFree) -> None:
    """The one message of a watch, in the unit of work that ends it."""
    facts = {"connector_id": free.connector_id}
    to, key = Recipient("client", free.client_id), f"connector_free:{free.watch_id}"
    await outbox.enqueue(uow, PushEvent("connector_free", key, to, station_id=free.station_id, facts=facts))


def _locations(
    config: Config,
    pool: Pool,
    clock: Clock,
    link: StationLink,
    pricing: Pricing,
    redis: RedisLink | None,
    random_bytes: RandomBytes,
    presence: Presence,
) -> Locations:
    list_cache = SharedListCache(redis, clock, random_bytes) if redis else OwnListCache(clock)
    return Locations(
        pool, clock, link, pricing, list_cache, config.ocpp.heartbeat_timeout_s, on_silence=presence.silence_seen
    )


def _station_operations(
    config: Config,
    pool: Pool,
    clock: Clock,
    link: StationLink,
    commands: StationCommands,
    awaited: Awaited,
    certificates: StationCertificates,
) -> StationOperations:
    configuration = Configuration(pool, clock, commands)
    device_model = DeviceModel(pool, clock)
    return StationOperations(
        pool=pool,
        clock=clock,
        commands=commands,
        availability=Availability(pool, clock, commands, awaited),
        configuration=configuration,
        transfers=Transfers(pool, clock, commands),
        local_lists=LocalLists(pool, clock, commands),
        reservations=ConnectorReservations(pool, clock, commands, awaited),
        profiles=ChargingProfiles(
            pool, clock, commands, link, OperatorsProfiles(pool, clock, enabled=config.power.enabled)
        ),
        certificates=certificates,
        trusted=TrustedCertificates(commands),
        security=SecurityProfiles(pool, clock, configuration, tls=bool(config.ocpp.tls_bind)),
        device_model=device_model,
        device_events=DeviceEvents(pool, clock, device_model),
    )
