"""Which conditions are raised: pure functions of rows and of the moment (contract/operator-pages §3.1).

A condition whose row is gone, or no longer so, is simply not raised any more: that is how it is withdrawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from evpower.attention.beneath import BeneathFacts
from evpower.attention.cells import TAKING, CellKind, ConnectorFacts, StationCells
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
from evpower.identifiers import StationId
from evpower.network.listing import configuration_warnings

SETTLED_WITHIN = timedelta(seconds=60)
STARTS_WITHIN = timedelta(seconds=90)
STOPS_WITHIN = timedelta(seconds=30)
UNPAID_FOR = timedelta(minutes=2)
#: A true stop corrects an estimate so long after the settlement (charging/settler.py `TAKES_MORE_WITHIN`).
STOP_AWAITED_FOR = timedelta(hours=24)
STOP_AWAITED_URGENT = timedelta(hours=2)
UNBILLED_SHOWN_FOR = timedelta(hours=24)
#: Of the last five starts at a connector, within two hours, of more than one client.
FAILED_STARTS, CLIENTS = 3, 2
JOURNAL_LAGS_S = 5.0
REFUND_OPEN_FOR = timedelta(hours=1)
UNDECIDED_FOR = timedelta(minutes=10)
CERTIFICATE_ENDS_WITHIN = timedelta(days=30)
CERTIFICATE_URGENT_WITHIN = timedelta(days=3)
OFFLINE_TOGETHER = 2


def may_need_a_person(station: StationCells) -> bool:
    """Whether `of_stations` could raise anything of a station: the others need no look each time."""
    return (
        _is_silent(station)
        or bool(_warnings(station))
        or any(cell.has_fault or cell.is_doubtful for cell in station.cells)
        or any(
            cell.ocpp_status in TAKING and not connector.busy
            for cell, connector in zip(station.cells, station.facts.connectors, strict=True)
        )
    )


def raised(
    rows: Gathered, suspects: Iterable[StationCells], known: Mapping[StationId, StationCells], now: datetime
) -> list[Condition]:
    """Every condition of this moment, in no order; `suspects` are the stations that `may_need_a_person`."""
    found = [
        *of_charges(rows.charges, now),
        *of_unpaid(rows.unpaid, now),
        *of_starts(rows.starts),
        *of_money(rows.money, now),
        *of_undecided(rows.undecided, now),
        *of_waiting(rows.waiting, now),
        *of_ledger(rows.finding),
        *of_ailing(rows.ailing, known),
        *of_gifts(rows.gifts),
        *of_stations(suspects, rows, now),
    ]
    return [_placed(each, known) for each in found]


def of_charges(charges: Iterable[OpenCharge], now: datetime) -> Iterator[Condition]:
    """Late settlements, hanging starts and stops, estimates that await a true stop, energy nobody pays for."""
    for each in charges:
        age = now - each.phase_at
        if each.phase == "ended" and age > SETTLED_WITHIN:
            yield _of_charge(ConditionKind.SETTLEMENT_LATE, each, each.phase_at, each.held_tyiyn, is_urgent=True)
        if each.phase == "starting" and age > STARTS_WITHIN:
            yield _of_charge(ConditionKind.START_HANGS, each, each.phase_at, each.held_tyiyn)
        if each.phase == "stopping" and age > STOPS_WITHIN:
            yield _of_charge(ConditionKind.STOP_HANGS, each, each.phase_at, each.held_tyiyn, is_urgent=True)
        if each.settled_at is not None and each.awaits_stop:
            left = each.settled_at + STOP_AWAITED_FOR - now
            if left > timedelta():
                urgent = left <= STOP_AWAITED_URGENT
                yield _of_charge(ConditionKind.STOP_AWAITED, each, each.settled_at, each.amount_tyiyn, is_urgent=urgent)
        if each.unbilled_wh > 0 and each.settled_at is not None and now - each.settled_at < UNBILLED_SHOWN_FOR:
            yield _of_charge(ConditionKind.UNBILLED_ENERGY, each, each.settled_at, each.unbilled_tyiyn)


def _of_charge(
    kind: ConditionKind, charge: OpenCharge, since: datetime, money_tyiyn: int, *, is_urgent: bool = False
) -> Condition:
    facts: dict[str, str | int] = {"connector": charge.connector_id, "session": charge.session_id[:8]}
    if kind is ConditionKind.UNBILLED_ENERGY:
        facts["energy_wh"] = charge.unbilled_wh
    return Condition(
        kind,
        charge.session_id,
        since,
        is_urgent,
        money_tyiyn,
        charge.station_id,
        session_id=charge.session_id,
        facts=facts,
    )


def of_unpaid(unpaid: Iterable[UnpaidCharge], now: datetime) -> Iterator[Condition]:
    """A transaction that goes on after its session was settled, or whose start was refused."""
    for each in unpaid:
        if now - each.since > UNPAID_FOR:
            facts: dict[str, str | int] = {
                "connector": each.connector_id,
                "energy_wh": each.energy_wh,
                "transaction": each.transaction_id,
            }
            subject = f"{each.station_id}/{each.connector_id}"
            kind = ConditionKind.CHARGING_WITHOUT_SESSION
            yield Condition(kind, subject, each.since, True, station_id=each.station_id, facts=facts)


def of_starts(starts: Iterable[LastStarts]) -> Iterator[Condition]:
    """A connector that reports Available and at which starts fail: it is not one client who does something wrong."""
    for each in starts:
        if each.failed >= FAILED_STARTS and each.clients >= CLIENTS:
            facts: dict[str, str | int] = {
                "connector": each.connector_id,
                "failed": each.failed,
                "tried": each.tried,
                "word": each.word,
            }
            subject = f"{each.station_id}/{each.connector_id}"
            kind = ConditionKind.STARTS_FAIL
            yield Condition(kind, subject, each.first_failed_at, True, station_id=each.station_id, facts=facts)


def of_money(money: Iterable[WaitingMoney], now: datetime) -> Iterator[Condition]:
    """Parked payments at once; refunds that a provider has not made within an hour."""
    for each in money:
        is_refund = each.kind == "refund"
        if is_refund and now - each.since <= REFUND_OPEN_FOR:
            continue
        kind = ConditionKind.REFUND_OPEN if is_refund else ConditionKind.PAYMENT_PARKED
        facts: dict[str, str | int] = {"provider": each.provider, "order": each.order_id, "reason": each.reason}
        yield Condition(kind, str(each.id), each.since, False, each.amount_tyiyn, facts=facts)


def of_undecided(undecided: Iterable[Undecided], now: datetime) -> Iterator[Condition]:
    """A provider that has not decided a top-up for ten minutes: the one that waits longest."""
    for each in undecided:
        if now - each.oldest_at > UNDECIDED_FOR:
            facts: dict[str, str | int] = {"provider": each.provider, "count": each.count, "order": each.oldest_order}
            kind = ConditionKind.PAYMENTS_UNDECIDED
            yield Condition(kind, each.provider, each.oldest_at, False, each.amount_tyiyn, facts=facts)


def of_waiting(waiting: Iterable[Waiting], now: datetime) -> Iterator[Condition]:
    """What waits for a decision: parked reports, doubts, strangers, certificates that end, firmware that failed."""
    for each in waiting:
        kind, is_urgent = ConditionKind(each.kind), False
        facts: dict[str, str | int] = {"word": each.word, "name": each.subject}
        if each.until is not None:
            left = each.until - now
            if left >= CERTIFICATE_ENDS_WITHIN:
                continue
            is_urgent = left < CERTIFICATE_URGENT_WITHIN
            facts["days"] = max(0, left.days)
        yield Condition(kind, each.subject, each.since, is_urgent, station_id=each.station_id, facts=facts)


def of_ledger(finding: LedgerFinding | None) -> Iterator[Condition]:
    """The last check of the ledger found broken rows; the next one that finds none withdraws it."""
    if finding is not None and finding.rows > 0:
        facts: dict[str, str | int] = {"count": finding.rows, "word": "; ".join(finding.invariants)}
        yield Condition(ConditionKind.LEDGER_FINDING, "ledger", finding.since, True, facts=facts)


def of_ailing(ailing: Iterable[Ailing], known: Mapping[StationId, StationCells]) -> Iterator[Condition]:
    """A station that boots whenever it is configured, or whose clock is wrong; one that is none of ours is no row."""
    for each in ailing:
        if each.station_id in known:
            kind, facts = ConditionKind(each.kind), {"word": each.word}
            yield Condition(kind, each.station_id, each.since, station_id=each.station_id, facts=facts)


def of_gifts(gifts: Iterable[Gift]) -> Iterator[Condition]:
    """A station that gave away more in a day than is meant to be (setting `operator.given_away_limit_som`)."""
    for each in gifts:
        if each.worth_tyiyn > each.limit_tyiyn:
            facts: dict[str, str | int] = {"energy_wh": each.energy_wh, "count": each.charges}
            kind, money = ConditionKind.GIVEN_AWAY, each.worth_tyiyn
            yield Condition(kind, each.station_id, each.since, False, money, each.station_id, facts=facts)


def of_beneath(beneath: BeneathFacts, now: datetime) -> Iterator[Condition]:
    """A disk that fills, a journal whose oldest report waits too long, a provider that does not answer us."""
    if beneath.short_since is not None:
        facts: dict[str, str | int] = {"free_mib": beneath.free_bytes // 2**20}
        yield Condition(ConditionKind.DISK_SHORT, "disk", beneath.short_since, True, facts=facts)
    if beneath.journal_lag_s > JOURNAL_LAGS_S:
        since = now - timedelta(seconds=beneath.journal_lag_s)
        yield Condition(ConditionKind.JOURNAL_LAGS, "journal", since, True)
    for provider, state in (beneath.providers or {}).items():
        if state.status == "failing":
            facts = {"provider": provider, "reason": state.last_error or ""}
            yield Condition(ConditionKind.PROVIDER_FAILING, provider, state.failing_since or now, facts=facts)


def of_stations(stations: Iterable[StationCells], rows: Gathered, now: datetime) -> Iterator[Condition]:
    """Stations that fell silent, connectors that report a fault or a charge nobody pays for, rows that cannot be."""
    stations = list(stations)
    silent_at = Counter(each.facts.location_id for each in stations if _is_silent(each))
    charging = {each.station_id for each in rows.charges if each.phase in ("starting", "charging", "stopping")}
    for each in stations:
        facts = each.facts
        if _is_silent(each) and facts.last_seen_at is not None:
            urgent = facts.id in charging or silent_at[facts.location_id] >= OFFLINE_TOGETHER
            kind = ConditionKind.STATION_OFFLINE
            yield Condition(kind, facts.id, facts.last_seen_at, urgent, station_id=facts.id)
        elif each.is_online and facts.admin_status == "active":
            yield from _of_connectors(each, rows, now)
        if warnings := _warnings(each):
            kind, since = ConditionKind.CONFIGURATION, facts.last_seen_at or now
            yield Condition(kind, facts.id, since, station_id=facts.id, facts={"word": "; ".join(warnings)})


def _warnings(station: StationCells) -> list[str]:
    facts = station.facts
    numbers = [cell.number for cell in station.cells]
    return configuration_warnings(facts.connectors_count, numbers, facts.reported_evses, facts.configured_evses)


def _is_silent(station: StationCells) -> bool:
    facts = station.facts
    return not station.is_online and facts.admin_status == "active" and facts.last_seen_at is not None


def _of_connectors(station: StationCells, rows: Gathered, now: datetime) -> Iterator[Condition]:
    known = {(each.station_id, each.connector_id) for each in rows.unpaid}
    for cell, connector in zip(station.cells, station.facts.connectors, strict=True):
        subject, since = f"{station.facts.id}/{cell.number}", cell.since or now
        where = (station.facts.id, cell.number)
        if cell.has_fault:
            word = cell.error_code if cell.error_code != "NoError" else cell.ocpp_status
            named = f"{word} ({connector.maker})" if connector.maker else word
            facts: dict[str, str | int] = {"connector": cell.number, "word": named}
            kind = ConditionKind.CONNECTOR_FAULTED
            yield Condition(kind, subject, since, station_id=station.facts.id, facts=facts)
        if cell.is_doubtful and cell.kind not in (CellKind.FAULTED, CellKind.CLOSED):
            yield _doubtful(station, connector, now)
        is_unpaid = cell.ocpp_status in TAKING and not connector.busy and where not in rows.given_away | known
        if is_unpaid and now - since > UNPAID_FOR:
            kind = ConditionKind.CHARGING_WITHOUT_SESSION
            facts = {"connector": cell.number, "energy_wh": 0}
            yield Condition(kind, subject, since, True, station_id=station.facts.id, facts=facts)


def _doubtful(station: StationCells, connector: ConnectorFacts, now: datetime) -> Condition:
    """A connector that reports Available and is in doubt (health/)."""
    kind = ConditionKind.PASSED_OVER if connector.doubt == "passed_over" else ConditionKind.CONNECTOR_DOUBTFUL
    facts: dict[str, str | int] = {
        "connector": connector.number,
        "worked": connector.worked,
        "tried": connector.tried,
    }
    subject, since = f"{station.facts.id}/{connector.number}", connector.doubted_since or now
    return Condition(kind, subject, since, station_id=station.facts.id, facts=facts)


def _placed(condition: Condition, known: Mapping[StationId, StationCells]) -> Condition:
    station = known.get(condition.station_id) if condition.station_id is not None else None
    if station is None:
        return condition
    return replace(condition, location_id=station.facts.location_id, location_name=station.facts.location_name)
