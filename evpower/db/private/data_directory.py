"""Who may serve a data directory: one EvPower at a time, and none while a dead one's server is still going down.

Two locks of the kernel, because pid files lie after a `kill -9` and in containers, where every start has the same
pids: we hold the directory, and the server and all its children hold their log, which they inherit from us.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import trio

from evpower.errors import DatabaseUnavailable

#: How long the server of an EvPower that was killed may take to go down.
ORPHAN_WITHIN_S = 20.0
POLL_S = 0.05


@contextmanager
def only_user(data_dir: Path) -> Iterator[None]:
    """Make the directory ours, new or not; raises DatabaseUnavailable at once when another EvPower has it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    directory = os.open(data_dir, os.O_RDONLY)
    try:
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DatabaseUnavailable(f"{data_dir} is in use by another EvPower: is it running already?") from None
        yield
    finally:
        os.close(directory)


async def hand_to_server(log_file: BinaryIO) -> None:
    """Lock the log for the server that will inherit it, once no server of an earlier EvPower holds it any more.

    Raises DatabaseUnavailable when that takes longer than `ORPHAN_WITHIN_S`.
    """
    with trio.move_on_after(ORPHAN_WITHIN_S):
        while True:
            try:
                return fcntl.flock(log_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                await trio.sleep(POLL_S)
    raise DatabaseUnavailable(
        f"the PostgreSQL of an EvPower that died did not stop in {ORPHAN_WITHIN_S:.0f} s; see {log_file.name}"
    )


def clear_stale_pid_file(data: Path) -> None:
    """Remove the pid file of a server that is gone: PostgreSQL believes it if any other process has that pid now.

    Only after `hand_to_server`. Raises DatabaseUnavailable when somebody else's PostgreSQL serves the directory.
    """
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    if _may_be_postgres(pid):
        raise DatabaseUnavailable(f"{data} is in use by another PostgreSQL (process {pid})")
    pid_file.unlink()


def _may_be_postgres(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == "postgres"
    except OSError:
        return not Path("/proc/self").exists() and _is_alive(pid)  # no /proc on macOS: any process may be one


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
