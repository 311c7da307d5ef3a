"""Reads the machine: whether its clock is kept, the room on a disk, the limit of open files."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from pathlib import Path

#: `struct timex` of Linux on 64 bits, and where its `status` is; a call with `modes` 0 changes nothing (adjtimex(2)).
TIMEX_BYTES = 208
STATUS_AT = 40
UNSYNCHRONIZED = 0x0040
TIME_ERROR = 5


def clock_is_synchronized() -> bool | None:
    """Whether the kernel's clock is kept by a time daemon, whichever; None where that cannot be read."""
    if not sys.platform.startswith("linux") or sys.maxsize < 2**32:
        return None
    timex = ctypes.create_string_buffer(TIMEX_BYTES)
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(timex)
    except (OSError, AttributeError):
        return None
    if state < 0:
        return None
    status = int.from_bytes(timex.raw[STATUS_AT : STATUS_AT + 4], sys.byteorder)
    return state != TIME_ERROR and not status & UNSYNCHRONIZED


def disk_room(place: Path) -> tuple[int | None, int]:
    """Free and total bytes where `place` is or would be; no free ones when that cannot be looked at."""
    try:
        while not place.exists():
            if place.parent == place:
                break
            place = place.parent
        found = os.statvfs(place)
    except OSError:
        return None, 0
    return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize


def file_limit() -> int | None:
    """The most files a process started from here may have open; None: no limit."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return None if hard == resource.RLIM_INFINITY else hard
