"""Codes to phones: sent within limits, and checked once (roadmap/identity §2).

Nothing here looks at whose a phone is: a stranger learns nothing of it by asking for a code.
"""

from __future__ import annotations

import hmac
import logging
from collections import Counter
from datetime import datetime
from typing import Literal

import trio

from evpower.clock import Clock, RandomBytes
from evpower.db.connection import Conn
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import InvalidRequest
from evpower.identifiers import PHONE_NUMBER, PhoneNumber
from evpower.sign_in.codes import (
    ATTEMPTS_MOST,
    DAY,
    HOUR,
    LIFETIME,
    NONCE_BYTES,
    CodeLimit,
    CodeRules,
    code_digest,
    limits,
    new_code,
    wait_s,
)
from evpower.sign_in.errors import CodeExpired, SmsNotSent, SmsUnanswered, TooManyCodes
from evpower.sign_in.means import SignInMeans
from evpower.sign_in.rows import codes
from evpower.sign_in.rows.codes import NewCode, StoredCode

logger = logging.getLogger("security")

#: The app gives up after 10 s.
SENT_WITHIN_S = 7.0
#: Numbers of Kyrgyzstan have nine digits behind the country's.
KYRGYZ_PREFIX, KYRGYZ_CHARS = "+996", 13
TEXT = "EvPower: {code} — код для входа. Никому его не сообщайте."
#: What became of codes, for the figures.
CodeOutcome = Literal["sent", "not_sent", "unanswered", "limited", "over_budget", "verified", "wrong", "expired"]


def shown(phone: PhoneNumber) -> str:
    """The phone as the log has it: enough to find a complaint by."""
    return f"{phone[:4]}…{phone[-3:]}"


class PhoneCodes:
    """Sends codes and checks them."""

    def __init__(
        self, pool: Pool, clock: Clock, means: SignInMeans, rules: CodeRules, random_bytes: RandomBytes
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._sms = means.sms
        self._pepper = means.key_for("sign-in codes")
        self._rules = rules
        self._limits = limits(rules)
        self._random_bytes = random_bytes
        #: When the log last named the budget that is used up.
        self._budget_named_at: datetime | None = None
        #: Since the start.
        self.outcomes: Counter[CodeOutcome] = Counter()

    @property
    def are_sent(self) -> bool:
        """Whether there is anything to send them with."""
        return self._sms is not None

    def served(self, text: str) -> PhoneNumber:
        """The phone, when codes are sent to such. Raises InvalidRequest."""
        known = PHONE_NUMBER.fullmatch(text) and (not text.startswith(KYRGYZ_PREFIX) or len(text) == KYRGYZ_CHARS)
        if not known:
            raise InvalidRequest(("phone", "номер телефона в международном формате, например +996700123456"))
        if not text.startswith(self._rules.phone_prefixes):
            raise InvalidRequest(("phone", "вход по номерам этой страны недоступен"))
        return PhoneNumber(text)

    async def send(self, phone: PhoneNumber, address: str) -> None:
        """Send a code to the phone, for a caller at `address`; it ends every earlier one.

        Raises TooManyCodes and SmsNotSent.
        """
        code, now = new_code(self._random_bytes), self._clock.now()
        code_id = await self._admit(phone, address, code, now)
        # No unit of work is open: a gateway may take seconds.
        failure = await self._deliver(phone, TEXT.format(code=code))
        if failure is None:
            self._count("sent", phone, address)
            return
        if isinstance(failure, SmsUnanswered):
            # The SMS may arrive, so its code counts.
            self._count("unanswered", phone, address)
            raise failure
        async with unit_of_work(self._pool) as uow:
            await codes.mark_not_sent(uow.conn, code_id, self._clock.now())
        self._count("not_sent", phone, address)
        raise failure

    async def _deliver(self, phone: PhoneNumber, text: str) -> SmsNotSent | None:
        """None when the SMS was taken; otherwise what it failed of."""
        assert self._sms is not None, "the door asks `are_sent` first"
        try:
            with trio.fail_after(SENT_WITHIN_S):
                await self._sms.send(phone, text)
        except trio.TooSlowError:
            return SmsUnanswered()
        except SmsNotSent as failure:
            return failure
        return None

    async def _admit(self, phone: PhoneNumber, address: str, code: str, now: datetime) -> int:
        """Store the code, if every limit has room. Raises TooManyCodes."""
        # Looked at without the lock first: who asks too often holds nobody up.
        async with reading(self._pool) as conn:
            self._refuse(await self._waits(conn, phone, address, now), phone, address, now)
        nonce = self._random_bytes(NONCE_BYTES)
        new = NewCode(phone, address, nonce, code_digest(self._pepper, phone, code, nonce), now, now + LIFETIME)
        async with unit_of_work(self._pool) as uow:
            await codes.send_alone(uow.conn)
            self._refuse(await self._waits(uow.conn, phone, address, now), phone, address, now)
            return await codes.insert_code(uow.conn, new)

    def _refuse(self, waits: dict[CodeLimit, int], phone: PhoneNumber, address: str, now: datetime) -> None:
        """Raises TooManyCodes when a limit has no room."""
        full = [limit for limit, seconds in waits.items() if seconds]
        if not full:
            return
        is_over_budget = any(limit.counted == "all" for limit in full)
        # Strangers can use it up: so not for each of them, and no ERROR.
        if is_over_budget and (self._budget_named_at is None or now - self._budget_named_at >= HOUR):
            self._budget_named_at = now
            logger.warning(
                "sign-in: no codes are sent, sign_in.codes_per_day = %d is used up", self._rules.codes_per_day
            )
        self._count("over_budget" if is_over_budget else "limited", phone, address)
        raise TooManyCodes(max(waits.values()))

    async def wait_s(self, phone: PhoneNumber, address: str) -> int:
        """Seconds until `send` would send; 0 is now."""
        async with reading(self._pool) as conn:
            return max((await self._waits(conn, phone, address, self._clock.now())).values())

    async def _waits(self, conn: Conn, phone: PhoneNumber, address: str, now: datetime) -> dict[CodeLimit, int]:
        return {
            limit: wait_s(await codes.nth_newest_at(conn, limit, phone, address), limit, now) for limit in self._limits
        }

    async def check(self, conn: Conn, phone: PhoneNumber, code: str) -> int | None:
        """Use the code up, in the caller's unit of work, which must commit also when the code is wrong.

        None: it was right. A number: it was wrong, and so many tries are left. Raises CodeExpired: nothing was written.
        """
        stored, now = await codes.lock_code(conn, phone), self._clock.now()
        if stored is None or not self._is_open(stored, now):
            self.outcomes["expired"] += 1
            raise CodeExpired
        if not hmac.compare_digest(stored.digest, code_digest(self._pepper, phone, code, stored.nonce)):
            self.outcomes["wrong"] += 1
            await codes.count_wrong_attempt(conn, stored.id)
            return ATTEMPTS_MOST - stored.wrong_attempts - 1
        await codes.use_code(conn, stored.id, now)
        return None

    def _is_open(self, stored: StoredCode, now: datetime) -> bool:
        return stored.used_at is None and stored.wrong_attempts < ATTEMPTS_MOST and now < stored.expires_at

    def _count(self, outcome: CodeOutcome, phone: PhoneNumber, address: str) -> None:
        self.outcomes[outcome] += 1
        logger.info("sign-in code: outcome=%s, phone=%s, address=%s", outcome, shown(phone), address)


async def forget_codes(pool: Pool, now: datetime) -> None:
    """Drop what no limit counts any more."""
    async with unit_of_work(pool) as uow:
        await codes.delete_codes(uow.conn, now - DAY)
