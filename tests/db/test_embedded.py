"""The private PostgreSQL: it starts, keeps its data, dies with us however we die, and serves one EvPower at a time."""

from __future__ import annotations

import os
import pwd
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
import trio

from evpower.db.embedded import embedded_postgres
from evpower.db.private import postgres_account
from evpower.db.private.data_directory import clear_stale_pid_file
from evpower.db.private.postgres_account import ACCOUNT
from evpower.errors import DatabaseUnavailable

pytestmark = pytest.mark.external
#: Includes making a cluster on a busy machine.
SOON_S = 60.0
UNSAFE = {"fsync": "off", "shared_buffers": "16MB"}

SERVE = """
import sys, trio
from pathlib import Path
from evpower.db.embedded import embedded_postgres

async def serve():
    async with embedded_postgres(Path(sys.argv[1]), fsync="off", shared_buffers="16MB") as conninfo:
        print(conninfo, flush=True)
        await trio.sleep_forever()

trio.run(serve)
"""

#: Who it is changes once all is imported: `nobody` may not read our interpreter. Arguments: user, conninfo.
AS_ANOTHER = """
import os, sys
from pathlib import Path
from psycopg import pq
os.setgroups([]); os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
print(pq.PGconn.connect(sys.argv[2].encode()).error_message.decode())
for environment in Path("/proc").glob("[0-9]*/environ"):
    try:
        print(environment.read_bytes())
    except OSError:
        pass
"""


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A directory for us alone, with a path that is short enough for a socket."""
    with TemporaryDirectory(prefix="evpower-") as directory:
        yield Path(directory)


@pytest.fixture(scope="module")
def data_dir(place: Path) -> Path:
    """One cluster for this file: making one takes longer than all else."""
    return place / "data"


@asynccontextmanager
async def running(data_dir: Path) -> AsyncIterator[str]:
    with trio.fail_after(SOON_S):
        async with embedded_postgres(data_dir, **UNSAFE) as conninfo:
            yield conninfo


@pytest.fixture
def other_evpower(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that serves the directory, and its conninfo."""
    command = [sys.executable, "-c", SERVE, str(data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
        process.kill()


@pytest.fixture
def stranger() -> Iterator[int]:
    """The pid of a process that has nothing to do with us."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process.pid
        process.kill()


def write(conninfo: str, statement: str) -> None:
    with psycopg.connect(conninfo) as conn:
        conn.execute(statement.encode())


def read_words(conninfo: str) -> list[str]:
    with psycopg.connect(conninfo) as conn:
        return [word for (word,) in conn.execute("SELECT word FROM kept ORDER BY word")]


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postmaster.pid").read_text().split("\n", 1)[0])


def wait_until_dead(child: int) -> None:
    """Wait for a child to die without collecting it."""
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)


async def wait_until_gone(pid: int) -> None:
    with trio.fail_after(SOON_S):
        while Path(f"/proc/{pid}").exists():  # noqa: ASYNC110 - another process has no event to wait for
            await trio.sleep(0.01)


async def test_it_keeps_its_data_over_a_restart(data_dir: Path) -> None:
    async with running(data_dir) as conninfo:
        write(conninfo, "CREATE TABLE kept (word text)")
        write(conninfo, "INSERT INTO kept VALUES ('stopped')")
    async with running(data_dir) as conninfo:
        assert read_words(conninfo) == ["stopped"]
        write(conninfo, "DROP TABLE kept")


async def test_it_is_down_when_the_block_is_left(data_dir: Path) -> None:
    async with running(data_dir):
        pid = postmaster(data_dir)
    assert not Path(f"/proc/{pid}").exists()


async def test_it_dies_with_us_even_by_sigkill(
    data_dir: Path, other_evpower: tuple[subprocess.Popen[str], str]
) -> None:
    process, _ = other_evpower
    pid = postmaster(data_dir)
    process.send_signal(signal.SIGKILL)
    await wait_until_gone(pid)


async def test_a_restart_right_after_sigkill_waits_for_the_old_server_and_finds_what_was_committed(
    data_dir: Path, other_evpower: tuple[subprocess.Popen[str], str]
) -> None:
    """Nobody has collected the killed process yet, nor has its server gone down: neither may look like a twin."""
    process, conninfo = other_evpower
    write(conninfo, "CREATE TABLE kept (word text)")
    write(conninfo, "INSERT INTO kept VALUES ('committed')")
    process.send_signal(signal.SIGKILL)
    wait_until_dead(process.pid)
    async with running(data_dir) as conninfo:
        assert read_words(conninfo) == ["committed"]
        write(conninfo, "DROP TABLE kept")


async def test_a_twin_is_refused_at_once(data_dir: Path, other_evpower: tuple[subprocess.Popen[str], str]) -> None:
    _, conninfo = other_evpower
    with trio.fail_after(1), pytest.raises(DatabaseUnavailable, match="in use by another EvPower"):
        async with embedded_postgres(data_dir):
            pytest.fail("two servers on one directory")
    write(conninfo, "SELECT 1")  # the first one is none the worse


async def test_somebody_elses_server_on_the_directory_is_refused(data_dir: Path) -> None:
    """Started by hand, say: its pid file is all there is to know it by, and must stay."""
    async with running(data_dir):
        with pytest.raises(DatabaseUnavailable, match="another PostgreSQL"):
            clear_stale_pid_file(data_dir)
        assert (data_dir / "postmaster.pid").exists()


async def test_a_stale_pid_that_another_process_has_now_does_not_keep_it_down(data_dir: Path, stranger: int) -> None:
    """In a container every start has the same pids."""
    async with running(data_dir):
        pass
    (data_dir / "postmaster.pid").write_text(f"{stranger}\n{data_dir}\n1\n5432\n\n\n1 1\n")
    async with running(data_dir) as conninfo:
        write(conninfo, "SELECT 1")


async def test_a_path_too_long_for_a_socket_is_no_obstacle(data_dir: Path, place: Path) -> None:
    async with running(data_dir):
        pass
    deep = place / ("d" * 100)
    deep.mkdir(mode=0o711)
    moved = data_dir.rename(deep / "data")
    try:
        async with running(moved) as conninfo:
            write(conninfo, "SELECT 1")
    finally:
        moved.rename(data_dir)


async def test_a_server_that_does_not_start_is_an_error_that_names_its_log(data_dir: Path) -> None:
    log_path = data_dir.parent / "data.log"
    with trio.fail_after(SOON_S), pytest.raises(DatabaseUnavailable, match=str(log_path)):
        async with embedded_postgres(data_dir, shared_buffers="a lot"):
            pytest.fail("started with nonsense")
    assert "a lot" in log_path.read_text()


async def test_a_server_that_ends_by_itself_ends_us(data_dir: Path) -> None:
    with pytest.RaisesGroup(pytest.RaisesExc(DatabaseUnavailable, match="ended by itself")):
        async with running(data_dir):
            os.kill(postmaster(data_dir), signal.SIGINT)
            await trio.sleep_forever()


async def test_a_cluster_whose_making_was_cut_short_is_made_anew(place: Path) -> None:
    data = place / "cut_short"
    (data / "base").mkdir(parents=True)
    (data / "PG_VERSION").write_text("18\n")
    (place / "cut_short.unfinished").touch()
    async with running(data) as conninfo:
        write(conninfo, "SELECT 1")
    assert not (place / "cut_short.unfinished").exists()


async def test_whoever_else_is_on_the_machine_is_refused_and_finds_none_of_our_settings(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Safe by default 11: neither `nobody`, which other programs run as too, nor PostgreSQL's own account comes in."""
    monkeypatch.setenv("EVPOWER_ADMIN_TOKEN", "a secret")
    async with running(data_dir) as conninfo:
        with psycopg.connect(conninfo) as database:
            row = database.execute("SELECT pg_backend_pid()").fetchone()
            assert row is not None
            backend = Path(f"/proc/{row[0]}")
            assert b"EVPOWER" not in (backend / "environ").read_bytes()
            if os.getuid() == 0:
                account = pwd.getpwnam(ACCOUNT)
                assert backend.stat().st_uid == account.pw_uid != pwd.getpwnam("nobody").pw_uid
                for user, reason in (("nobody", b"Permission denied"), (ACCOUNT, b"denied")):
                    command = [sys.executable, "-c", AS_ANOTHER, str(pwd.getpwnam(user).pw_uid), conninfo]
                    environment = {name: value for name, value in os.environ.items() if "EVPOWER" not in name}
                    tried = await trio.run_process(command, capture_stdout=True, env=environment)
                    assert reason in tried.stdout
                    assert b"EVPOWER" not in tried.stdout


async def test_the_data_and_the_log_are_for_us_and_our_group_at_most(data_dir: Path) -> None:
    """Safe by default 11."""
    async with running(data_dir):
        assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
        assert stat.S_IMODE(data_dir.with_name("data.log").stat().st_mode) == 0o640


async def test_a_cluster_that_ran_as_nobody_is_taken_over(data_dir: Path) -> None:
    """Only root ever ran it so, and only root gives files away."""
    if os.getuid() != 0:
        return
    async with running(data_dir) as conninfo:
        write(conninfo, "CREATE TABLE taken AS SELECT 42 AS n")
    nobody = pwd.getpwnam("nobody")
    for path in (data_dir, *data_dir.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    (data_dir / "ours").touch()
    async with running(data_dir) as conninfo:
        write(conninfo, "INSERT INTO taken VALUES (43)")
    assert {path.stat().st_uid for path in data_dir.rglob("*")} == {pwd.getpwnam(ACCOUNT).pw_uid, 0}
    assert (data_dir / "ours").stat().st_uid == 0, "only what was the former owner's changes hands"


def test_an_account_that_cannot_be_made_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_account, "ACCOUNT", "no-such-account")
    monkeypatch.setattr(postgres_account, "AGAIN_AFTER_S", 0)
    for command in (("no-such-command",), ("false",)):
        monkeypatch.setattr(postgres_account, "MAKE", command)
        with pytest.raises(
            DatabaseUnavailable, match=f"make one with {command[0]}, or run EvPower as an ordinary user"
        ):
            postgres_account.own_account()
