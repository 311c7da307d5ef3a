"""The doctor on the database and on Redis."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evpower.doctor.finding import sentence
from evpower.doctor.stores import DatabaseFacts, database, no_database, redis
from tests.doctor.english import english

FACTS = DatabaseFacts("evpower at db:5432", 17, 40 * 2**20, (), (), connections_max=100)


def test_a_database_that_is_right_is_named_with_its_version_and_size() -> None:
    (found,) = database(FACTS, 12, server_runs=True)
    assert (found.state, english(found.found)) == (
        "good",
        "evpower at db:5432, PostgreSQL 17, 40 MiB, schema up to date",
    )


@pytest.mark.parametrize(
    ("facts", "state", "words"),
    [
        (replace(FACTS, major=14), "wrong", "PostgreSQL 14"),
        (replace(FACTS, unknown=("0099_later",)), "wrong", "newer than this EvPower: 0099_later"),
        (replace(FACTS, pending=("a", "b", "c", "d", "e")), "warning", "5 migrations are not applied"),
        (replace(FACTS, connections_max=13), "wrong", "max_connections is 13"),
    ],
)
def test_what_is_wrong_with_a_database(facts: DatabaseFacts, state: str, words: str) -> None:
    (found,) = database(facts, 12, server_runs=True)
    assert (found.state, words in english(found.found), bool(found.do)) == (state, True, True)


def test_the_private_one_has_room_for_its_server_alone() -> None:
    facts = replace(FACTS, connections_max=13, is_private=True)
    assert [each.state for each in database(facts, 12, server_runs=False)] == ["good"]


def test_a_pending_schema_is_the_servers_when_one_runs() -> None:
    facts = replace(FACTS, pending=("0050_next",))
    assert [english(database(facts, 12, server_runs=runs)[0].do) for runs in (True, False)] == [
        "restart the server",
        "evpower migrate, or start the server",
    ]


@pytest.mark.parametrize(("is_set", "state"), [(True, "wrong"), (False, "unknown")])
def test_a_database_that_is_set_must_answer(is_set: bool, state: str) -> None:
    found = no_database(sentence("database.reason", reason="refused"), is_set=is_set)
    assert (found.state, english(found.found), bool(found.do)) == (state, "refused", True)


@pytest.mark.parametrize(
    ("is_set", "version", "error", "state"),
    [(False, "", "", "good"), (True, "8.1", "", "good"), (True, "", "Connection refused", "wrong")],
)
def test_redis(is_set: bool, version: str, error: str, state: str) -> None:
    found = redis(is_set, version, error)
    assert (found.state, error in english(found.found)) == (state, True)
