"""Each rule of the To do list: raised when its condition begins, not before, and withdrawn when it is over (§3.1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from evpower.attention.beneath import BeneathFacts
from evpower.attention.cells import ConnectorFacts, StationCells, StationFactsNow, faults, station_cells
from evpower.attention.conditions import (
    Ailing,
    Condition,
    ConditionKind,
    Gathered,
    Gift,
    LastStarts,
    LedgerFinding,
    OpenCharge,
    Undecided,
    UnpaidCharge,
    Waiting,
    WaitingMoney,
)
from evpower.attention.folding import folded
from evpower.attention.rules import may_need_a_person, of_beneath, raised
from evpower.identifiers import StationId
from evpower.payments.provider_calls import ProviderState
from tests.worlds.fakes import NOON

A = StationId("EVP-001-01")
CHARGE = OpenCharge("s-1", A, 1, "charging", NOON, None, None, False, 0, 0, 20_000, 0)


def ago(**since: float) -> datetime:
    return NOON - timedelta(**since)


def station(
    station_id: StationId = A, *, online: bool = True, location: str = "L1", seen: datetime | None = NOON, **facts: Any
) -> StationCells:
    connector = ConnectorFacts(1, "Available", "NoError", True, False, ago(minutes=30))
    known = {"admin_status": "active", "whole_status": None, "connectors_count": 1, "configured_evses": (1,)}
    given = known | facts
    connectors = given.pop("connectors", (connector,))
    row = StationFactsNow(
        station_id,
        location,
        f"Location {location}",
        "Bishkek",
        None,
        None,
        last_seen_at=seen,
        connectors=connectors,
        **given,
    )
    return station_cells(row, is_online=online)


def connector(status: str = "Available", error: str = "NoError", *, busy: bool = False, **other: Any) -> ConnectorFacts:
    return ConnectorFacts(1, status, error, other.get("enabled", True), busy, other.get("at", ago(minutes=3)))


def found(rows: Gathered | None = None, *stations: StationCells, now: datetime = NOON) -> list[Condition]:
    """As the picture asks: of the stations that may need a person alone."""
    suspects = [each for each in stations if may_need_a_person(each)]
    return raised(rows or Gathered(), suspects, {each.facts.id: each for each in stations}, now)


def kinds(rows: Gathered | None = None, *stations: StationCells, now: datetime = NOON) -> list[tuple[str, bool]]:
    return [(each.kind.value, each.is_urgent) for each in found(rows, *stations, now=now)]


@pytest.mark.parametrize(
    ("charge", "raises"),
    [
        ({"phase": "ended", "phase_at": ago(seconds=60)}, []),
        ({"phase": "ended", "phase_at": ago(seconds=61)}, [("settlement_late", True)]),
        ({"phase": "settled", "phase_at": ago(seconds=61)}, []),
        ({"phase": "starting", "phase_at": ago(seconds=90)}, []),
        ({"phase": "starting", "phase_at": ago(seconds=91)}, [("start_hangs", False)]),
        ({"phase": "charging", "phase_at": ago(seconds=91)}, []),
        ({"phase": "stopping", "phase_at": ago(seconds=30)}, []),
        ({"phase": "stopping", "phase_at": ago(seconds=31)}, [("stop_hangs", True)]),
        ({"phase": "settled", "settled_at": ago(hours=1), "awaits_stop": True}, [("stop_awaited", False)]),
        ({"phase": "settled", "settled_at": ago(hours=21.9), "awaits_stop": True}, [("stop_awaited", False)]),
        ({"phase": "settled", "settled_at": ago(hours=22), "awaits_stop": True}, [("stop_awaited", True)]),
        ({"phase": "settled", "settled_at": ago(hours=24), "awaits_stop": True}, []),
        ({"phase": "settled", "settled_at": ago(hours=1), "awaits_stop": False}, []),
        ({"phase": "settled", "settled_at": ago(hours=1), "unbilled_wh": 1}, [("unbilled_energy", False)]),
        ({"phase": "settled", "settled_at": ago(hours=24), "unbilled_wh": 1}, []),
        ({"phase": "settled", "settled_at": ago(hours=1), "unbilled_wh": 0}, []),
    ],
    ids=str,
)
def test_a_charge_is_raised_while_it_hangs(charge: dict[str, Any], raises: list[tuple[str, bool]]) -> None:
    assert kinds(Gathered(charges=(replace(CHARGE, **charge),))) == raises


def test_a_charge_brings_the_money_that_is_at_stake() -> None:
    late = replace(CHARGE, phase="ended", phase_at=ago(minutes=5))
    unbilled = replace(CHARGE, phase="settled", settled_at=ago(hours=1), unbilled_wh=500, unbilled_tyiyn=675)
    assert [each.money_tyiyn for each in found(Gathered(charges=(late, unbilled)))] == [20_000, 675]


@pytest.mark.parametrize(("since_s", "raises"), [(120, []), (121, [("charging_without_session", True)])])
def test_a_transaction_that_nobody_pays_for_is_raised_after_two_minutes(since_s: int, raises: list[Any]) -> None:
    unpaid = UnpaidCharge(A, 1, "7", ago(seconds=since_s), 900)
    assert kinds(Gathered(unpaid=(unpaid,))) == raises


@pytest.mark.parametrize(
    ("given", "raises"),
    [
        (connector("Charging"), [("charging_without_session", True)]),
        (connector("SuspendedEV"), [("charging_without_session", True)]),
        (connector("Charging", at=ago(seconds=120)), []),
        (connector("Charging", busy=True), []),
        (connector("Preparing"), []),
        (connector(), []),
    ],
    ids=str,
)
def test_a_connector_that_charges_without_a_session_is_raised(given: ConnectorFacts, raises: list[Any]) -> None:
    assert kinds(None, station(connectors=(given,))) == raises


def test_a_charge_that_is_given_away_needs_nobody() -> None:
    given = station(connectors=(connector("Charging"),))
    assert kinds(Gathered(given_away=frozenset({(A, 1)})), given) == []


def test_one_connector_is_raised_once_although_transaction_and_status_say_the_same() -> None:
    unpaid = UnpaidCharge(A, 1, "7", ago(minutes=5), 900)
    given = station(connectors=(connector("Charging"),))
    assert kinds(Gathered(unpaid=(unpaid,)), given) == [("charging_without_session", True)]


@pytest.mark.parametrize(
    ("silent", "raises"),
    [
        (station(online=False, seen=ago(minutes=6)), [("station_offline", False)]),
        (station(online=False, seen=None), []),
        (station(online=False, seen=ago(minutes=6), admin_status="maintenance"), []),
        (station(), []),
    ],
    ids=["silent", "never heard", "closed by us", "online"],
)
def test_a_station_that_fell_silent_is_raised(silent: StationCells, raises: list[Any]) -> None:
    assert kinds(None, silent) == raises


def test_a_silent_station_is_urgent_while_a_charge_runs_there_or_another_one_of_its_location_is_silent() -> None:
    one = station(online=False, seen=ago(minutes=6))
    other = station(StationId("B"), online=False, seen=ago(minutes=9))
    elsewhere = station(StationId("C"), online=False, seen=ago(minutes=9), location="L2")
    assert kinds(Gathered(charges=(CHARGE,)), one) == [("station_offline", True)]
    assert kinds(None, one, other) == [("station_offline", True)] * 2
    assert kinds(None, one, elsewhere) == [("station_offline", False)] * 2


@pytest.mark.parametrize(
    ("given", "online", "raises"),
    [
        (connector("Faulted", "GroundFailure"), True, [("connector_faulted", False)]),
        (connector("Faulted"), True, [("connector_faulted", False)]),
        (connector("Available", "HighTemperature"), True, [("connector_faulted", False)]),
        (connector("Faulted", "GroundFailure", enabled=False), True, []),
        (connector("Faulted", "GroundFailure"), False, [("station_offline", False)]),
        (connector(), True, []),
    ],
    ids=str,
)
def test_a_fault_is_raised_in_the_words_of_the_station(given: ConnectorFacts, online: bool, raises: list[Any]) -> None:
    assert kinds(None, station(connectors=(given,), online=online)) == raises


@pytest.mark.parametrize("status", ["Available", "Charging", "Preparing", "Unavailable", "Faulted"])
@pytest.mark.parametrize("error", ["NoError", "HighTemperature"])
@pytest.mark.parametrize("online", [True, False])
@pytest.mark.parametrize("closed", [{}, {"admin_status": "maintenance"}])
def test_the_bar_counts_as_faulted_what_has_a_row_and_nothing_else(
    status: str, error: str, online: bool, closed: dict[str, Any]
) -> None:
    given = station(connectors=(connector(status, error), connector("Faulted", enabled=False)), online=online, **closed)
    rows = [kind for kind, _ in kinds(None, given) if kind == "connector_faulted"]
    assert faults(given) == len(rows)


@pytest.mark.parametrize(
    ("failed", "clients", "raises"),
    [(3, 2, [("starts_fail", True)]), (2, 2, []), (3, 1, []), (5, 5, [("starts_fail", True)])],
)
def test_starts_that_fail_for_several_clients_are_the_connectors_fault(
    failed: int, clients: int, raises: list[Any]
) -> None:
    starts = LastStarts(A, 1, 5, failed, clients, ago(minutes=40), "station_offline")
    assert kinds(Gathered(starts=(starts,))) == raises


@pytest.mark.parametrize(
    ("kind", "minutes", "raises"),
    [("parked", 0, ["payment_parked"]), ("refund", 60, []), ("refund", 61, ["refund_open"])],
)
def test_money_that_waits_is_raised(kind: str, minutes: int, raises: list[str]) -> None:
    waits = WaitingMoney(1, kind, "odengi", "42", 5000, ago(minutes=minutes), "why")
    assert [(each.kind.value, each.money_tyiyn) for each in found(Gathered(money=(waits,)))] == [
        (each, 5000) for each in raises
    ]


@pytest.mark.parametrize(("minutes", "raises"), [(10, []), (11, [("payments_undecided", False)])])
def test_a_provider_that_does_not_decide_is_raised(minutes: int, raises: list[Any]) -> None:
    assert kinds(Gathered(undecided=(Undecided("odengi", 3, 9000, ago(minutes=minutes), "tu_1"),))) == raises


@pytest.mark.parametrize("kind", ["report_parked", "doubt", "stranger_waits", "firmware_failed"])
def test_what_waits_for_a_decision_is_raised_at_once(kind: str) -> None:
    assert kinds(Gathered(waiting=(Waiting(kind, "1", A, NOON, "word"),))) == [(kind, False)]


@pytest.mark.parametrize(
    ("days", "raises"), [(30, []), (29.9, [("certificate_ends", False)]), (2.9, [("certificate_ends", True)])]
)
def test_a_certificate_is_raised_before_it_ends(days: float, raises: list[Any]) -> None:
    ends = Waiting("certificate_ends", A, A, ago(days=300), "", NOON + timedelta(days=days))
    assert kinds(Gathered(waiting=(ends,))) == raises


@pytest.mark.parametrize(("count", "raises"), [(1, []), (0, [("configuration", False)])])
def test_rows_that_cannot_be_right_are_raised(count: int, raises: list[Any]) -> None:
    assert kinds(None, station(connectors_count=count)) == raises


@pytest.mark.parametrize(("evses", "raises"), [([1], []), ([1, 2], [("configuration", False)])])
def test_an_inventory_that_disagrees_with_the_rows_is_raised(evses: list[int], raises: list[Any]) -> None:
    assert kinds(None, station(reported_evses=evses)) == raises


@pytest.mark.parametrize(("rows", "raises"), [(0, []), (2, [("ledger_finding", True)])])
def test_what_a_check_of_the_ledger_found_is_raised_until_one_finds_nothing(rows: int, raises: list[Any]) -> None:
    finding = LedgerFinding(rows, ("every entry sums to zero",) if rows else (), ago(hours=3))
    assert kinds(Gathered(finding=finding)) == raises


@pytest.mark.parametrize(
    ("facts", "raises"),
    [
        (BeneathFacts(), []),
        (BeneathFacts(journal_lag_s=5.0), []),
        (BeneathFacts(journal_lag_s=5.1), [("journal_lags", True)]),
        (BeneathFacts(free_bytes=1, short_since=NOON), [("disk_short", True)]),
        (BeneathFacts(providers={"odengi": ProviderState("up"), "obank": ProviderState("off")}), []),
        (BeneathFacts(providers={"odengi": ProviderState("failing", NOON, "timeout")}), [("provider_failing", False)]),
    ],
)
def test_what_the_process_stands_on_is_raised_while_it_is_so(facts: BeneathFacts, raises: list[Any]) -> None:
    assert [(each.kind.value, each.is_urgent) for each in of_beneath(facts, NOON)] == raises


@pytest.mark.parametrize(
    ("worth", "limit", "raises"),
    [(1000, 1000, []), (1001, 1000, [("given_away", False)]), (1, 0, [("given_away", False)])],
)
def test_a_station_that_gives_away_more_than_is_meant_is_raised_with_what_it_is_worth(
    worth: int, limit: int, raises: list[Any]
) -> None:
    rows = Gathered(gifts=(Gift(A, ago(hours=2), 3, 900, worth, limit),))
    assert kinds(rows, station()) == raises
    assert [(each.money_tyiyn, each.since) for each in found(rows, station())] == [(worth, ago(hours=2))] * len(raises)
    silent = station(online=False, seen=ago(minutes=6))
    (item,) = folded(found(rows, silent), {"L1": 1})
    assert (len(item.parts), item.money_tyiyn) == (1 + len(raises), worth * len(raises))


@pytest.mark.parametrize("kind", ["boot_loop", "wrong_clock"])
def test_a_station_that_ails_is_raised_while_it_does_folded_with_its_other_rows_and_not_when_it_is_none(
    kind: str,
) -> None:
    rows, silent = Gathered(ailing=(Ailing(kind, A, ago(hours=1), "3"),)), station(online=False, seen=ago(minutes=6))
    (one,) = found(rows, station())
    assert (one.kind.value, one.subject, one.since, one.location_id) == (kind, A, ago(hours=1), "L1")
    assert (one.is_urgent, one.facts) == (False, {"word": "3"})
    (item,) = folded(found(rows, silent), {"L1": 1})
    assert (item.key, {part.kind.value for part in item.parts}) == (f"station:{A}", {kind, "station_offline"})
    assert kinds(None, station()) == []
    assert kinds(rows, station(StationId("B"))) == []


def in_doubt(doubt: str) -> ConnectorFacts:
    return replace(connector("Available"), doubt=doubt, doubted_since=ago(hours=3), tried=20, worked=4)


@pytest.mark.parametrize(("doubt", "kind"), [("starts_fail", "connector_doubtful"), ("passed_over", "passed_over")])
def test_a_connector_in_doubt_is_raised_since_it_is_so_with_how_its_starts_went(doubt: str, kind: str) -> None:
    (one,) = found(None, station(connectors=(in_doubt(doubt),)))
    assert (one.kind.value, one.subject, one.since, one.is_urgent) == (kind, f"{A}/1", ago(hours=3), False)
    assert one.facts == {"connector": 1, "worked": 4, "tried": 20}


def test_a_doubt_about_a_connector_that_reports_its_fault_or_was_closed_is_no_row_of_its_own() -> None:
    faulted = replace(in_doubt("starts_fail"), ocpp_status="Faulted")
    closed = replace(in_doubt("starts_fail"), is_enabled=False)
    assert kinds(None, station(connectors=(closed,))) == []
    assert [kind for kind, _ in kinds(None, station(connectors=(faulted,)))] == ["connector_faulted"]


def test_a_condition_says_where_it_is() -> None:
    (one,) = found(None, station(online=False, seen=ago(minutes=6)))
    assert (one.location_id, one.location_name, one.station_id) == ("L1", "Location L1", A)


def test_every_kind_has_a_rule_that_raises_it() -> None:
    """A kind without one would be a text for nothing."""
    gathered = Gathered(
        charges=(
            replace(CHARGE, phase="ended", phase_at=ago(hours=1)),
            replace(CHARGE, phase="starting", phase_at=ago(hours=1)),
            replace(CHARGE, phase="stopping", phase_at=ago(hours=1)),
            replace(CHARGE, phase="settled", settled_at=ago(hours=1), awaits_stop=True, unbilled_wh=1),
        ),
        unpaid=(UnpaidCharge(A, 1, "7", ago(minutes=5), 900),),
        starts=(LastStarts(A, 1, 5, 3, 2, ago(minutes=40), "failed"),),
        money=tuple(WaitingMoney(1, kind, "odengi", "42", 1, ago(hours=2), "") for kind in ("parked", "refund")),
        undecided=(Undecided("odengi", 3, 9000, ago(hours=1), "tu_1"),),
        finding=LedgerFinding(1, ("x",), NOON),
        gifts=(Gift(A, NOON, 1, 900, 2, 1),),
        ailing=tuple(Ailing(kind, StationId("C"), NOON, "") for kind in ("boot_loop", "wrong_clock")),
        waiting=tuple(
            Waiting(kind, "1", A, NOON, "", NOON)
            for kind in ("report_parked", "doubt", "stranger_waits", "firmware_failed", "certificate_ends")
        ),
    )
    faulted = station(StationId("B"), connectors=(connector("Faulted"),), connectors_count=0)
    silent = station(StationId("C"), online=False, seen=ago(minutes=9))
    doubtful = station(StationId("D"), connectors=(in_doubt("starts_fail"), replace(in_doubt("passed_over"), number=2)))
    failing = BeneathFacts(6, 1, NOON, {"odengi": ProviderState("failing", NOON)})
    raised_now = [*found(gathered, faulted, silent, doubtful), *of_beneath(failing, NOON)]
    assert {each.kind for each in raised_now} == set(ConditionKind)
