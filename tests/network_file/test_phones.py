"""A fleet file vouches for its clients' phones (docs/security.md, verified numbers)."""

from __future__ import annotations

import pytest

from evpower.db.pool import Pool
from tests.network_file.test_apply import imported, rows
from tests.worlds.by_hand import by_hand

PHONE, OTHER_PHONE = "+996555000001", "+996555000002"
ONE, TWO = f'[[clients]]\nid = "one"\nphone = "{PHONE}"\n', f'[[clients]]\nid = "two"\nphone = "{OTHER_PHONE}"\n'


@pytest.mark.parametrize("file", [ONE + TWO, TWO + ONE])
async def test_an_import_takes_a_number_that_another_wrote_also_one_of_the_same_file(pool: Pool, file: str) -> None:
    async with by_hand(pool) as conn:
        await conn.execute("INSERT INTO clients (id, phone) VALUES ('one', NULL), ('two', %s)", (PHONE,))
        await conn.execute("INSERT INTO evpower.unverified_phones VALUES ('two')")
    await imported(pool, file)
    phones = await rows(pool, "SELECT id, phone FROM clients ORDER BY id")
    assert phones == [{"id": "one", "phone": PHONE}, {"id": "two", "phone": OTHER_PHONE}]
    assert await rows(pool, "SELECT * FROM evpower.unverified_phones") == []
