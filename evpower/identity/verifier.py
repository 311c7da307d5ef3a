"""The one way a bearer token becomes an Identity, or nothing (identity §1)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evpower.clock import Clock
from evpower.errors import InvalidToken
from evpower.identity.claims import ClaimRules, believed, is_over
from evpower.identity.identity import Identity
from evpower.identity.keys import Key, KeySource
from evpower.identity.token import Check, NotBelieved, Token, read_token, token_digest

log = logging.getLogger("security")

#: Verified tokens remembered: a phone sends the same one for an hour.
REMEMBERED_MAX = 10_000
#: How much of a token's hash names it in the log.
NAME_CHARS = 6


@dataclass(frozen=True)
class Issuer:
    """Who makes tokens: with which keys, and what they must claim."""

    keys: KeySource
    rules: ClaimRules


@dataclass(frozen=True)
class _Verified:
    identity: Identity
    key: Key
    keys: KeySource


class Verifier:
    """Checks tokens of these issuers, the first one that has a key for a token decides.

    `refused` says which identities are not let in although their tokens are right: revoked, blocked, deleted ones.
    """

    def __init__(
        self, issuers: Sequence[Issuer], clock: Clock, refused: Callable[[Identity], bool] = lambda identity: False
    ) -> None:
        self._issuers = tuple(issuers)
        self._clock = clock
        self._refused = refused
        #: By digest, the oldest first.
        self._remembered: dict[str, _Verified] = {}
        #: Refused tokens, by the check that failed.
        self.failures: Counter[Check] = Counter()

    async def verify(self, text: str) -> Identity:
        """The token's bearer. Raises InvalidToken, which does not say why, and ServiceUnavailable without keys."""
        digest = token_digest(text)
        try:
            identity = self._recalled(digest) or await self._verified(digest, text)
            if self._refused(identity):
                raise NotBelieved("revoked")
            return identity
        except NotBelieved as failure:
            self.failures[failure.check] += 1
            # Without an issuer every token is refused, and each phone may send one with everything it asks.
            level = logging.INFO if self._issuers else logging.DEBUG
            log.log(level, "token refused: check=%s, token=…%s", failure.check, digest[-NAME_CHARS:])
            raise InvalidToken from None

    def _recalled(self, digest: str) -> Identity | None:
        """Who this token was verified for, while it is good and its key is one."""
        known = self._remembered.get(digest)
        if known is None:
            return None
        if not known.keys.holds(known.key):
            del self._remembered[digest]
            return None
        if is_over(known.identity.expires_at, self._clock.now()):
            del self._remembered[digest]
            raise NotBelieved("expired")
        return known.identity

    async def _verified(self, digest: str, text: str) -> Identity:
        token = read_token(text)
        issuer, key = await self._found(token)
        identity = believed(key.claims(token), issuer.rules, self._clock.now())
        while len(self._remembered) >= REMEMBERED_MAX:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[digest] = _Verified(identity, key, issuer.keys)
        return identity

    async def _found(self, token: Token) -> tuple[Issuer, Key]:
        for issuer in self._issuers:
            key = await issuer.keys.find(token)
            if key is not None:
                return issuer, key
        raise NotBelieved("key")
