"""A migrated database for each test, without making one each time: making one copies a thousand files.

Between tests the rows go and the sequences start anew. A test that changed the schema leaves a database nobody wants;
then the next one is made from the template.
"""

from __future__ import annotations

import os
from secrets import token_hex

import psycopg
from psycopg.conninfo import make_conninfo

#: The name of our own connection, for a test that counts connections.
CLEANER = "evpower tests: cleaner"
#: Anything that differs from a database that was only used. Object ids are never given twice.
FINGERPRINT = """
SELECT (SELECT sum(oid::bigint) FROM pg_class WHERE oid >= 16384), (SELECT count(*) FROM pg_attribute),
       (SELECT sum(oid::bigint) FROM pg_constraint),
       (SELECT string_agg(tgenabled::text, '' ORDER BY oid) FROM pg_trigger),
       (SELECT sum(oid::bigint) FROM pg_proc WHERE oid >= 16384), (SELECT sum(oid::bigint) FROM pg_namespace),
       (SELECT count(*) FROM pg_policy), (SELECT count(*) FROM pg_publication),
       (SELECT string_agg(checksum, ' ' ORDER BY version) FROM evpower.schema_migrations)
"""
END_OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
EMPTY = """
SET session_replication_role = replica;
DO $$
DECLARE
    name text;
    filled boolean;
BEGIN
    FOR name IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
                WHERE schemaname IN ('public', 'evpower') AND tablename <> 'schema_migrations' LOOP
        EXECUTE 'SELECT EXISTS (SELECT FROM ' || name || ')' INTO filled;
        IF filled THEN
            EXECUTE 'DELETE FROM ' || name;
        END IF;
    END LOOP;
    PERFORM setval(format('%I.%I', schemaname, sequencename), start_value, false) FROM pg_sequences;
END $$;
"""


class Databases:
    """Lends one database at a time, each like the template."""

    def __init__(self, server: str, template: str) -> None:
        self._server = server
        self._template = template
        self._name: str | None = None
        #: Open as long as the database is: it knows the tables, and cleans them eight times as fast as a new one.
        self._cleaner: psycopg.Connection[tuple[object, ...]] | None = None
        self._fingerprint: object = None

    def lend(self) -> str:
        """The conninfo of a database with our schema and no rows."""
        if self._name is None:
            # Of its own for each lender: a test of lenders must not take, nor drop, what the suite lends.
            name = f"evpower_test_{os.getpid()}_{token_hex(4)}"
            self._order(f"CREATE DATABASE {name} TEMPLATE {self._template} STRATEGY file_copy")
            self._name = name
            self._cleaner = psycopg.connect(self._url, autocommit=True, application_name=CLEANER)
            self._fingerprint = self._cleaner.execute(FINGERPRINT).fetchone()
        return self._url

    def take_back(self) -> None:
        """Clean what was lent, or drop it when it is no longer like the template."""
        assert self._cleaner is not None
        try:
            self._cleaner.execute(END_OTHERS)
            clean = self._cleaner.execute(FINGERPRINT).fetchone() == self._fingerprint
            if clean:
                self._cleaner.execute(EMPTY)
        except psycopg.Error:  # a role that may not do this, or a test that ended every connection: then a new one
            clean = False
        if not clean:
            self.close()

    def close(self) -> None:
        if self._cleaner is not None:
            self._cleaner.close()
            self._cleaner = None
        if self._name is not None:
            self._order(f"DROP DATABASE {self._name} WITH (FORCE)")
            self._name = None

    @property
    def _url(self) -> str:
        return make_conninfo(self._server, dbname=self._name)

    def _order(self, statement: str) -> None:
        with psycopg.connect(self._server, autocommit=True) as server:
            server.execute(statement.encode())
