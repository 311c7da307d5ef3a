"""Which database it is, in words for people: nobody should have to guess what a command opened."""

from __future__ import annotations

from pathlib import Path

from psycopg.conninfo import conninfo_to_dict


def described(url: str, private: Path) -> str:
    """`evpower at 127.0.0.1:5432 as evpower`, or the private PostgreSQL and its directory when `url` is empty.

    What the URL leaves out is libpq's choice and is left out here too; a password never is in it.
    """
    if not url:
        return f"the private PostgreSQL in {private.resolve()}"
    parts = conninfo_to_dict(url)
    name, host, port, user = (str(parts.get(each) or "") for each in ("dbname", "host", "port", "user"))
    place = host if not port else f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"{name or 'the default database'} at {place or 'the default host'}{f' as {user}' if user else ''}"


def is_made(private: Path) -> bool:
    """Whether a private PostgreSQL was made there. Raises OSError when that cannot be seen."""
    return (private / "PG_VERSION").exists()
