"""What a client says of itself (contract/rest-api §7.5). The phone is not changed here: a code proves whose it is."""

from __future__ import annotations

import logging
from dataclasses import dataclass, fields
from datetime import date, datetime
from zoneinfo import ZoneInfo

from evpower.accounts.owner import lock_owner
from evpower.accounts.rows.profiles import Profile, change_profile, read_profile
from evpower.billing.clients import ensure_client
from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.errors import InvalidRequest
from evpower.idempotency.claim import IdempotencyClaim
from evpower.identifiers import ClientId

__all__ = ["ClientProfiles", "Profile", "ProfileChange"]

log = logging.getLogger("evpower.accounts")

#: Nobody was born before.
FIRST_BIRTHDAY = date(1900, 1, 1)
BIRTHDAY_WRONG = "дата рождения от 1900-01-01 до сегодняшнего дня"


@dataclass(frozen=True)
class ProfileChange:
    """What a client wants changed; None leaves it. A birthday may come as a moment of that day."""

    name: str | None = None
    email: str | None = None
    birthday: date | datetime | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """The fields that are given; never what is in them."""
        return tuple(each.name for each in fields(self) if getattr(self, each.name) is not None)


class ClientProfiles:
    """Reads and changes them. Days are those of `timezone`."""

    def __init__(self, pool: Pool, clock: Clock, timezone: ZoneInfo) -> None:
        self._pool = pool
        self._clock = clock
        self._timezone = timezone

    async def known(self, client_id: ClientId) -> Profile | None:
        """The client's; None for an unknown client."""
        async with reading(self._pool) as conn:
            return await read_profile(conn, client_id)

    async def read(self, client_id: ClientId) -> Profile:
        """The client's; an unknown client is created first (contract/rest-api §1.8)."""
        async with unit_of_work(self._pool) as uow:
            await ensure_client(uow.conn, client_id, self._clock.now())
            return await self._read(uow, client_id)

    async def change(
        self, client_id: ClientId, change: ProfileChange, claim: IdempotencyClaim | None = None
    ) -> Profile:
        """Write what is given, and return the whole.

        Raises InvalidRequest (`birthday`), ClientDeleted, IdempotencyMismatch.
        """
        now = self._clock.now()
        birthday = self._day(change.birthday, now)
        async with unit_of_work(self._pool) as uow:
            owner = await lock_owner(uow, client_id, claim, now)
            await change_profile(uow.conn, owner, change.name, change.email, birthday, now)
            uow.after_commit(lambda: log.info("profile changed: client_id=%s, fields=%s", owner, change.named))
            return await self._read(uow, owner)

    def _day(self, given: date | datetime | None, now: datetime) -> date | None:
        if given is None:
            return None
        try:
            day = given.astimezone(self._timezone).date() if isinstance(given, datetime) else given
        except OverflowError:
            raise InvalidRequest(("birthday", BIRTHDAY_WRONG)) from None
        if not FIRST_BIRTHDAY <= day <= now.astimezone(self._timezone).date():
            raise InvalidRequest(("birthday", BIRTHDAY_WRONG))
        return day

    async def _read(self, uow: UnitOfWork, client_id: ClientId) -> Profile:
        profile = await read_profile(uow.conn, client_id)
        assert profile is not None, "its client was made or locked in this unit of work"
        return profile
