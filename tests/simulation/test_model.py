"""What the model of the truth makes of what happened."""

from __future__ import annotations

import logging
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from trio.testing import MockClock

from evpower.errors import DatabaseUnavailable
from evpower.simulator.providers.odengi.invoices import Attempt, Invoice
from evpower.simulator.station.connector import SimulatedConnector, Transaction
from evpower.simulator.station.power import Register
from tests.simulation.aftermath import paid_tyiyn
from tests.simulation.phones import Acknowledged, Kept
from tests.simulation.plan import draw
from tests.simulation.reservation_truth import used_by, wrong
from tests.simulation.tariffs import TARIFFS
from tests.simulation.truth import PhysicalCharge, Truth, WitnessedConnector
from tests.simulation.world import BEGINS_AT, Errors

PLAN = replace(draw(1, 1.0).stations[0], ocpp="1.6")


def charge(began_at: float, told: int | None) -> PhysicalCharge:
    return PhysicalCharge(PLAN, "CARD", 500, began_at, Transaction(1, "CARD", 500, BEGINS_AT, told))


@pytest.mark.parametrize("wire_id", ["2", "3"])
def test_of_two_charges_at_one_register_it_is_the_one_whose_station_was_told_the_id(wire_id: str) -> None:
    """Both starts came late, out of one queue: by time each row would be about the second (seed 200)."""
    truth = Truth([charge(150.0, 2), charge(260.0, 3)])
    found = truth.behind(PLAN.station_id, "CARD", 500, wire_id, about_s=842.0)
    assert found is not None
    assert str(found.record.transaction_id) == wire_id


def test_where_no_station_was_told_the_id_it_is_the_nearest() -> None:
    truth = Truth([charge(150.0, None), charge(260.0, None)])
    assert truth.behind(PLAN.station_id, "CARD", 500, "2", about_s=160.0) is truth.charges[0]


def test_a_row_of_another_register_is_about_none() -> None:
    truth = Truth([charge(150.0, 2)])
    assert truth.behind(PLAN.station_id, "CARD", 501, "2", about_s=150.0) is None


@pytest.mark.parametrize(
    ("credited", "expected"),
    [
        pytest.param({"1", "2"}, (62400, 62400), id="both were credited before a part went back"),
        pytest.param({"2"}, (52000, 62400), id="a part had gone back before we heard of it (seed 1004)"),
        pytest.param(set[str](), (52000, 62400), id="none was credited"),
    ],
)
def test_each_payment_is_credited_whole_or_parked_with_what_is_left_of_it(
    credited: set[str], expected: tuple[int, int]
) -> None:
    attempts = [
        Attempt("1", "p1", "approved", 31200, "KGS", BEGINS_AT, returned_tyiyn=10400),
        Attempt("2", "p2", "approved", 31200, "KGS", BEGINS_AT),
        Attempt("3", "p3", "declined", 31200, "KGS", BEGINS_AT),
    ]
    invoice = Invoice("1", "tu_1", 31200, "", False, None, BEGINS_AT, None, attempts=attempts)
    assert paid_tyiyn(invoice, credited) == expected


async def test_a_charge_that_ends_in_the_moment_in_which_it_begins_happened(autojump_clock: MockClock) -> None:
    """Plug and cable within one turn of the loop (seed 1022)."""
    truth = Truth()
    plain = SimulatedConnector(1, PLAN.power_w, 1.0, Register(500))
    connector = WitnessedConnector(plain, PLAN, truth, lambda: True)
    connector.begin(Transaction(1, "CARD", 500, BEGINS_AT))
    connector.finish()
    assert [(one.start_wh, one.stop_wh, one.flowed_wh) for one in truth.charges] == [(500, 500, 0)]


def test_a_kept_connector_is_used_by_the_visit_that_began_the_charge_and_not_by_the_first_that_came() -> None:
    """Its time had passed, and nobody had written that down yet (seed 1389)."""
    kept = Kept("r", minutes=15, asked_at=100.0, answered_at=100.0, came_at=350.0)
    acknowledged = Acknowledged(start_asked_at={"s": 1010.0})
    row = {"status": "fulfilled", "session_id": "s", "hold_tyiyn": 4500, "returned_at": None, "fee_tyiyn": 1500}
    tariff = next(each for each in TARIFFS if each.name == "fee")
    assert list(wrong(row, kept, tariff)) == ["costs 1500"]
    assert list(wrong(row, used_by("s", kept, acknowledged), tariff)) == []


@pytest.mark.parametrize(("troubled", "unexplained"), [(True, 0), (False, 1)])
def test_a_line_that_names_its_error_without_a_traceback_is_explained_by_a_death(
    troubled: bool, unexplained: int
) -> None:
    trace = SimpleNamespace(note=lambda *_: None)
    engine: Any = SimpleNamespace(is_troubled=troubled, trace=trace)
    errors = Errors(engine)
    line = ("Database unavailable: %s", (DatabaseUnavailable(),))
    errors.handle(logging.LogRecord("evpower.http", logging.ERROR, "", 1, *line, None))
    assert sum(errors.seen.values()) == unexplained
