"""Room for one file descriptor per socket: the process may raise its own soft limit as far as the hard one."""

from __future__ import annotations

import logging
import resource
from typing import Protocol

log = logging.getLogger("evpower")

#: Beside stations and the database: phones, files, and sockets that are just being refused.
OTHERS = 1024


class Limits(Protocol):
    """The process's limits, as the module `resource` has them."""

    RLIMIT_NOFILE: int

    def getrlimit(self, number: int, /) -> tuple[int, int]: ...
    def setrlimit(self, number: int, limits: tuple[int, int], /) -> None: ...


def make_room(sockets: int, limits: Limits = resource) -> None:
    """Raise the soft limit for this many sockets if need be, and say so in the log when the hard limit forbids it."""
    needed = sockets + OTHERS
    soft, hard = limits.getrlimit(limits.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft == unlimited or soft >= needed:
        return
    wanted = needed if hard == unlimited else min(needed, hard)
    try:
        limits.setrlimit(limits.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError) as error:  # a sandbox may forbid it
        log.warning("the limit of file descriptors cannot be raised: %s", error)
        wanted = soft
    if wanted < needed:
        line = "%d file descriptors are allowed and ocpp.max_connections may need %d: raise the limit (LimitNOFILE)"
        log.warning(line, wanted, needed)
