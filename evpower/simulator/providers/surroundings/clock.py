"""A provider's own clock: the true one, moved by the test or person that controls the sandbox."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from evpower.clock import Clock

#: Bishkek has no summer time.
BISHKEK = timezone(timedelta(hours=6))


class ProviderClock:
    """`skew_s` seconds ahead of the true time."""

    def __init__(self, true: Clock) -> None:
        self._true = true
        self.skew_s = 0.0

    def now(self) -> datetime:
        """The moment the provider believes it is."""
        return self._true.now() + timedelta(seconds=self.skew_s)

    def local(self) -> datetime:
        """The same in Bishkek."""
        return self.now().astimezone(BISHKEK)

    def milliseconds(self) -> str:
        """The same as O!Dengi's `mktime`."""
        return str(int(self.now().timestamp() * 1000))
