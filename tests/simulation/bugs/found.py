"""In which narrow histories each planted bug is looked for, and the first seed that found it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tests.simulation.narrowing import Narrowing


@dataclass(frozen=True)
class Hunt:
    """`where` a bug can show itself; the search began at seed 1 and ended at `where.seed`, which reports `report`."""

    where: Narrowing
    report: str

    def at(self, seed: int) -> Narrowing:
        return replace(self.where, seed=seed)


def _in(seed: int, pairs: str, hours: float, report: str, *, stations: int = 1, **more: object) -> Hunt:
    where = Narrowing(
        seed,
        hours,
        tuple(pairs.split(";")),
        stations,
        deaths=False,
        payments=False,
        dangers=False,
        one_process=True,
        ocpp="1.6",
    )
    return Hunt(replace(where, **more), report)  # type: ignore[arg-type]  # fields of Narrowing, as below


HUNTS: Mapping[str, Hunt] = {
    "forget_a_refund": _in(1, "no cable x deadline", 0.1, "a hold that is not what its phase says"),
    "recover_a_debt_before_it_is_lowered": _in(
        5, "meter lies x debt", 0.3, "a bill cannot be written", stations=2, money_som=40, tariff="default"
    ),
    "skip_a_lock": _in(1, "two starts x one balance", 0.15, "CheckViolation", stations=2, money_som=60),
    "round_half_even": _in(1, "plain", 0.3, " instead of ", stations=2),
    "charge_the_fee_for_nothing": _in(1, "full car x fee", 0.15, " instead of ", tariff="fee"),
    "discount_the_fee": _in(1, "plain", 0.3, " instead of ", tariff="fee", discount=15),
    "price_by_delivery": _in(1, "card x offline", 0.5, " instead of ", stations=2, tariff="lunch"),
    "no_limit_without_a_price_of_energy": _in(
        1, "plain", 0.3, "and goes on", stations=2, tariff="minutes-alone", money_som=15
    ),
    "never_recover_a_debt": _in(
        5, "meter lies x debt;paid at once", 0.4, "money beside a debt", stations=2, money_som=40
    ),
    "settle_twice": _in(1, "plain", 0.1, "a hold that is not what its phase says"),
    "acknowledge_before_commit": _in(1, "plain", 0.15, "acknowledged, and not in the rows"),
    "lose_a_queued_stop": _in(1, "unplugged offline x stop later", 0.4, "not in the rows", stations=2),
    "stop_an_unpaid_charge_once": _in(1, "stop ignored x settled", 0.4, "charges and nobody pays", stations=2),
    "refuse_a_queued_start": _in(2, "card x offline", 0.4, " instead of ", stations=2),
    "never_correct": _in(1, "offline x stop by phone", 0.3, "are accounted for"),
    "repeat_an_old_transaction": _in(
        1, "card twice x same register", 0.2, "acknowledged, and not in the rows", money_som=500
    ),
    "publish_before_commit": _in(1, "plain", 0.1, "published, and not in the rows"),
    "forget_what_is_unbilled": _in(1, "stop ignored x settled", 0.4, "have a place", stations=2),
    "forget_the_key": _in(2, "double tap x one reserve", 0.15, "one key, two answers"),
    "acknowledge_a_reading_before_commit": _in(1, "plain", 0.15, "acknowledged, and not in the rows"),
    "believe_the_chargers_clock": _in(1, "clock set x charge", 0.3, " instead of ", stations=2, tariff="minutes-alone"),
    "minutes_until_now": _in(1, "stop lost x next driver", 0.3, " instead of ", stations=2, tariff="minutes-alone"),
    "bill_an_unbelievable_register": _in(1, "wild reading x stop", 0.25, "more than flowed"),
    "drop_a_doubt": _in(1, "wild reading x stop", 0.25, "not in the rows"),
    "forget_the_meter_before": _in(3, "meter replaced x charge goes on", 0.3, "are accounted for"),
    "credit_on_status_1": _in(1, "scanned x paid late", 0.12, "were paid"),
    "erase_a_due_mark": _in(2, "second payment x check", 0.5, "were paid"),
    "drop_payments_beside_a_refund": _in(1, "part returned x second payment", 0.5, "were paid"),
    "credit_each_answer": _in(1, "paid at once", 0.2, "were paid"),
    "take_a_fee_in_the_free_minutes": _in(2, "kept x given up", 0.3, "costs ", tariff="fee", money_som=500),
    "forget_the_fee_of_who_never_came": _in(1, "kept x nobody comes", 0.3, "costs ", tariff="fee", money_som=500),
    "show_the_list_for_half_a_minute": _in(1, "plain;looked at", 0.2, "the list is old", stations=2),
    "believe_what_redis_comes_back_with": _in(4, "plain;looked at;looked at x redis lost", 0.5, "the list is old"),
}
