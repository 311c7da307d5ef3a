"""The migrations together are the schema that is written down in `evpower/db/schema.sql`."""

from __future__ import annotations

from tests.db.schema_dump import EXPECTED, dump


def test_the_migrations_make_the_expected_schema(database_url: str) -> None:
    """After a wanted change: `make schema`, and review the difference."""
    assert dump(database_url) == EXPECTED.read_text()
