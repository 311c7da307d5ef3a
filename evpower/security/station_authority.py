"""The station CA as the server has it: two files, read whenever they are needed.

A CA that was just made, renewed or replaced works at once, and its key stays in memory no longer than a signature
takes. Reading and signing are CPU work and run in a thread; so does the import of the library behind them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import trio

from evpower.clock import RandomBytes
from evpower.errors import ConfigError
from evpower.security.errors import Unsignable

if TYPE_CHECKING:
    from evpower.security.certificate_requests import CertificateRequest
    from evpower.security.station_ca import IssuedCertificate, StationCa

T = TypeVar("T")

#: Stations that all ask at once must not take the threads that passwords are checked in.
SIGNING_AT_ONCE = 2
HOW_TO_MAKE_ONE = "there is no station CA; make one with: evpower ca init"


class StationAuthority:
    """Signs for stations what is worth signing; serial numbers come from `random_bytes`."""

    def __init__(self, certificate: Path, key: Path, days: int, random_bytes: RandomBytes, *, is_set: bool) -> None:
        self._certificate = certificate
        self._key = key
        self._is_set = is_set
        self._days = days
        self._random_bytes = random_bytes
        self._threads = trio.CapacityLimiter(SIGNING_AT_ONCE)

    @property
    def exists(self) -> bool:
        """Whether there should be a CA: settings name one, or one was made. Half of one fails with its reason."""
        try:
            return self._is_set or self._certificate.exists() or self._key.exists()
        except PermissionError:
            return True

    async def check(self, now: datetime) -> None:
        """Raises ConfigError with all that is wrong with the files."""
        await self._in_thread(lambda: self._load(now))

    async def read(self, csr: str, now: datetime) -> CertificateRequest:
        """What the request asks for. Raises Unsignable, also while there is no CA that could sign it."""
        return await self._in_thread(lambda: self._signable(csr, now)[1])

    async def sign(self, csr: str, now: datetime) -> IssuedCertificate:
        """Sign the request. Raises Unsignable."""
        return await self._in_thread(lambda: self._sign(csr, now))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await trio.to_thread.run_sync(work, limiter=self._threads)

    def _load(self, now: datetime) -> StationCa:
        from evpower.security.station_ca import load_station_ca

        return load_station_ca(self._certificate, self._key, now)

    def _signable(self, csr: str, now: datetime) -> tuple[StationCa, CertificateRequest]:
        from evpower.security.certificate_requests import read_request

        if not self.exists:
            raise Unsignable(HOW_TO_MAKE_ONE)
        try:
            return self._load(now), read_request(csr)
        except ConfigError as error:
            raise Unsignable(f"the station CA cannot be used: {'; '.join(error.problems)}") from None

    def _sign(self, csr: str, now: datetime) -> IssuedCertificate:
        from evpower.security.station_ca import serial_number_of

        authority, request = self._signable(csr, now)
        return authority.sign(request, serial_number_of(self._random_bytes), now, self._days)
