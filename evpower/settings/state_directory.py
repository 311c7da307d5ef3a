"""The state directory, which holds the private PostgreSQL, keys and the control socket: for this user alone."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

log = logging.getLogger("security")

MODE = 0o700
OTHERS = 0o077
#: What we put there. A directory with anything else in it may be somebody's for another purpose, such as /tmp.
OURS = frozenset(
    {
        "postgres",
        "postgres.log",
        "postgres.unfinished",
        "evpower.sock",
        "evpower.log",
        "ca",
        "sandbox",
        "sign-in.secret",
    }
)


def make_private(state_dir: Path) -> None:
    """Make the directory when it is not there, and close it to others when it is ours (safe by default 11).

    One that is another's, or holds something else, is left as it is, with a warning. Raises OSError.
    """
    try:
        state_dir.mkdir(mode=MODE, parents=True)
    except FileExistsError:
        found = state_dir.stat()
        if not found.st_mode & OTHERS:
            return
        if found.st_uid != os.geteuid() or not OURS.issuperset(path.name for path in state_dir.iterdir()):
            log.warning("server.state_dir: others may enter %s (mode %o)", state_dir, stat.S_IMODE(found.st_mode))
            return
    # The umask may have taken more than we ask for, and an earlier version asked for less.
    state_dir.chmod(MODE)
