"""The keys that our tokens are signed with: made, shared between processes by rows, changed (ADR 18).

A key signs for 90 days. The next one is published a day before it signs (eleven minutes when it is changed by hand), so
that whoever keeps our key set knows it by then, and the last one is believed until the last token it signed has ended:
two keys live at once.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn

import msgspec
import trio
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from evpower.clock import Clock, RandomBytes
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import ServiceUnavailable
from evpower.identity.keys import GivenKeys, public_key
from evpower.sign_in.key_pairs import Jwk, make_private_key, public_jwk, seal, unseal
from evpower.sign_in.means import SignInMeans
from evpower.sign_in.rows import signing_keys as rows
from evpower.sign_in.rows.signing_keys import StoredKey
from evpower.worker import Wake, contain, repeat

logger = logging.getLogger("security")

#: Notifications of other processes wake us; this is for those that were lost, and for time itself.
LOOK_EVERY_S = 60.0
FAILURE = "the signing keys could not be read: until they are, nobody signs in"
SIGNS_FOR = timedelta(days=90)
#: Others keep our key set for ten minutes (identity §1), and one of our processes for a minute.
PUBLISHED_BEFORE = timedelta(minutes=11)
#: Long enough to notice when nothing can be written.
RENEWED_BEFORE = timedelta(days=1)
#: An access token's hour, the leeway of whoever checks it, and clocks that differ.
BELIEVED_AFTER = timedelta(minutes=70)


@dataclass(frozen=True)
class Signer:
    """A key that signs."""

    kid: str
    private: EllipticCurvePrivateKey
    signs_from: datetime
    signs_until: datetime


class SigningKeys:
    """This process's picture of the keys."""

    def __init__(self, pool: Pool, clock: Clock, means: SignInMeans, random_bytes: RandomBytes) -> None:
        self._pool = pool
        self._clock = clock
        self._seal_key = means.key_for("signing keys")
        self._sealed_under = hashlib.sha256(means.key_for("name of the secret")).hexdigest()[:16]
        self._random_bytes = random_bytes
        self._wake = Wake()
        self._signers: tuple[Signer, ...] = ()
        self._published: tuple[Jwk, ...] = ()
        #: What tokens of ours are checked with.
        self.public = GivenKeys()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> NoReturn:
        """Look after the keys until cancelled; ready after the first look."""
        with contain(logger, "%s", FAILURE):
            await self.look()
        task_status.started()
        await repeat(self.look, LOOK_EVERY_S, self._wake, log=logger, failure=FAILURE)

    def wake(self) -> None:
        """Look now: another process has changed them."""
        self._wake.set()

    def signer(self) -> Signer:
        """The key to sign with now. Raises ServiceUnavailable: none could be read yet."""
        now = self._clock.now()
        good = [each for each in self._signers if each.signs_from <= now < each.signs_until]
        if not good:
            raise ServiceUnavailable
        return good[-1]

    def key_set(self) -> tuple[Jwk, ...]:
        """The public halves, as they are published."""
        return self._published

    async def look(self) -> None:
        """Read the keys; make the next one when it is time."""
        now = self._clock.now()
        async with reading(self._pool) as conn:
            stored = await rows.read_keys(conn, now)
        last = self._last_end(stored)
        if last is None or last - now <= RENEWED_BEFORE:
            stored = await self._renew(now)
        self._take(stored)

    def _last_end(self, stored: list[StoredKey]) -> datetime | None:
        """Until when this process can sign, as far as it knows; None: not now."""
        now = self._clock.now()
        ours = [each for each in stored if each.sealed_under == self._sealed_under]
        if not any(each.signs_from <= now < each.signs_until for each in ours):
            return None
        return max(each.signs_until for each in ours)

    async def _renew(self, now: datetime) -> list[StoredKey]:
        """Make a key, unless another process just did; the keys there are then."""
        async with unit_of_work(self._pool) as uow:
            await rows.make_alone(uow.conn)
            stored = await rows.read_keys(uow.conn, now)
            last = self._last_end(stored)
            if last is None or last - now <= RENEWED_BEFORE:
                if last is None and stored:
                    logger.warning(
                        "a signing key is made because the others do not open: sign_in.secret differs from that of"
                        " another process, or of an earlier run; codes sent there cannot be checked here"
                    )
                await rows.delete_keys(uow.conn, now)
                made = self._made(last or now)
                await rows.insert_key(uow.conn, made)
                stored.append(made)
        return stored

    async def rotate(self, *, at_once: bool, actor: str) -> str:
        """Make a new key; its id. `at_once`: tokens signed until now are not believed any more, everybody refreshes."""
        now = self._clock.now()
        signs_from = now if at_once else now + PUBLISHED_BEFORE
        made = self._made(signs_from)
        async with unit_of_work(self._pool) as uow:
            await rows.make_alone(uow.conn)
            await rows.insert_key(uow.conn, made)
            await rows.retire_others(uow.conn, made.kid, signs_from, now if at_once else signs_from + BELIEVED_AFTER)
            stored = await rows.read_keys(uow.conn, now)
        self._take(stored)
        logger.warning("signing key changed: kid=%s, at_once=%s, actor=%s", made.kid, at_once, actor)
        return made.kid

    def _made(self, signs_from: datetime) -> StoredKey:
        private = make_private_key(self._random_bytes)
        jwk = public_jwk(private)
        signs_until = signs_from + SIGNS_FOR
        return StoredKey(
            kid=jwk["kid"],
            public_jwk=msgspec.json.encode(jwk).decode(),
            private_sealed=seal(private, jwk["kid"], self._seal_key, self._random_bytes),
            sealed_under=self._sealed_under,
            signs_from=signs_from,
            signs_until=signs_until,
            believed_until=signs_until + BELIEVED_AFTER,
        )

    def _take(self, stored: list[StoredKey]) -> None:
        """No await: a request sees the keys of before or of after."""
        ours = [each for each in stored if each.sealed_under == self._sealed_under]
        opened = {each.kid: each.private for each in self._signers}
        self._signers = tuple(
            Signer(each.kid, opened.get(each.kid) or self._opened(each), each.signs_from, each.signs_until)
            for each in ours
        )
        self._published = tuple(msgspec.json.decode(each.public_jwk, type=Jwk) for each in stored)
        self.public.give(public_key(jwk) for jwk in self._published)

    def _opened(self, stored: StoredKey) -> EllipticCurvePrivateKey:
        return unseal(stored.private_sealed, stored.kid, self._seal_key)
