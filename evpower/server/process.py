"""One process of possibly several on the same database: the application, and what it shares with the others."""

from __future__ import annotations

import resource
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import trio

from evpower.client_address import SeenAddresses
from evpower.clock import Clock, ClockWatch, Ids, RandomBytes, random_bytes
from evpower.cluster.network_link import NetworkLink
from evpower.cluster.other_processes import OtherProcesses
from evpower.cluster.processes import Processes
from evpower.cluster.remote_commands import CommandExecutor
from evpower.db.listening import Listening
from evpower.db.pool import Pool
from evpower.http.operators.shapes.station_access import CallersSeen, ProcessFacts
from evpower.http.phones.live_hub import LiveHub, LiveLimits
from evpower.identifiers import ProcessId
from evpower.identity.graph import Tokens, build_tokens
from evpower.network.feed import NetworkFeed
from evpower.network.presence import last_spoken
from evpower.ocpp.dialect import known_actions, usual
from evpower.ocpp.dialects import DIALECTS, MASKING
from evpower.ocpp.habits.station_habits import StationHabits
from evpower.ocpp.registry import StationRegistry
from evpower.ocpp.watch.tracer import Tracer
from evpower.ocpp.watch.traffic import Traffic
from evpower.payments.gateway import Gateways
from evpower.push.delivery import DeliveryService
from evpower.server.app import App, build_app
from evpower.server.loop_lag import LoopLag
from evpower.server.rules import token_rules
from evpower.server.system_page.recent_lines import RecentLines
from evpower.server.upkeep import Upkeep
from evpower.settings.config import Config
from evpower.sign_in.means import SignInMeans


@dataclass(frozen=True)
class Process:
    """What the supervisor starts and the doors lead to."""

    config: Config
    pool: Pool
    clock: Clock
    watch: ClockWatch
    ids: Ids
    app: App
    tokens: Tokens
    #: The stations whose sockets are here, and the link that reaches those of other processes too.
    registry: StationRegistry
    #: What stations do that this process serves.
    habits: StationHabits
    link: NetworkLink
    processes: Processes
    executor: CommandExecutor
    listening: Listening
    feed: NetworkFeed
    tracer: Tracer
    #: What passes at the stations' door.
    traffic: Traffic
    hub: LiveHub
    upkeep: Upkeep
    lag: LoopLag
    recent_lines: RecentLines


def build_process(
    config: Config,
    process_id: ProcessId,
    pool: Pool,
    gateways: Gateways,
    clock: Clock,
    watch: ClockWatch,
    ids: Ids,
    conversations: trio.Nursery,
    *,
    sign_in_means: SignInMeans,
    push_services: Mapping[str, DeliveryService] | None = None,
    random_bytes: RandomBytes = random_bytes,
) -> Process:
    """Put one process together. `conversations` owns what is being asked of stations."""
    registry = StationRegistry(usual(DIALECTS), DIALECTS, partial(last_spoken, pool))
    processes = Processes(pool, clock, process_id, registry)
    link = NetworkLink(registry, processes, pool, clock, ids)
    habits = StationHabits()
    app = build_app(
        config,
        pool,
        link,
        clock,
        ids,
        conversations,
        watch=watch,
        gateways=gateways,
        sign_in_means=sign_in_means,
        push_services=push_services,
        random_bytes=random_bytes,
        habits=habits,
    )
    executor = CommandExecutor(pool, clock, process_id, registry)
    others = OtherProcesses(
        app.bus, processes, link, executor, app.pricing.forget, app.sign_in.changed, app.aliases.changed
    )
    hub = LiveHub(clock, LiveLimits(config.http.sockets_per_address, config.http.sockets_per_client))
    return Process(
        config=config,
        pool=pool,
        clock=clock,
        watch=watch,
        ids=ids,
        app=app,
        tokens=build_tokens(
            token_rules(config), clock, own_keys=app.sign_in.keys.public, refused=app.sign_in.revocations.refused
        ),
        registry=registry,
        habits=habits,
        link=link,
        processes=processes,
        executor=executor,
        listening=Listening(pool, others.hear, others.gap),
        feed=NetworkFeed(app.bus, app.locations, hub.publish),
        tracer=Tracer(pool, clock, MASKING, record=config.ocpp.record_frames),
        traffic=Traffic(known_actions(DIALECTS)),
        hub=hub,
        upkeep=Upkeep(pool, watch, config.ocpp, config.billing.idempotency_days),
        lag=LoopLag(),
        recent_lines=RecentLines(),
    )


def callers_seen(seen: SeenAddresses) -> CallersSeen:
    """The counts of one door, as they are now."""
    return CallersSeen(seen.named, seen.direct, dict(seen.unbelieved), seen.last_named)


def process_facts(process: Process, seen: SeenAddresses) -> ProcessFacts:
    """What `evpower doctor` asks of the running process itself."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    watch = process.watch
    return ProcessFacts(
        requests=callers_seen(seen),
        handshakes=callers_seen(process.traffic.seen),
        file_limit=None if hard == resource.RLIM_INFINITY else hard,
        clock_jumped_s=watch.last_jump_s if watch.holds else None,
        failing_providers={
            name: f"fails since {state.failing_since:%Y-%m-%d %H:%M:%S} UTC ({state.last_error})"
            for name, state in process.app.payments.providers().items()
            if state.failing_since is not None
        },
    )
