"""A write stands in a unit of work; a connection that is lent for reading refuses one."""

from __future__ import annotations

import psycopg
import pytest

from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work

INSERT_CLIENT = "INSERT INTO clients (id) VALUES ('c')"


async def test_a_write_under_reading_is_refused(pool: Pool) -> None:
    async with reading(pool) as conn:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            await conn.execute(INSERT_CLIENT)


async def test_reading_refuses_a_write_on_a_connection_that_has_written(pool: Pool) -> None:
    async with unit_of_work(pool) as uow:
        await uow.conn.execute(INSERT_CLIENT)
        written_by = uow.conn
    async with reading(pool) as conn:
        assert conn is written_by
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            await conn.execute("DELETE FROM clients")
