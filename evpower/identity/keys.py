"""Keys that verify tokens. A key knows its one algorithm, so no token chooses how it is checked (identity §1)."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import jwt
import msgspec

from evpower.identity.token import NotBelieved, Token

log = logging.getLogger("security")

SECRET_ALGORITHM = "HS256"
#: What a public key verifies, by its type and curve.
PUBLIC_ALGORITHMS = {("RSA", ""): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
RSA_BITS_MIN = 2048
KEYS_MAX = 64

_jws = jwt.PyJWS()


@dataclass(frozen=True)
class Key:
    """One key. Two are equal when they verify the same tokens; `kid` is None for a secret, which has no name."""

    kid: str | None
    algorithm: str
    thumbprint: str
    material: Any = field(repr=False, compare=False)

    def claims(self, token: Token) -> Mapping[str, Any]:
        """What the token claims, its signature verified. Raises NotBelieved."""
        try:
            payload = _jws.decode(token.text, self.material, algorithms=[self.algorithm])
            return msgspec.json.decode(payload, type=dict[str, Any])
        except jwt.PyJWTError:
            raise NotBelieved("signature") from None
        except (ValueError, RecursionError):  # msgspec's own are ValueErrors
            raise NotBelieved("claims") from None


class KeySource(Protocol):
    """Where an issuer's keys are: given, or fetched from a provider."""

    async def find(self, token: Token) -> Key | None:
        """The key that may verify it, None without one. Raises ServiceUnavailable when the keys cannot be had."""
        ...

    def holds(self, key: Key) -> bool:
        """Whether the key is still one of them. Raises ServiceUnavailable."""
        ...


class GivenKeys:
    """Keys that are given to us: a secret, or our own issuer's public keys, which are given anew when they change."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._keys = tuple(keys)

    def give(self, keys: Iterable[Key]) -> None:
        """These are the keys from now on; what the others verified is verified no more."""
        self._keys = tuple(keys)

    async def find(self, token: Token) -> Key | None:
        return find_key(self._keys, token)

    def holds(self, key: Key) -> bool:
        return key in self._keys


def find_key(keys: Sequence[Key], token: Token) -> Key | None:
    """The key of the token's `kid` and algorithm; a secret has no name, and a public key must be named."""
    for key in keys:
        if key.algorithm == token.algorithm and key.kid in (None, token.kid):
            return key
    return None


def secret_key(secret: str) -> Key:
    """A secret that we share with the issuer: HS256 and nothing else."""
    material = secret.encode()
    return Key(None, SECRET_ALGORITHM, hashlib.sha256(material).hexdigest(), material)


def read_key_set(document: bytes) -> tuple[Key, ...]:
    """The usable keys of a JWKS document; the others are logged. Raises ValueError when it is none."""
    keys = msgspec.json.decode(document, type=dict[str, Any]).get("keys")
    if not isinstance(keys, list) or len(keys) > KEYS_MAX:
        raise ValueError("no list of keys")
    usable: dict[str, Key] = {}
    for number, jwk in enumerate(keys):
        try:
            key = public_key(jwk)
        except ValueError as error:
            log.warning("key %d of the key set is not used: %s", number, error)
            continue
        usable.setdefault(str(key.kid), key)
    return tuple(usable.values())


def public_key(jwk: Mapping[str, Any]) -> Key:
    """A public key as a JWK. Raises ValueError for what verifies no token of ours."""
    if not isinstance(jwk, Mapping) or "d" in jwk:
        raise ValueError("it is no public key")
    algorithm = PUBLIC_ALGORITHMS.get((str(jwk.get("kty")), str(jwk.get("crv", ""))))
    kid, operations = jwk.get("kid"), jwk.get("key_ops", ["verify"])
    if algorithm is None or jwk.get("alg", algorithm) != algorithm:
        raise ValueError("its algorithm is none of RS256, ES256 and EdDSA")
    if not isinstance(kid, str) or not kid:
        raise ValueError("it has no kid")
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise ValueError("it is not for signatures")
    try:
        material = jwt.PyJWK(dict(jwk), algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError):
        raise ValueError("it cannot be read") from None
    if algorithm == "RS256" and material.key_size < RSA_BITS_MIN:
        raise ValueError(f"it is shorter than {RSA_BITS_MIN} bits")
    return Key(kid, algorithm, _thumbprint(jwk), material)


def _thumbprint(jwk: Mapping[str, Any]) -> str:
    """RFC 7638: a hash of what makes the key this one."""
    members = {name: jwk[name] for name in ("crv", "e", "kty", "n", "x", "y") if name in jwk}
    return hashlib.sha256(msgspec.json.encode(members, order="sorted")).hexdigest()
