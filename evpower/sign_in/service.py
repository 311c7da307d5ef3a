"""Signing in, staying signed in, signing out (roadmap/identity §2).

A refresh must work while PostgreSQL answers at all: the app signs its driver out on any error (field ruling 6.4). So
one that asks for no new token needs nothing written.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

import trio

from evpower.billing.clients import ensure_client, lock_known_client
from evpower.clock import Clock, Ids, RandomBytes
from evpower.db.connection import Conn
from evpower.db.pool import Pool
from evpower.db.unit_of_work import UnitOfWork, reading, unit_of_work
from evpower.errors import Forbidden, Unauthorized
from evpower.identifiers import ClientId, PhoneNumber
from evpower.identity.identity import Identity
from evpower.push.devices import forget_person, forget_sign_in
from evpower.sign_in.errors import SignedOut, WrongCode
from evpower.sign_in.people import Person
from evpower.sign_in.phone_codes import PhoneCodes, shown
from evpower.sign_in.revocations import KEPT_FOR, Revocations
from evpower.sign_in.rows import people, sign_ins
from evpower.sign_in.rows.revocations import delete_revoked
from evpower.sign_in.rows.sign_ins import RefreshToken, SignOutCause
from evpower.sign_in.tokens import (
    ASK_AGAIN_WITHIN,
    REFRESH_BYTES,
    REFRESH_LIFETIME,
    AccessTokens,
    refresh_digest,
    refresh_raw,
    refresh_text,
    successor_of,
)
from evpower.worker import contain

logger = logging.getLogger("security")

#: The end of a refresh token is put off by each use, but not written for less.
PUT_OFF_BY = timedelta(days=1)
PUT_OFF_WITHIN_S = 2.0
#: `unknown`: no token that goes on, and none that we know to have ended; `failed`: no answer; the causes of an end.
RefreshOutcome = Literal["refreshed", "rotated", "unknown", "failed", SignOutCause]
TAKEN = "unverified phone taken: phone=%s, from=%s, to=%s"


@dataclass(frozen=True)
class SignedIn:
    """A person who has just signed in, and what the phone keeps."""

    person: Person
    is_new: bool
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(frozen=True)
class Refreshed:
    """A new access token; a new refresh token only for who asked for one."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)


class SignIns:
    """The verbs of signing in; codes are sent by `PhoneCodes`."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        ids: Ids,
        codes: PhoneCodes,
        access: AccessTokens,
        revocations: Revocations,
        successor_key: bytes,
        random_bytes: RandomBytes,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._ids = ids
        self._codes = codes
        self._access = access
        self._revocations = revocations
        self._successor_key = successor_key
        self._random_bytes = random_bytes
        #: What became of refreshes, for the figures.
        self.refreshes: Counter[RefreshOutcome] = Counter()

    async def sign_in(self, phone: PhoneNumber, code: str) -> SignedIn:
        """Sign the phone's person in, who is made a client when unknown, in the unit of work that uses the code up.

        Raises WrongCode, CodeExpired, Forbidden (staff that was disabled) and ServiceUnavailable, which leaves the
        code good.
        """
        raw, sign_in_id = self._random_bytes(REFRESH_BYTES), self._ids.new()
        signed_in: SignedIn | None = None
        async with unit_of_work(self._pool) as uow:
            attempts_left = await self._codes.check(uow.conn, phone, code)
            if attempts_left is None:
                person, is_new = await self._person(uow, phone)
                if person.is_active:
                    access_token = self._access.issue(person, sign_in_id)
                    await self._begin(uow.conn, person, sign_in_id, raw)
                    signed_in = SignedIn(person, is_new, access_token, refresh_text(raw))
        if attempts_left is not None:
            logger.info("sign-in refused: phone=%s, reason=wrong code, attempts_left=%d", shown(phone), attempts_left)
            raise WrongCode(attempts_left)
        if signed_in is None:
            logger.warning("sign-in refused: staff=%s, reason=disabled", person.id)
            raise Forbidden
        self._codes.outcomes["verified"] += 1
        logger.info("signed in: %s=%s, sign_in=%s, new=%s", person.kind, person.id, sign_in_id, is_new)
        return signed_in

    async def _person(self, uow: UnitOfWork, phone: PhoneNumber) -> tuple[Person, bool]:
        client_id = self._ids.new()
        # Once more for each client with this phone that others than the server commit between the look and the insert.
        while True:
            person = await people.person_of_phone(uow.conn, phone)
            if person is not None:
                return person, False
            holder = await people.take_unverified_phone(uow.conn, phone, client_id)
            if holder is not None:
                uow.after_commit(partial(logger.warning, TAKEN, shown(phone), holder, client_id))
            person = await people.create_client(uow.conn, client_id, phone, self._clock.now())
            if person is not None:
                return person, True

    async def _begin(self, conn: Conn, person: Person, sign_in_id: str, raw: bytes) -> None:
        now = self._clock.now()
        await sign_ins.insert_sign_in(conn, sign_in_id, person.id, person.kind, now)
        await sign_ins.insert_token(conn, refresh_digest(raw), sign_in_id, now + REFRESH_LIFETIME)

    async def refresh(self, text: str, *, rotate: bool) -> Refreshed:
        """A new access token for a refresh token. Raises SignedOut and ServiceUnavailable.

        `rotate`: the caller wants a new refresh token with it, and uses the old one never again.
        """
        outcome: RefreshOutcome = "failed"
        try:
            refreshed = await self._refreshed(text, rotate=rotate)
            outcome = "refreshed" if refreshed.refresh_token is None else "rotated"
        except SignedOut as signed_out:
            outcome = signed_out.details.get("reason", "unknown")
            raise
        finally:
            self.refreshes[outcome] += 1
        return refreshed

    async def _refreshed(self, text: str, *, rotate: bool) -> Refreshed:
        raw = refresh_raw(text)
        if raw is None:
            raise SignedOut
        now = self._clock.now()
        async with reading(self._pool) as conn:
            token = _still_good(await sign_ins.find_token(conn, refresh_digest(raw)), now)
            person = await people.read_person(conn, token.kind, token.person_id)
        if person is None or not person.is_active:
            raise SignedOut
        access_token = self._access.issue(person, token.sign_in_id)
        if rotate or token.replaced_at is not None:
            return Refreshed(access_token, await self._rotate(raw, token))
        await self._put_off(token, now)
        return Refreshed(access_token)

    async def _put_off(self, token: RefreshToken, now: datetime) -> None:
        """Sixty days from now, if that can be written."""
        end = now + REFRESH_LIFETIME
        if end - token.expires_at < PUT_OFF_BY:
            return
        with trio.move_on_after(PUT_OFF_WITHIN_S), contain(logger, "the end of a refresh token was not put off"):
            async with unit_of_work(self._pool) as uow:
                await sign_ins.slide_token(uow.conn, token.digest, end)

    async def _rotate(self, raw: bytes, token: RefreshToken) -> str:
        """The token's successor. Raises SignedOut when the token was used before, and not just now: it was stolen."""
        now, successor = self._clock.now(), successor_of(raw, self._successor_key)
        async with unit_of_work(self._pool) as uow:
            await sign_ins.lock_sign_in(uow.conn, token.sign_in_id)
            token = _still_good(await sign_ins.find_token(uow.conn, token.digest), now)
            reused = token.replaced_at is not None and now - token.replaced_at > ASK_AGAIN_WITHIN
            if reused:
                await self._end(uow, token.sign_in_id, "reuse", now)
            else:
                await sign_ins.replace_token(uow.conn, token.digest, now)
                await sign_ins.insert_token(
                    uow.conn, refresh_digest(successor), token.sign_in_id, now + REFRESH_LIFETIME
                )
        if reused:
            logger.warning("signed out: sign_in=%s, cause=reuse of a refresh token", token.sign_in_id)
            raise SignedOut(reason="reuse")
        return refresh_text(successor)

    async def sign_out(self, text: str) -> None:
        """End the refresh token's sign-in; nothing happens when there is none, or it has ended."""
        raw = refresh_raw(text)
        if raw is None:
            return
        async with unit_of_work(self._pool) as uow:
            token = await sign_ins.find_token(uow.conn, refresh_digest(raw))
            if token is not None and token.end_cause is None:
                await self._end(uow, token.sign_in_id, "logout", self._clock.now())
                logger.info("signed out: %s=%s, sign_in=%s", token.kind, token.person_id, token.sign_in_id)

    async def _end(self, uow: UnitOfWork, sign_in_id: str, cause: SignOutCause, now: datetime) -> None:
        """The access tokens of the sign-in end with it, and so does whatever else belongs to the phone by its id."""
        await sign_ins.end_sign_in(uow.conn, sign_in_id, cause, now)
        await forget_sign_in(uow.conn, sign_in_id)
        uow.after_commit(lambda: self._revocations.end([sign_in_id]))

    async def sign_out_everywhere(self, identity: Identity) -> None:
        """End every sign-in of the token's bearer, this one too; no device of theirs gets messages any more.

        The token may name an id that was merged: all of it is the survivor's.
        """
        async with unit_of_work(self._pool) as uow:
            if identity.kind == "client":
                client = await lock_known_client(uow.conn, ClientId(identity.subject))
                identity = identity if client is None else replace(identity, subject=client.id)
            ended = await sign_ins.end_sign_ins(uow.conn, identity.subject, "logout_all", self._clock.now())
            await forget_person(uow.conn, identity)
            uow.after_commit(lambda: self._revocations.end(ended))
        logger.info("signed out everywhere: %s=%s, sign_ins=%d", identity.kind, identity.subject, len(ended))

    async def me(self, identity: Identity) -> Person:
        """The bearer's row as it is now; who is known by a token of another issuer may be staff here by the same id.

        A client of another issuer is created at the first request (contract/rest-api §1.8). Raises Unauthorized:
        there is no such person any more.
        """
        if identity.ours:
            async with reading(self._pool) as conn:
                person = await people.read_person(conn, identity.kind, identity.subject)
        else:
            async with unit_of_work(self._pool) as uow:
                person = await people.read_person(uow.conn, "staff", identity.subject)
                if person is None:
                    await ensure_client(uow.conn, ClientId(identity.subject), self._clock.now())
                    person = await people.read_person(uow.conn, "client", identity.subject)
        if person is None:
            raise Unauthorized
        return person


def _still_good(token: RefreshToken | None, now: datetime) -> RefreshToken:
    """The token, if a sign-in goes on by it. Raises SignedOut, which says why when there is a sign-in to speak of."""
    if token is None or token.expires_at <= now:
        raise SignedOut
    if token.end_cause is not None:
        raise SignedOut(reason=token.end_cause)
    return token


async def forget_sign_ins(pool: Pool, now: datetime) -> None:
    """Drop what nobody is signed in by any more, and revocations of tokens that have run out."""
    async with unit_of_work(pool) as uow:
        await sign_ins.delete_sign_ins(uow.conn, now)
        await delete_revoked(uow.conn, now - 2 * KEPT_FOR)
