"""Two PostgreSQL servers on this machine, one the other's synchronous standby: the first can be lost, and come back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import trio

from evpower.db.embedded import ROOT, binary_directory, runnable
from evpower.db.private.postgres_account import own_account
from tests.ports import free_port

READY_WITHIN_S = 60.0
LOOK_EVERY_S = 0.1
#: A commit of the first is confirmed once the other has it on its disk.
SYNCHRONOUS = "ALTER SYSTEM SET synchronous_standby_names = '*'"
#: What was promoted has no standby yet, and would wait for ever.
ALONE = "ALTER SYSTEM SET synchronous_standby_names = ''"
RELOAD = "SELECT pg_reload_conf()"
IS_FOLLOWED = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'"
SETTINGS = ("max_connections=100", "timezone=UTC", "wal_level=replica", "max_wal_senders=5", "hot_standby=on")


class Pair:
    """Both servers; `url` names both, and leads to the one that takes writes."""

    def __init__(self, directory: Path) -> None:
        account = own_account() if os.getuid() == ROOT else None
        self._identity: Mapping[str, Any] = (
            {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        )
        self._programs = runnable(binary_directory(), self._identity) if account else binary_directory()
        self._directory = directory
        directory.mkdir()
        directory.chmod(0o755)
        if account is not None:
            os.chown(directory, account.pw_uid, account.pw_gid)
        self._ports = (free_port(), free_port())
        self._first = 0

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self._ports)
        return f"postgresql://postgres@{hosts}/postgres?target_session_attrs=primary&connect_timeout=3"

    def start(self) -> None:
        """Make both, the second as the first's standby."""
        data = self._data(self._first)
        self._run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-instructions")
        self._start(self._first)
        self._join()

    def lose_first(self) -> None:
        """It ends at once, with all its processes, and is not heard of again until it `comes_back`."""
        postmaster = int((self._data(self._first) / "postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for pid in (postmaster, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def promote(self) -> None:
        """The standby takes writes from now on."""
        self._first = 1 - self._first
        self._run("pg_ctl", "promote", "-w", "-D", self._data(self._first))
        self._say(ALONE, RELOAD)

    async def comes_back(self) -> None:
        """The one that was lost is made anew as the other's standby."""
        await trio.to_thread.run_sync(self._join)

    async def followed(self) -> None:
        """Return when each commit is at both."""
        with trio.fail_after(READY_WITHIN_S):
            while not await trio.to_thread.run_sync(self._say, IS_FOLLOWED):  # noqa: ASYNC110 - only asking says it
                await trio.sleep(LOOK_EVERY_S)

    def stop(self) -> None:
        """Both, without a farewell."""
        for number in range(len(self._ports)):
            subprocess.run(
                [self._programs / "pg_ctl", "stop", "-m", "immediate", "-D", self._data(number)],
                check=False,
                capture_output=True,
                **self._identity,
            )

    def _join(self) -> None:
        second = 1 - self._first
        shutil.rmtree(self._data(second), ignore_errors=True)
        source = ("-h", "127.0.0.1", "-p", str(self._ports[self._first]), "-U", "postgres")
        self._run("pg_basebackup", *source, "-D", self._data(second), "-R", "-X", "stream", "-c", "fast")
        self._start(second)
        self._say(SYNCHRONOUS, RELOAD)

    def _start(self, number: int) -> None:
        data = self._data(number)
        options = " ".join(f"-c {setting}" for setting in SETTINGS)
        listen = f"-p {self._ports[number]} -h 127.0.0.1 -k {self._directory}"
        self._run("pg_ctl", "start", "-w", "-D", data, "-l", f"{data}.log", "-o", f"{listen} {options}")

    def _say(self, *statements: str) -> bool:
        """To the first; whether the last one found a row."""
        found = False
        with psycopg.connect(f"host=127.0.0.1 port={self._ports[self._first]} user=postgres", autocommit=True) as conn:
            for statement in statements:
                cursor = conn.execute(statement)
                found = cursor.description is not None and cursor.fetchone() is not None
        return found

    def _data(self, number: int) -> Path:
        return self._directory / f"server-{number}"

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [self._programs / program, *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **self._identity)
