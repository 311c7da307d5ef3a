"""How long a request holds the event loop, on which every station's messages wait meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from contextvars import ContextVar
from types import coroutine
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
#: Seconds of this thread's CPU.
CpuSeconds: TypeAlias = Callable[[], float]


class LoopTime:
    """The time of one request, step by step: what other tasks do while it waits is not its own."""

    def __init__(self, cpu_s: CpuSeconds) -> None:
        self._cpu_s = cpu_s
        self.spent_s = 0.0
        self._pay: Callable[[float], None] | None = None

    def charge(self, pay: Callable[[float], None]) -> None:
        """From now on `pay` is called with the seconds of each step, and now with those that went before."""
        self._pay = pay
        pay(self.spent_s)

    @coroutine
    def measure(self, work: Coroutine[Any, Any, T]) -> Generator[Any, Any, T]:
        """Do the work, as `await` would."""
        resume: Callable[[Any], Any] = work.send
        value: Any = None
        while True:
            began_s = self._cpu_s()
            try:
                asked = resume(value)
            except StopIteration as end:
                result: T = end.value
                return result
            finally:
                self._spend(self._cpu_s() - began_s)
            try:
                value = yield asked
                resume = work.send
            except BaseException as error:  # whatever it is, it is raised in the work
                value, resume = error, work.throw

    def _spend(self, seconds: float) -> None:
        self.spent_s += seconds
        if self._pay is not None:
            self._pay(seconds)


#: That of the request which the present task answers.
loop_time: ContextVar[LoopTime] = ContextVar("loop_time")
