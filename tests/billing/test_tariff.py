"""Billing-rules §7: which price applies when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from evpower.billing.rates import Rates
from evpower.billing.tariff import ClientTariff, ParkingRules, PriceBook, Rule

BISHKEK = ZoneInfo("Asia/Bishkek")
#: A Monday.
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=BISHKEK)
DAY = Rule("day", "plan", "День", "per_kwh", Decimal(15), time_start=time(7), time_end=time(23))
NIGHT = Rule("night", "plan", "Ночь", "per_kwh", Decimal(9), time_start=time(23), time_end=time(7))
EMPTY = PriceBook("GBT", 22.0, Decimal("13.5"), None, Decimal(0), (), None)


def with_rules(*rules: Rule) -> PriceBook:
    return replace(EMPTY, station_rules=rules)


def at(hour: int, minute: int = 0, day: int = 23) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=BISHKEK)


def client(**kwargs: object) -> ClientTariff:
    empty = ClientTariff(Decimal(0), None, (), None, None, None)
    return replace(empty, **kwargs)  # type: ignore[arg-type]  # keyword fields of one dataclass


def test_nothing_set_is_the_default_price() -> None:
    price = EMPTY.price(NOON)
    assert (price.rate_per_kwh, price.session_fee, price.active_rule) == (Decimal("13.5"), Decimal(0), "Базовый тариф")


def test_a_zero_station_price_is_no_price() -> None:
    assert replace(EMPTY, station_rate=Decimal(0)).price(NOON).rate_per_kwh == Decimal("13.5")


def test_the_least_station_price_is_a_price() -> None:
    assert replace(EMPTY, station_rate=Decimal("0.01")).price(NOON).rate_per_kwh == Decimal("0.01")


def test_the_stations_own_price_hides_its_plan() -> None:
    book = replace(with_rules(DAY), station_rate=Decimal(14), station_fee=Decimal(5))
    assert (book.price(NOON).rate_per_kwh, book.price(NOON).session_fee) == (Decimal(14), Decimal(5))


@pytest.mark.parametrize(("moment", "rate"), [(at(6, 59), 9), (at(7), 15), (at(22, 59), 15), (at(23), 9), (at(0), 9)])
def test_windows_are_half_open_and_run_over_midnight(moment: datetime, rate: int) -> None:
    assert with_rules(DAY, NIGHT).price(moment).rate_per_kwh == rate


def test_a_window_is_read_in_bishkek_not_utc() -> None:
    two_at_night_utc = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    assert with_rules(DAY, NIGHT).price(two_at_night_utc.astimezone(BISHKEK)).rate_per_kwh == 15


def test_an_over_midnight_window_belongs_to_the_day_it_began() -> None:
    sunday_night = replace(NIGHT, days_of_week=(7,))
    assert with_rules(sunday_night).price(at(2, day=23)).rate_per_kwh == 9
    assert with_rules(sunday_night).price(at(2, day=24)).rate_per_kwh == Decimal("13.5")


def test_weekend_rules_hold_on_saturday_and_sunday() -> None:
    weekend, workday = (replace(DAY, is_weekend=which, price=Decimal(11)) for which in (True, False))
    held = [with_rules(weekend).price(at(12, day=day)).rate_per_kwh == 11 for day in range(23, 30)]
    assert held == [False] * 5 + [True] * 2
    assert [with_rules(workday).price(at(12, day=day)).rate_per_kwh == 11 for day in range(23, 30)] == [
        not weekend for weekend in held
    ]


@pytest.mark.parametrize("end", [time(23, 59, 59), None])
def test_a_missing_or_whole_day_window_holds_all_day(end: time | None) -> None:
    whole = replace(DAY, time_start=time(0) if end else None, time_end=end)
    assert with_rules(whole).price(at(23, 59)).rate_per_kwh == 15


@pytest.mark.parametrize("end", [time(23, 59), time(23, 59, 59), time(23, 59, 59, 999_999), time(0)])
@pytest.mark.parametrize("start", [time(0), time(7)])
def test_a_window_that_ends_in_the_last_minute_ends_at_midnight(start: time, end: time) -> None:
    """A rule has no other way to name the end of a day: no second of it is at another price."""
    late = replace(DAY, time_start=start, time_end=end)
    last = at(23, 59).replace(second=59, microsecond=999_999)
    for moment in (at(23, 58), at(23, 59), last.replace(microsecond=0), last):
        assert with_rules(late).price(moment).rate_per_kwh == 15
    change = None if start == time(0) else at(0, day=24)
    assert with_rules(late).price(last).next_rate_change == change


@pytest.mark.parametrize("end", [time(6, 59, 59), time(6, 59, 1), time(7)])
def test_windows_are_of_whole_minutes_so_neighbours_leave_no_second_between(end: time) -> None:
    book = with_rules(DAY, replace(NIGHT, time_end=end))
    assert book.price(at(6, 59).replace(second=59, microsecond=5)).rate_per_kwh == 9
    assert book.price(at(5)).next_rate_change == at(7)
    assert book.price(at(7)).rate_per_kwh == 15


def test_a_window_that_ends_within_a_minute_ends_with_it() -> None:
    until = replace(NIGHT, time_end=time(6, 58, 30))
    assert [with_rules(until).price(at(6, minute)).rate_per_kwh for minute in (58, 59)] == [9, Decimal("13.5")]


def test_a_window_that_begins_within_a_minute_begins_with_it() -> None:
    book = with_rules(replace(DAY, time_start=time(7, 0, 1)))
    assert book.price(at(7)).rate_per_kwh == 15
    assert book.price(at(6)).next_rate_change == at(7)


def test_an_end_within_the_day_is_not_of_the_window() -> None:
    assert with_rules(replace(DAY, time_end=time(22, 59))).price(at(22, 59)).rate_per_kwh == Decimal("13.5")


def test_a_night_of_a_weekday_that_ends_at_midnight_is_that_days_alone() -> None:
    monday_late = replace(NIGHT, time_end=time(23, 59), days_of_week=(1,))
    assert with_rules(monday_late).price(at(23, 59)).rate_per_kwh == 9
    assert with_rules(monday_late).price(at(0, day=24)).rate_per_kwh == Decimal("13.5")


def test_validity_dates_are_inclusive() -> None:
    bounded = replace(DAY, valid_from=date(2026, 11, 23), valid_until=date(2026, 11, 23))
    assert with_rules(bounded).price(NOON).rate_per_kwh == 15
    assert with_rules(bounded).price(at(12, day=24)).rate_per_kwh == Decimal("13.5")


def test_power_range_is_inclusive_and_connector_type_must_fit() -> None:
    assert with_rules(replace(DAY, power_range_min=22, power_range_max=22)).price(NOON).rate_per_kwh == 15
    assert with_rules(replace(DAY, power_range_min=23)).price(NOON).rate_per_kwh == Decimal("13.5")
    assert with_rules(replace(DAY, connector_type="CCS")).price(NOON).rate_per_kwh == Decimal("13.5")


def test_highest_priority_wins_then_the_newest() -> None:
    older = replace(DAY, id="older", price=Decimal(1), created_at=datetime(2026, 1, 1, tzinfo=UTC))
    newer = replace(DAY, id="newer", price=Decimal(2), created_at=datetime(2026, 2, 1, tzinfo=UTC))
    urgent = replace(older, id="urgent", price=Decimal(3), priority=5)
    assert with_rules(older, newer).price(NOON).rule_id == "newer"
    assert with_rules(older, newer, urgent).price(NOON).rule_id == "urgent"


def test_the_best_rule_of_each_kind_is_combined() -> None:
    fee = Rule("fee", "plan", "Плата", "session_fee", Decimal(20))
    minute = Rule("minute", "plan", "Минута", "per_minute", Decimal("0.5"))
    price = with_rules(DAY, fee, minute).price(NOON)
    assert (price.rate_per_kwh, price.session_fee, price.rate_per_minute) == (Decimal(15), Decimal(20), Decimal("0.5"))


def test_a_plan_without_an_energy_rule_keeps_the_default_rate_never_zero() -> None:
    fee = Rule("fee", "plan", "Плата", "session_fee", Decimal(20))
    assert with_rules(fee).price(NOON).rate_per_kwh == Decimal("13.5")


def test_a_clients_fixed_rate_comes_first_and_has_no_fee() -> None:
    book = replace(EMPTY, station_rate=Decimal(14), station_fee=Decimal(5))
    price = replace(book, client_tariff=client(fixed_rate_per_kwh=Decimal(8))).price(NOON)
    assert (price.rate_per_kwh, price.session_fee) == (Decimal(8), Decimal(0))


def test_a_clients_agreement_may_name_minutes_and_a_fee_beside_its_fixed_rate() -> None:
    agreed = client(
        fixed_rate_per_kwh=Decimal(8),
        fixed_rate_per_minute=Decimal("0.5"),
        session_fee=Decimal(10),
        discount_percent=Decimal(50),
    )
    rates = replace(EMPTY, client_tariff=agreed).price(NOON).rates
    assert rates == Rates(Decimal(8), Decimal("0.5"), Decimal(10))


def test_a_clients_plan_is_discounted_on_energy_and_minutes_only() -> None:
    fee = Rule("fee", "vip", "Плата", "session_fee", Decimal(20))
    minute = Rule("minute", "vip", "Минута", "per_minute", Decimal("0.5"))
    tariff = client(discount_percent=Decimal(10), tariff_plan_id="vip", rules=(DAY, minute, fee))
    price = replace(EMPTY, client_tariff=tariff).price(NOON)
    assert price.rates == Rates(Decimal("13.5"), Decimal("0.45"), Decimal(20))


def test_a_client_discount_without_a_plan_applies_to_the_normal_price() -> None:
    book = replace(EMPTY, station_rate=Decimal(14), client_tariff=client(discount_percent=Decimal(50)))
    assert book.price(NOON).rate_per_kwh == 7


def test_the_next_rate_change_is_the_next_moment_the_figures_differ() -> None:
    price = with_rules(DAY, NIGHT).price(NOON)
    assert price.time_based
    assert price.next_rate_change == at(23)


def test_a_price_of_one_weekday_is_seen_a_week_ahead() -> None:
    mondays = replace(DAY, days_of_week=(1,))
    assert with_rules(mondays).price(at(23)).next_rate_change == at(7, day=30)


def test_a_constant_price_never_changes() -> None:
    assert EMPTY.price(NOON).next_rate_change is None


@pytest.mark.parametrize("fee", [Decimal(0), Decimal(20)])
@pytest.mark.parametrize("per_minute", [Decimal(0), Decimal("1.5")])
@pytest.mark.parametrize("per_kwh", [Decimal("12.35"), Decimal(0)])
@pytest.mark.parametrize("amount_tyiyn", [1999, 2000, 2001, 3499, 3500, 3501, 5000, 12_345])
def test_the_energy_within_a_sum_is_the_most_that_costs_no_more(
    amount_tyiyn: int, per_kwh: Decimal, per_minute: Decimal, fee: Decimal
) -> None:
    """With its fee and ten minutes; one Wh more would cost more, or is more than was delivered."""
    rates, most_wh = Rates(per_kwh, per_minute, fee), 4000
    wh = rates.energy_within_wh(amount_tyiyn, 10, most_wh)
    assert 0 <= wh <= most_wh
    assert rates.cost_tyiyn(wh, 10) <= amount_tyiyn
    assert wh == most_wh or rates.cost_tyiyn(wh + 1, 10) > amount_tyiyn


@pytest.mark.parametrize("hour", [0, 9, 10, 23])
def test_a_window_that_ends_where_it_begins_holds_all_day(hour: int) -> None:
    round_the_clock = replace(DAY, time_start=time(10), time_end=time(10))
    assert with_rules(round_the_clock).price(at(hour)).rate_per_kwh == 15


@pytest.mark.parametrize(
    ("since", "until", "holds"), [(0, 0, True), (1, None, False), (None, -1, False), (-1, 1, True), (1, 2, False)]
)
def test_a_rule_holds_on_the_days_it_is_valid(since: int | None, until: int | None, holds: bool) -> None:
    """Both of its days included; on every other day the network's price stays in force."""
    today = at(12)
    days = [None if each is None else (today + timedelta(days=each)).date() for each in (since, until)]
    rule = replace(DAY, time_start=None, time_end=None, valid_from=days[0], valid_until=days[1])
    assert (with_rules(rule).price(today).rate_per_kwh == 15) is holds


NO_SHOW = Rule("late", "plan", "Не приехал", "no_show_fee", Decimal(50), time_start=time(7), time_end=time(23))


def test_a_fee_is_what_its_rule_that_holds_asks() -> None:
    assert with_rules(DAY, NO_SHOW).fee("no_show_fee", NOON) == 50


@pytest.mark.parametrize("moment", [at(23), at(6, 59)])
def test_a_fee_whose_rules_do_not_hold_is_nothing(moment: datetime) -> None:
    assert with_rules(NIGHT, NO_SHOW).fee("no_show_fee", moment) == 0


def test_the_clients_own_fee_comes_before_the_stations_and_the_stations_where_he_has_none() -> None:
    own = client(rules=(replace(NO_SHOW, price=Decimal(20), time_end=time(13)),))
    book = replace(with_rules(NO_SHOW), client_tariff=own)
    assert [book.fee("no_show_fee", moment) for moment in (NOON, at(13))] == [20, 50]


def test_of_two_fees_that_hold_the_one_of_the_highest_priority_is_asked() -> None:
    other = replace(NO_SHOW, price=Decimal(30), priority=1)
    assert [with_rules(*rules).fee("no_show_fee", NOON) for rules in ((NO_SHOW, other), (other, NO_SHOW))] == [30, 30]


@pytest.mark.parametrize(("hour", "rates"), [(11, 1), (12, 2)])
def test_a_schedule_ends_before_the_twelfth_hour(hour: int, rates: int) -> None:
    moving = with_rules(*(replace(rule, billing_mode="segments") for rule in (DAY, NIGHT)))
    assert len(moving.schedule(at(hour))) == rates


@pytest.mark.parametrize(("rate", "waits_for"), [(Decimal("0.01"), True), (Decimal(0), False)])
def test_a_place_without_a_price_of_a_minute_has_no_terms(rate: Decimal, waits_for: bool) -> None:
    terms = ParkingRules(5, 100_00, None, None, None).at(rate)
    assert (terms is not None) == waits_for
    assert terms is None or terms.rate_per_minute == rate
