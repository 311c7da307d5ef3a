"""What tests borrow is always like new, whatever the test before did to it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.worlds.databases import Databases


@pytest.fixture
def lender(postgres_server: str, template: str) -> Iterator[Databases]:
    lender = Databases(postgres_server, template)
    yield lender
    lender.close()


def used(lender: Databases, *statements: str) -> psycopg.Connection[tuple[int]]:
    """A database after one that was left like this; rolled back by the caller."""
    with psycopg.connect(lender.lend()) as conn:
        for statement in statements:
            conn.execute(statement.encode())
    lender.take_back()
    return psycopg.connect(lender.lend())


def test_rows_and_sequences_start_anew_even_where_nothing_may_be_deleted(lender: Databases) -> None:
    with used(
        lender,
        "INSERT INTO clients (id) VALUES ('c')",
        "INSERT INTO payment_transactions (client_id, type, amount, balance_before, balance_after) "
        "VALUES ('c', 'balance_topup', 1, 0, 1)",
    ) as conn:
        assert conn.execute("SELECT count(*) FROM clients").fetchone() == (0,)
        assert conn.execute("SELECT count(*) FROM payment_transactions").fetchone() == (0,)
        assert conn.execute("SELECT nextval('payment_transactions_id_seq')").fetchone() == (1,)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE forgotten (n int)",
        "ALTER TABLE clients ADD COLUMN forgotten int",
        "ALTER TABLE payment_transactions DROP CONSTRAINT payment_transactions_chain",
        "ALTER TABLE payment_transactions DISABLE TRIGGER append_only",
        "INSERT INTO evpower.schema_migrations VALUES (9999, 'newer', 'x', '2030-01-01Z')",
        "DROP FUNCTION evpower.write_statement CASCADE",
    ],
)
def test_a_changed_schema_is_not_lent_again(lender: Databases, change: str) -> None:
    first = lender.lend()
    with used(lender, change):
        assert lender.lend() != first


def test_a_connection_that_was_left_open_is_ended(lender: Databases) -> None:
    left = psycopg.connect(lender.lend())
    left.execute("LOCK TABLE clients")
    lender.take_back()
    with psycopg.connect(lender.lend()) as conn:
        conn.execute("INSERT INTO clients (id) VALUES ('c')")
    left.close()
