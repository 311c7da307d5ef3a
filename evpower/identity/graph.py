"""The room put together: whose tokens are believed, and what checks them."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from evpower.clock import Clock
from evpower.identity.claims import ClaimRules
from evpower.identity.identity import Identity
from evpower.identity.keys import GivenKeys, KeySource, secret_key
from evpower.identity.remote_keys import RemoteKeys
from evpower.identity.verifier import Issuer, Verifier


@dataclass(frozen=True)
class TokenRules:
    """The foreign issuer's keys (a secret, an address of public ones, both or neither), and what its tokens claim."""

    secret: str = field(default="", repr=False)
    keys_url: str = ""
    issuer: str = ""
    audience: str = "authenticated"


@dataclass(frozen=True)
class Tokens:
    """What checks tokens; `remote_keys` must run while it is used, None without an address of keys."""

    verifier: Verifier
    remote_keys: RemoteKeys | None = None


def build_tokens(
    rules: TokenRules,
    clock: Clock,
    *,
    own_keys: KeySource | None = None,
    refused: Callable[[Identity], bool] = lambda identity: False,
) -> Tokens:
    """`own_keys` are the public keys of our own issuer; `refused` says who is not let in with a token that is right.

    Keys at hand come first, because those of an address may have to be waited for.
    """
    foreign = ClaimRules(rules.audience, rules.issuer or None)
    issuers = []
    if own_keys is not None:
        issuers.append(Issuer(own_keys, ClaimRules(ours=True)))
    if rules.secret:
        issuers.append(Issuer(GivenKeys([secret_key(rules.secret)]), foreign))
    remote = RemoteKeys(rules.keys_url, ssl.create_default_context()) if rules.keys_url else None
    if remote is not None:
        issuers.append(Issuer(remote, foreign))
    return Tokens(Verifier(issuers, clock, refused), remote)
