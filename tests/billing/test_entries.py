"""The ledger's entries without a database: whose money moves where, under which key and which words."""

from __future__ import annotations

import pytest

from evpower.billing.ledger import (
    Entry,
    correction_entry,
    merge_entries,
    pay_out_entry,
    refund_end_entry,
    reservation_hold_entry,
    reserve_entry,
    settle_entry,
)
from evpower.billing.settlement import Correction, Settlement, settle
from evpower.identifiers import ClientId, SessionId

SESSION, CLIENT, OTHER = SessionId("s"), ClientId("c"), ClientId("d")


def moved(entry: Entry) -> list[tuple[str, int, str | None]]:
    assert sum(posting.amount_tyiyn for posting in entry.postings) == 0
    return [(posting.account, posting.amount_tyiyn, posting.statement_type) for posting in entry.postings]


def bill(cost_tyiyn: int, balance_tyiyn: int = 0) -> Settlement:
    """Of a charge that held 100 som."""
    return settle(reserved_tyiyn=100_00, cost_tyiyn=cost_tyiyn, balance_tyiyn=balance_tyiyn)


def settled(cost_tyiyn: int, balance_tyiyn: int = 0) -> Entry:
    return settle_entry(SESSION, CLIENT, 100_00, bill(cost_tyiyn, balance_tyiyn), "test")


@pytest.mark.parametrize("again", [False, True])
def test_a_hold_and_its_end_have_one_key_each_and_the_second_hold_others(again: bool) -> None:
    suffix = ":again" if again else ""
    assert reserve_entry(SESSION, CLIENT, 100_00, "test", again=again).key == f"reserve:s{suffix}"
    assert settle_entry(SESSION, CLIENT, 100_00, bill(0), "test", again=again).key == f"settle:s{suffix}"


def test_the_last_tyiyn_of_a_hold_goes_back_as_a_refund() -> None:
    entry = settled(99_99)
    assert moved(entry) == [("held", -100_00, None), ("revenue", 99_99, None), ("client", 1, "charge_refund")]
    assert entry.description == "Возврат неиспользованного резерва"


def test_a_cost_beyond_the_hold_is_paid_and_what_is_not_there_is_owed() -> None:
    entry = settled(150_00, balance_tyiyn=30_00)
    assert moved(entry) == [
        ("held", -100_00, None),
        ("revenue", 150_00, None),
        ("client", -30_00, "charge_payment"),
        ("receivable", -20_00, None),
    ]
    assert entry.description == "Оплата зарядки сверх резерва"


def test_a_cost_that_is_the_hold_moves_nothing_of_the_clients() -> None:
    assert moved(settled(100_00)) == [("held", -100_00, None), ("revenue", 100_00, None)]


@pytest.mark.parametrize(
    ("correction", "client", "key"),
    [
        (Correction(99_99, refund_tyiyn=1), ("client", 1, "charge_refund"), None),
        (Correction(100_01, additional_tyiyn=1), ("client", -1, "charge_payment"), 7),
    ],
)
def test_a_correction_is_a_refund_or_a_payment_once_for_a_charge_and_for_each_doubt(
    correction: Correction, client: tuple[str, int, str], key: int | None
) -> None:
    entry = correction_entry(SESSION, CLIENT, correction, "test", key)
    assert entry is not None
    assert moved(entry) == [("revenue", -client[1], None), client]
    assert entry.key == ("correction:s" if key is None else "correction:s:doubt:7")


@pytest.mark.parametrize(
    ("happened", "back", "description"),
    [
        (True, ("provider:ODENGI", 40_00, None), "Возврат выполнен"),
        (False, ("client", 40_00, "topup_refund"), "Возврат не выполнен"),
    ],
)
def test_a_refund_ends_once_at_the_provider_or_with_the_client(
    happened: bool, back: tuple[str, int, str | None], description: str
) -> None:
    entry = refund_end_entry(CLIENT, 1, 2, "ODENGI", 40_00, "test", happened=happened)
    assert (entry.key, moved(entry), entry.description) == (
        "topup_refund_end:2",
        [("held", -40_00, None), back],
        description,
    )


def test_what_an_extension_of_a_reservation_holds_is_another_entry() -> None:
    keys = [
        reservation_hold_entry("r", CLIENT, 5_00, "test", is_extension=is_extension).key
        for is_extension in (False, True)
    ]
    assert keys == ["reservation_hold:r", "reservation_hold:r:extension"]


def test_a_balance_that_is_paid_out_leaves_by_the_bank() -> None:
    entry = pay_out_entry(CLIENT, 12_34, "k", "закрыт", "ann")
    assert moved(entry) == [("client", -12_34, "admin_adjustment"), ("bank", 12_34, None)]
    assert (entry.key, entry.description) == ("k", "Выплата остатка: закрыт")


def test_balance_and_debt_of_a_merged_client_become_the_others() -> None:
    money, debt = merge_entries(CLIENT, OTHER, 10_00, 3_00, "двойник", "ann")
    assert [(posting.client_id, posting.amount_tyiyn) for posting in money.postings] == [("c", -10_00), ("d", 10_00)]
    assert [(posting.client_id, posting.amount_tyiyn) for posting in debt.postings] == [("c", 3_00), ("d", -3_00)]
    assert (money.key, debt.key) == ("client_merge:c", "client_merge:c:debt")
