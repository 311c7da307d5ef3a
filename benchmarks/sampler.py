"""A profiler by CPU time inside the process: its own timer, so one that waits for a core is not taken for one at work.

A profiler from outside sees only whether a process could run. Beside others on the same cores that is most often right
after a system call that has woken somebody else, and the call looks dear.
"""

from __future__ import annotations

import os
import re
import signal
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType

EVERY_S = 0.002
#: `SIGUSR1` begins anew, `SIGUSR2` writes what was seen since.
BEGIN, WRITE = signal.SIGUSR1, signal.SIGUSR2
#: What of a path goes without saying.
PLACE = re.compile(r".*/(site-packages/|python3\.\d+/|(?=(evpower|benchmarks)/[^-]))")


class Sampler:
    """The stacks in which the process was found after each `EVERY_S` of its CPU time."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._seen: Counter[tuple[tuple[CodeType, int], ...]] = Counter()

    def install(self) -> None:
        """Of the whole process, and so in its main thread."""
        signal.signal(signal.SIGPROF, self._sample)
        signal.signal(BEGIN, self._begin)
        signal.signal(WRITE, self._write)

    def _begin(self, *_: object) -> None:
        self._seen.clear()
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)

    def _sample(self, _: int, frame: FrameType | None) -> None:
        stack = []
        while frame is not None:
            stack.append((frame.f_code, frame.f_lineno))
            frame = frame.f_back
        self._seen[tuple(reversed(stack))] += 1

    def _write(self, *_: object) -> None:
        """A line for a stack: `outermost;…;innermost times`, as flame graphs are made of."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        new = self._out.with_suffix(".new")
        new.write_text("".join(f"{';'.join(map(_name, stack))} {times}\n" for stack, times in self._seen.items()))
        new.rename(self._out)


def watch_if_asked() -> None:
    """Install one in this process where `EVPOWER_BENCH_SAMPLES` names a file for it."""
    if out := os.environ.get("EVPOWER_BENCH_SAMPLES"):
        Sampler(Path(out)).install()


def _name(place: tuple[CodeType, int]) -> str:
    code, line = place
    return f"{code.co_qualname} ({PLACE.sub('', code.co_filename)}:{line})"
