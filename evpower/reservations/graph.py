"""The services of this room, built once."""

from __future__ import annotations

from dataclasses import dataclass

import trio

from evpower.billing.pricing import Pricing
from evpower.billing.reservation_money import ReservationMoney
from evpower.clock import Clock, ClockWatch, Ids
from evpower.db.pool import Pool
from evpower.events import EventBus
from evpower.link.ports import StationLink
from evpower.network.spots.checks import SpotChecks
from evpower.push.outbox import PushOutbox
from evpower.reservations.desk import ReservationDesk
from evpower.reservations.ends import ReservationEnds
from evpower.reservations.lost import LostReservations
from evpower.reservations.opening import NewReservations
from evpower.reservations.scheduled import Scheduled
from evpower.reservations.service import Reservations
from evpower.reservations.starts import ReservationUse
from evpower.reservations.station_side import StationSide
from evpower.reservations.worker import ReservationWorker


@dataclass(frozen=True)
class KeepingRules:
    """How long a station's answer is waited for, and after which silence it is away, in seconds."""

    answer_wait_s: float
    heartbeat_timeout_s: float


@dataclass(frozen=True)
class KeptConnectors:
    """What doors, starts and the supervisor reach."""

    service: Reservations
    use: ReservationUse
    ends: ReservationEnds
    worker: ReservationWorker
    desk: ReservationDesk


def build_reservations(
    pool: Pool,
    clock: Clock,
    ids: Ids,
    watch: ClockWatch,
    link: StationLink,
    pricing: Pricing,
    push: PushOutbox,
    bus: EventBus,
    conversations: trio.Nursery,
    rules: KeepingRules,
) -> KeptConnectors:
    """`conversations` owns what is being asked of stations."""
    money = ReservationMoney(clock, push)
    ends = ReservationEnds(watch, money, push, bus)
    spots = SpotChecks(link, clock, rules.heartbeat_timeout_s)
    station_side = StationSide(pool, link, ends, conversations)
    scheduled = Scheduled(pool, clock, spots, ends, station_side)
    lost = LostReservations(pool, watch, link, ends, rules.heartbeat_timeout_s)
    new = NewReservations(pool, clock, ids, spots, pricing, money, ends)
    return KeptConnectors(
        service=Reservations(pool, clock, new, money, ends, lost, station_side, answer_wait_s=rules.answer_wait_s),
        use=ReservationUse(clock, ends, money),
        ends=ends,
        worker=ReservationWorker(pool, watch, ends, lost, station_side, scheduled),
        desk=ReservationDesk(pool, clock, ends),
    )
