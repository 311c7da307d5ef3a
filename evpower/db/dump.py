"""A whole database in one file, and back: PostgreSQL's own pg_dump and pg_restore, from the wheel of the private one.

So an operator needs no client of the right version. They read any server from PostgreSQL 15 up to their own version.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import trio
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from evpower.db.embedded import binary_directory
from evpower.errors import EvPowerError

#: A dump holds clients and hashes of passwords.
DUMP_MODE = 0o600


class DumpFailed(EvPowerError):
    """pg_dump or pg_restore did not do it, or the file is in the way; the message is the reason."""

    code = "dump_failed"


async def dump(conninfo: str, file: Path) -> None:
    """Write everything into a new file, whole or not at all. Raises DumpFailed, DatabaseUnavailable."""
    unfinished = file.with_name(f"{file.name}.unfinished")
    try:
        # The file itself is made first, so that a name that is taken is refused before any work.
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, DUMP_MODE))
    except OSError as error:
        raise DumpFailed(f"{file} cannot be made: {error.strerror}") from None
    is_whole = False
    try:
        with _opened(unfinished) as out:
            await _run(["pg_dump", "--format=custom", "--no-owner", "--no-privileges"], conninfo, stdout=out.fileno())
            os.fsync(out.fileno())
        os.replace(unfinished, file)
        is_whole = True
    except OSError as error:
        raise DumpFailed(f"{file} cannot be written: {error.strerror}") from None
    finally:
        if not is_whole:
            for each in (unfinished, file):
                with suppress(OSError):
                    os.unlink(each)


def _opened(file: Path) -> BinaryIO:
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, DUMP_MODE), "wb")


async def restore(conninfo: str, file: Path) -> None:
    """Put everything of a dump into an empty database, in one transaction. Raises DumpFailed, DatabaseUnavailable."""
    command = ["pg_restore", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", str(file)]
    await _run(command, conninfo, stdout=subprocess.DEVNULL)


async def _run(command: Sequence[str], conninfo: str, *, stdout: int) -> None:
    """One of PostgreSQL's programs; the password goes by its environment, because `ps` shows arguments."""
    password = str(conninfo_to_dict(conninfo).get("password") or "")
    shown = make_conninfo("", **{**conninfo_to_dict(conninfo), "password": None})
    done = await trio.run_process(
        [str(binary_directory() / command[0]), *command[1:], f"--dbname={shown}"],
        check=False,
        stdout=stdout,
        capture_stderr=True,
        env={**os.environ, **({"PGPASSWORD": password} if password else {})},
    )
    if done.returncode:
        raise DumpFailed(" ".join(done.stderr.decode(errors="replace").split()) or f"{command[0]} failed")
