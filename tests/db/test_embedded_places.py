"""The private PostgreSQL wherever its data lies and whoever we are: what it needs is not more than we were given."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
import trio

from evpower.db import embedded
from evpower.db.embedded import embedded_postgres
from evpower.errors import DatabaseUnavailable

pytestmark = pytest.mark.external
SOON_S = 60.0
UNSAFE = {"fsync": "off", "shared_buffers": "16MB"}
IS_ROOT = os.getuid() == 0

#: A server as an ordinary user. What is needed is imported first: the interpreter may lie in root's closed home.
#: Arguments: directory, user, group, where the binaries are for that user.
AS_ANYBODY = """
import os, sys, trio, psycopg, encodings.idna
from importlib import metadata, resources, util
from pathlib import Path
from evpower.db import embedded
user, group = int(sys.argv[2]), int(sys.argv[3])
if os.getuid() != user:
    os.setgroups([]), os.setgid(group), os.setuid(user)
embedded.binary_directory = lambda: Path(sys.argv[4])
async def serve():
    async with embedded.embedded_postgres(Path(sys.argv[1]), fsync="off", shared_buffers="16MB") as conninfo:
        with psycopg.connect(conninfo) as conn:
            print(conn.execute("SELECT 'works'").fetchone()[0], flush=True)
trio.run(serve)
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory anybody may enter, not below pytest's own."""
    with TemporaryDirectory(prefix="evpower-") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


def ask(conninfo: str, query: str) -> object:
    with psycopg.connect(conninfo, autocommit=True) as conn:
        cursor = conn.execute(query.encode())
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


async def serve_once(data: Path, query: str) -> object:
    with trio.fail_after(SOON_S):
        async with embedded_postgres(data, **UNSAFE) as conninfo:
            return await trio.to_thread.run_sync(ask, conninfo, query)


async def test_it_answers_in_utc_and_listens_on_no_network(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Operators' own psql, on a machine in Bishkek."""
    monkeypatch.setenv("TZ", "Asia/Bishkek")
    settings = "current_setting('timezone') || '/' || current_setting('listen_addresses')"
    assert await serve_once(place / "data", f"SELECT {settings}") == "UTC/"


async def test_a_directory_only_we_may_enter_is_no_obstacle(place: Path) -> None:
    """As root the server runs as an account of its own, and state lies where that may not enter."""
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    await serve_once(closed / "data", "CREATE TABLE kept AS SELECT 42 AS n")
    assert await serve_once(closed / "data", "SELECT n FROM kept") == 42
    assert not (closed / "data").is_symlink()


async def test_data_that_an_earlier_version_moved_away_is_found(place: Path) -> None:
    """It left a link where nobody could reach the data."""
    await serve_once(place / "moved", "CREATE TABLE kept AS SELECT 42 AS n")
    (place / "data").symlink_to(place / "moved")
    assert await serve_once(place / "data", "SELECT n FROM kept") == 42


async def test_a_directory_with_something_else_in_it_is_refused_and_left_alone(place: Path) -> None:
    (place / "data").mkdir()
    (place / "data" / "something else").touch()
    with pytest.raises(DatabaseUnavailable, match=str(place / "data")):
        await serve_once(place / "data", "SELECT 1")
    assert (place / "data" / "something else").exists()


async def test_an_ordinary_user_is_enough(place: Path) -> None:
    """As root: as `nobody`, in a directory of its own. Otherwise: as whoever we are."""
    binaries, user = embedded.binary_directory(), pwd.getpwuid(os.getuid())
    if IS_ROOT:
        user = pwd.getpwnam("nobody")
        binaries = embedded.runnable(binaries, {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []})
        os.chown(place, user.pw_uid, user.pw_gid)
    arguments = [str(place / "data"), str(user.pw_uid), str(user.pw_gid), str(binaries)]
    with trio.fail_after(SOON_S):
        done = await trio.run_process([sys.executable, "-c", AS_ANYBODY, *arguments], capture_stdout=True)
    assert done.stdout == b"works\n"
