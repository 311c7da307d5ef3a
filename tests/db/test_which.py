"""Which database a command opened, in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from evpower.db.which import described


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://evp:hunter2@db.example:6432/network", "network at db.example:6432 as evp"),
        ("postgresql://evp@[::1]:5432/network", "network at [::1]:5432 as evp"),
        ("postgresql:///network?host=/run/postgresql", "network at /run/postgresql"),
        ("postgresql://", "the default database at the default host"),
        ("", "the private PostgreSQL in /var/lib/evpower/postgres"),
    ],
)
def test_a_database_has_its_name_its_place_and_never_its_password(url: str, words: str) -> None:
    assert described(url, Path("/var/lib/evpower/postgres")) == words
