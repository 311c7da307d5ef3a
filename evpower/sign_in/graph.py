"""The room put together."""

from __future__ import annotations

from dataclasses import dataclass

from evpower.clock import Clock, Ids, RandomBytes
from evpower.db.pool import Pool
from evpower.sign_in.codes import CodeRules
from evpower.sign_in.means import SignInMeans
from evpower.sign_in.phone_codes import PhoneCodes
from evpower.sign_in.revocations import Revocations
from evpower.sign_in.service import SignIns
from evpower.sign_in.signing_keys import SigningKeys
from evpower.sign_in.tokens import AccessTokens


@dataclass(frozen=True)
class SignIn:
    """What signs people in; `keys` and `revocations` must run."""

    codes: PhoneCodes
    keys: SigningKeys
    sign_ins: SignIns
    revocations: Revocations

    def changed(self) -> None:
        """Rows have changed of what this process keeps: look again."""
        self.keys.wake()
        self.revocations.wake()


def build_sign_in(
    pool: Pool, clock: Clock, ids: Ids, means: SignInMeans, rules: CodeRules, random_bytes: RandomBytes
) -> SignIn:
    """`means` are what is outside the database."""
    codes = PhoneCodes(pool, clock, means, rules, random_bytes)
    keys = SigningKeys(pool, clock, means, random_bytes)
    access = AccessTokens(keys, clock, ids)
    revocations, successor_key = Revocations(pool, clock), means.key_for("successors of refresh tokens")
    sign_ins = SignIns(pool, clock, ids, codes, access, revocations, successor_key, random_bytes)
    return SignIn(codes, keys, sign_ins, revocations)
