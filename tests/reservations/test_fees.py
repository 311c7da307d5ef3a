"""What a reservation holds and costs, in every way it can end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from evpower.identifiers import ClientId, ConnectorId, IdTag, StationId
from evpower.reservations.fees import FeeCase, ReservationPrice, blocked_until, fee_tyiyn, price_of, whole_minutes
from evpower.reservations.reservation import KeptWindow, ReservationRecord, Step, next_step
from tests.worlds.fakes import NOON

MINUTE = timedelta(minutes=1)
CASES: tuple[FeeCase, ...] = ("used", "no_show", "driver", "free")


def reservation(
    *, minutes: int = 15, per_minute: str = "1", no_show: str = "50", after: timedelta | None = None
) -> ReservationRecord:
    """Made at noon; `after` is when a scheduled one starts."""
    price = ReservationPrice(Decimal(per_minute), Decimal(no_show))
    window = KeptWindow.at_once(NOON, minutes) if after is None else KeptWindow.scheduled(NOON + after, minutes)
    return ReservationRecord(
        id="r",
        wire_id=1,
        client_id=ClientId("c"),
        station_id=StationId("s"),
        connector_id=ConnectorId(1),
        any_connector=False,
        status="pending",
        scheduled=after is not None,
        minutes=minutes,
        created_at=NOON,
        **vars(window),
        is_blocking=after is None,
        per_minute=price.per_minute,
        no_show_fee=price.no_show_fee,
        hold_tyiyn=price.hold_tyiyn(minutes),
        fee_tyiyn=None,
        ended_at=None,
        canceled_by=None,
        reason=None,
        ended_by=None,
        session_id=None,
        returned_at=None,
        guaranteed=True,
        id_tag=IdTag("t"),
        at_station="nothing",
        asked_at=None,
        extended_at=None,
        warned_at=None,
    )


@pytest.mark.parametrize(
    ("per_minute", "no_show", "minutes", "tyiyn"),
    [("1", "50", 15, 65_00), ("0", "0", 60, 0), ("0.333", "0", 5, 1_67), ("0.001", "0", 5, 1), ("0.001", "0", 4, 0)],
)
def test_the_hold_is_rounded_once_half_up(per_minute: str, no_show: str, minutes: int, tyiyn: int) -> None:
    assert ReservationPrice(Decimal(per_minute), Decimal(no_show)).hold_tyiyn(minutes) == tyiyn


def test_minutes_are_whole_from_the_start_and_never_more_than_were_reserved() -> None:
    of = reservation(after=timedelta(hours=1))
    seconds = {-60: 0, 0: 0, 59: 0, 60: 1, 15 * 60 - 1: 14, 15 * 60: 15, 20 * 60: 15}
    assert {each: whole_minutes(of, of.starts_at + timedelta(seconds=each)) for each in seconds} == seconds


@pytest.mark.parametrize("per_minute", ["0", "0.005", "0.333", "1", "7.5"])
@pytest.mark.parametrize("no_show", ["0", "0.005", "50"])
@pytest.mark.parametrize("minutes", [5, 15, 60])
def test_no_end_costs_more_than_is_held(per_minute: str, no_show: str, minutes: int) -> None:
    """Every end at every half minute, before the start and long after the end: a fee is never a debt."""
    for after in (None, timedelta(minutes=1), timedelta(hours=2)):
        of = reservation(minutes=minutes, per_minute=per_minute, no_show=no_show, after=after)
        for half in range(-10, 2 * minutes + 10):
            at = of.starts_at + half * MINUTE / 2
            fees = {case: fee_tyiyn(of, case, at) for case in CASES}
            assert all(0 <= fee <= of.hold_tyiyn for fee in fees.values())
            assert (fees["no_show"], fees["free"]) == (of.hold_tyiyn, 0)
            assert fees["driver"] in (0, fees["used"])


def test_a_driver_cancels_freely_until_a_moment_and_not_at_it() -> None:
    of = reservation()
    last = of.free_cancel_until - timedelta(microseconds=1)
    assert (fee_tyiyn(of, "driver", last), fee_tyiyn(of, "driver", of.free_cancel_until)) == (0, 5_00)
    assert fee_tyiyn(of, "used", last) == 4_00


def test_a_scheduled_one_costs_nothing_before_its_start_however_it_is_canceled() -> None:
    of = reservation(after=timedelta(hours=2))
    assert of.free_cancel_until == of.starts_at - timedelta(minutes=30)
    assert fee_tyiyn(of, "driver", of.starts_at - timedelta(minutes=1)) == 0
    assert fee_tyiyn(of, "driver", of.starts_at + 3 * MINUTE) == 3_00


def test_what_is_kept_longer_holds_what_it_can_cost_in_all() -> None:
    of = reservation(per_minute="0.333", no_show="0")
    more = price_of(of).hold_tyiyn(25) - of.hold_tyiyn
    longer = of.extended(10, more, NOON)
    assert (longer.hold_tyiyn, longer.minutes) == (8_33, 25)
    assert longer.expires_at == of.expires_at + 10 * MINUTE


@pytest.mark.parametrize(
    ("days", "until"),
    [
        ([], None),
        ([0, 1], None),
        ([0, 1, 30], 37),
        ([0, 1, 30.1], None),
        ([0, 20, 40, 50], 57),
        ([0, 1, 2, 80], 9),
        ([0, 1, 2, 3], 10),
    ],
)
def test_three_in_thirty_days_end_it_for_seven(days: list[float], until: int | None) -> None:
    told = blocked_until([NOON + timedelta(days=day) for day in days])
    assert told == (None if until is None else NOON + timedelta(days=until))


def steps(of: ReservationRecord) -> tuple[Step, datetime | None]:
    return next_step(of)


def test_what_comes_next_of_each_state() -> None:
    now, plain = NOON, reservation()
    asked, later = plain.asked(now), reservation(after=timedelta(hours=2))
    kept = asked.reserved(guaranteed=True)
    assert steps(asked) == ("give_up", now + MINUTE)
    assert steps(kept) == ("warn", kept.expires_at - 3 * MINUTE)
    assert steps(kept.warned(now)) == ("expire", kept.expires_at)
    assert steps(kept.warned(now).extended(5, 0, now)) == ("warn", kept.expires_at + 2 * MINUTE)
    assert steps(later) == ("block", later.starts_at - 15 * MINUTE)
    assert steps(later.blocking()) == ("take", later.starts_at)
    soft = plain.reserved(guaranteed=False)
    for status in ("canceled", "no_show", "failed", "rejected", "fulfilled"):
        assert steps(soft.ended(status, 0, now, by="x")) == ("nothing", None)
        of_station = steps(kept.ended(status, 0, now, by="x"))
        if status == "rejected":
            assert of_station == ("nothing", None)
        elif status == "fulfilled":
            assert of_station == ("take_back", kept.expires_at)
        else:
            assert of_station == ("take_back", now)
        assert steps(kept.ended(status, 0, now, by="x").taken_back()) == ("nothing", None)
    assert steps(kept.ended("fulfilled", 0, now, by="x").let_go()) == ("take_back", now)


def test_a_start_serves_itself_of_its_own_connector_alone_or_of_any() -> None:
    one, two = ConnectorId(1), ConnectorId(2)
    kept = reservation().asked(NOON).reserved(guaranteed=True)
    assert (kept.serves(one), kept.serves(two)) == (True, False)
    assert replace(kept, any_connector=True).serves(two)
    assert not kept.ended("canceled", 0, NOON, by="x").serves(one)
    assert not reservation(after=timedelta(hours=2)).serves(one)
