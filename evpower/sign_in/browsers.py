"""Staff signed in by a cookie, on the operators' pages (contract/operator-pages §1).

A browser is one more sign-in of its person: it ends with "sign out everywhere", and a person who is switched off is
refused at the next request. Its cookie lives for twelve hours, whatever it is used for.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta

from evpower.clock import Clock, Ids, RandomBytes
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.errors import NotFound, Unauthorized
from evpower.identifiers import PhoneNumber
from evpower.sign_in.errors import WrongCode
from evpower.sign_in.phone_codes import PhoneCodes, shown
from evpower.sign_in.rows import browsers as rows
from evpower.sign_in.rows import people, sign_ins
from evpower.sign_in.tokens import REFRESH_BYTES, refresh_digest, refresh_raw, refresh_text
from evpower.staff.records import Acting
from evpower.staff.service import UNKNOWN, Staff

log = logging.getLogger("security")

COOKIE_LIFETIME = timedelta(hours=12)
LINK_LIFETIME = timedelta(minutes=30)


@dataclass(frozen=True)
class SignedInBrowser:
    """Who has just signed in, and the cookie that the browser keeps."""

    person_id: str
    cookie: str = field(repr=False)


@dataclass(frozen=True)
class Browser:
    """A browser that is signed in, and who acts by it."""

    sign_in_id: str
    acting: Acting


class Browsers:
    """The verbs of signing a browser in and out."""

    def __init__(
        self, pool: Pool, clock: Clock, ids: Ids, codes: PhoneCodes, staff: Staff, random_bytes: RandomBytes
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._ids = ids
        self._codes = codes
        self._staff = staff
        self._random_bytes = random_bytes

    async def make_link(self, staff_id: str, *, actor: str) -> str:
        """The token of a link that signs this person in once, within half an hour. Raises NotFound."""
        raw, now = self._random_bytes(REFRESH_BYTES), self._clock.now()
        async with unit_of_work(self._pool) as uow:
            await rows.delete_links(uow.conn, now)
            until = now + LINK_LIFETIME
            if not await rows.insert_link(
                uow.conn, refresh_digest(raw), staff_id, actor=actor, at=now, expires_at=until
            ):
                raise NotFound(UNKNOWN)
            uow.after_commit(lambda: log.info("sign-in link made: staff=%s, actor=%s", staff_id, actor))
        return refresh_text(raw)

    async def by_link(self, token: str) -> SignedInBrowser:
        """Raises Unauthorized for a link that was used, has run out, or is none."""
        raw = refresh_raw(token)
        if raw is None:
            raise Unauthorized
        async with unit_of_work(self._pool) as uow:
            staff_id = await rows.use_link(uow.conn, refresh_digest(raw), self._clock.now())
            if staff_id is None:
                raise Unauthorized
            return await self._begin(uow, staff_id)

    async def by_code(self, phone: PhoneNumber, code: str) -> SignedInBrowser:
        """Sign in whose phone it is, when that is one of the staff; a right code of anybody else is a wrong one.

        Raises WrongCode and CodeExpired.
        """
        signed_in: SignedInBrowser | None = None
        async with unit_of_work(self._pool) as uow:
            attempts_left = await self._codes.check(uow.conn, phone, code)
            person = await people.person_of_phone(uow.conn, phone) if attempts_left is None else None
            if person is not None and person.kind == "staff" and person.is_active:
                signed_in = await self._begin(uow, person.id)
        if signed_in is None:
            log.info("sign-in refused: phone=%s, at=pages", shown(phone))
            raise WrongCode(attempts_left or 0)
        return signed_in

    async def _begin(self, uow: UnitOfWork, staff_id: str) -> SignedInBrowser:
        raw, sign_in_id, now = self._random_bytes(REFRESH_BYTES), self._ids.new(), self._clock.now()
        await sign_ins.insert_sign_in(uow.conn, sign_in_id, staff_id, "staff", now)
        await rows.insert_cookie(uow.conn, refresh_digest(raw), sign_in_id, now + COOKIE_LIFETIME)
        uow.after_commit(lambda: log.info("signed in: staff=%s, sign_in=%s, at=pages", staff_id, sign_in_id))
        return SignedInBrowser(staff_id, refresh_text(raw))

    async def browser(self, cookie: str) -> Browser:
        """Who acts by this cookie. Raises Unauthorized for one that is not good, Forbidden for who is no more staff."""
        raw = refresh_raw(cookie)
        if raw is None:
            raise Unauthorized
        async with reading(self._pool) as conn:
            found = await rows.find_cookie(conn, refresh_digest(raw), self._clock.now())
        if found is None:
            raise Unauthorized
        sign_in_id, staff_id = found
        return Browser(sign_in_id, await self._staff.acting(staff_id, None))

    async def sign_out(self, browser: Browser) -> None:
        """The cookie is good for nothing any more."""
        async with unit_of_work(self._pool) as uow:
            await sign_ins.end_sign_in(uow.conn, browser.sign_in_id, "logout", self._clock.now())
        log.info("signed out: actor=%s, sign_in=%s, at=pages", browser.acting.actor, browser.sign_in_id)
