"""A second factor for staff (identity §3): enrolled on the server's machine, shown once a quarter of an hour.

A code is good for one use (RFC 6238 §5.2), so it cannot come with each write. It is exchanged for an elevation of the
bearer token it was shown with: until then that token may write, and no other of the same person.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from evpower.clock import Clock, RandomBytes
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.errors import Forbidden, NotFound, TooManyRequests
from evpower.staff.records import StaffId, StaffMember
from evpower.staff.rows import people
from evpower.staff.rows import second_factors as rows
from evpower.staff.totp import SECRET_BYTES, enrolment_uri, matching_step, shared_secret

log = logging.getLogger("security")

ELEVATED_FOR = timedelta(minutes=15)
#: Wrong codes in a row after which none is looked at for a while: guessing a million takes centuries.
FAILURES_MOST = 5
LOCKED_FOR = timedelta(minutes=15)
NOT_ENROLLED = "Второй фактор не настроен: evpower staff totp"
CODE_NEEDED = "Требуется код второго фактора: POST /api/v1/admin/totp"
WRONG_CODE = "Неверный код"


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator app is given: the secret as text, and the same as a QR code holds it."""

    secret: str
    uri: str


class SecondFactor:
    """Secrets, codes and the tokens they opened. Without `is_required` nobody is asked for one."""

    def __init__(self, pool: Pool, clock: Clock, random_bytes: RandomBytes, *, is_required: bool) -> None:
        self._pool = pool
        self._clock = clock
        self._random_bytes = random_bytes
        self.is_required = is_required

    async def enrol(self, staff_id: str, *, actor: str) -> Enrolment:
        """A new secret in place of any; it works once a code of it was confirmed. Raises NotFound."""
        secret = self._random_bytes(SECRET_BYTES)
        async with unit_of_work(self._pool) as uow:
            member = await people.lock(uow.conn, staff_id)
            if member is None:
                raise NotFound("Сотрудник не найден")
            await rows.enrol(uow.conn, member.id, secret, self._clock.now())
            uow.after_commit(lambda: log.info("staff second factor enrolled: id=%s, actor=%s", staff_id, actor))
        return Enrolment(shared_secret(secret), enrolment_uri(secret, member.phone or member.email or member.id))

    async def confirm(self, staff_id: str, code: str) -> None:
        """The app has the secret. Raises Forbidden, TooManyRequests for a wrong code."""
        await self._pass(StaffId(staff_id), code, None)

    async def elevate(self, member: StaffMember, token: str, code: str) -> datetime:
        """Until when the token may write. Raises Forbidden with a `reason`, TooManyRequests after wrong codes."""
        return await self._pass(member.id, code, token)

    async def require(self, member: StaffMember, token: str) -> None:
        """Let a write of this person pass. Raises Forbidden when a code is to be shown first."""
        if not self.is_required or member.role == "operator":
            return
        async with reading(self._pool) as conn:
            if not await rows.is_elevated(conn, member.id, hash_of(token), self._clock.now()):
                raise Forbidden(CODE_NEEDED, reason="totp_required")

    async def _pass(self, staff_id: StaffId, code: str, token: str | None) -> datetime:
        """Check a code. A wrong one is counted, so its unit of work commits before it is refused."""
        now = self._clock.now()
        until = now + ELEVATED_FOR
        async with unit_of_work(self._pool) as uow:
            factor = await rows.lock(uow.conn, staff_id)
            # A factor that was never confirmed opens nothing; what confirms it gives no token.
            if factor is None or not (factor.is_confirmed or token is None):
                raise Forbidden(NOT_ENROLLED, reason="totp_not_enrolled")
            if factor.locked_until is not None and factor.locked_until > now:
                raise TooManyRequests(max(1, int((factor.locked_until - now).total_seconds())))
            step = matching_step(factor.secret, code, now, factor.last_step)
            if step is None:
                await self._failed(uow, staff_id, factor.failures + 1, now)
            else:
                await rows.passed(uow.conn, staff_id, step, now)
                if token is not None:
                    await rows.elevate(uow.conn, staff_id, hash_of(token), until, now)
        if step is None:
            raise Forbidden(WRONG_CODE, reason="totp_wrong")
        return until

    async def _failed(self, uow: UnitOfWork, staff_id: StaffId, failures: int, now: datetime) -> None:
        is_last = failures >= FAILURES_MOST
        await rows.failed(uow.conn, staff_id, 0 if is_last else failures, now + LOCKED_FOR if is_last else None)
        line = "wrong second factor: id=%s, locked=%s"
        uow.after_commit(lambda: log.warning(line, staff_id, is_last))


def hash_of(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()
