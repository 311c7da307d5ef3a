"""Whom the private PostgreSQL runs as when we are root, which it refuses: an account that nothing else runs as.

`nobody` will not do: other programs run as that, and could read its memory, its environment and its files.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import time
from pathlib import Path

from evpower.errors import DatabaseUnavailable

ACCOUNT = "evpower-postgres"
MAKE = (
    *("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"),
    *("--shell", "/usr/sbin/nologin", ACCOUNT),
)
#: Two that start at once both want it; useradd locks its files and gives up at once.
ATTEMPTS = 50
AGAIN_AFTER_S = 0.1


def own_account() -> pwd.struct_passwd:
    """The account, made when there is none. Raises DatabaseUnavailable when it cannot be."""
    reason = ""
    for _ in range(ATTEMPTS):
        try:
            return pwd.getpwnam(ACCOUNT)
        except KeyError:
            pass
        try:
            done = subprocess.run(MAKE, check=False, capture_output=True, text=True)
        except OSError as error:
            reason = str(error)
            break
        reason = done.stderr.strip()
        if done.returncode:
            time.sleep(AGAIN_AFTER_S)
    raise DatabaseUnavailable(
        f"PostgreSQL does not run as root, and an account for it cannot be made ({reason}): make one with"
        f" {' '.join(MAKE)}, or run EvPower as an ordinary user, or set EVPOWER_DATABASE_URL"
    )


def give(data: Path, account: pwd.struct_passwd) -> None:
    """Make a data directory the account's, with all that is in it: earlier versions ran PostgreSQL as `nobody`.

    Only what belongs to the directory's owner until now: whoever that was may have linked to files of others.
    """
    owner = data.stat().st_uid
    if owner == account.pw_uid:
        return
    for place, folders, files in os.walk(data, topdown=False) if (data / "PG_VERSION").exists() else ():
        for name in (*folders, *files):
            path = Path(place, name)
            if path.lstat().st_uid == owner:
                os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    os.chown(data, account.pw_uid, account.pw_gid)  # last: until then the next start does it all again
