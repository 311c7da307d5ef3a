"""Stations' passwords: salted scrypt, checked in a thread, remembered so that a reconnect storm is cheap (duty 7)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections import OrderedDict
from collections.abc import Callable

import trio

#: 2**13 × 8 × 128 bytes = 8 MiB and about 20 ms per check.
COST, BLOCK, LANES = 2**13, 8, 1
MAX_PASSWORD_BYTES = 1024
SALT_BYTES = 16


def hash_password(password: str, salt: bytes) -> str:
    """`scrypt$cost$block$lanes$salt$key` with salt and key in base64; the salt comes from the caller (16 bytes)."""
    key = _scrypt(password, salt, COST, BLOCK, LANES)
    return f"scrypt${COST}${BLOCK}${LANES}${b64encode(salt).decode()}${b64encode(key).decode()}"


def verify_password(password: str, password_hash: str) -> bool:
    """Whether the hash is of this password; False for a hash we cannot read. Takes tens of milliseconds of CPU."""
    try:
        name, cost, block, lanes, salt, key = password_hash.split("$")
        expected = b64decode(key, validate=True)
        actual = _scrypt(password, b64decode(salt, validate=True), int(cost), int(block), int(lanes))
    except (ValueError, MemoryError):
        return False
    return name == "scrypt" and hmac.compare_digest(expected, actual)


def _scrypt(password: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    return hashlib.scrypt(
        password.encode(), salt=salt, n=cost, r=block, p=lanes, dklen=32, maxmem=2 * 128 * block * (cost + lanes + 2)
    )


class SaltedPasswords:
    """Implements `evpower.db.fleet.Passwords`; salts are the machine's randomness unless a test brings its own."""

    def __init__(self, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._random_bytes = random_bytes

    def hash(self, password: str) -> str:
        """A new salted hash."""
        return hash_password(password, self._random_bytes(SALT_BYTES))

    def verify(self, password: str, password_hash: str) -> bool:
        """Whether the hash is of this password."""
        return verify_password(password, password_hash)


class PasswordChecker:
    """Remembers verdicts under a keyed digest, so neither passwords nor bare hashes of them stay in memory."""

    def __init__(self, key: bytes, *, max_remembered: int = 20_000, max_threads: int = 2) -> None:
        self._key = key
        self._max_remembered = max_remembered
        self._threads = trio.CapacityLimiter(max_threads)
        self._verdicts: OrderedDict[tuple[str, bytes], bool] = OrderedDict()

    def remembers(self, password: str, password_hash: str) -> bool:
        """Whether this password was found right before: the answer costs nothing."""
        return self._verdicts.get((password_hash, self._digest(password)), False)

    def _digest(self, password: str) -> bytes:
        return hashlib.blake2b(password.encode(errors="replace"), key=self._key, digest_size=32).digest()

    async def matches(self, password: str, password_hash: str) -> bool:
        """Whether the password is the right one; comparisons take constant time."""
        if len(password.encode(errors="replace")) > MAX_PASSWORD_BYTES:
            return False
        digest = self._digest(password)
        verdict = self._verdicts.get((password_hash, digest))
        if verdict is None:
            verdict = await trio.to_thread.run_sync(verify_password, password, password_hash, limiter=self._threads)
            self._verdicts[password_hash, digest] = verdict
            while len(self._verdicts) > self._max_remembered:
                self._verdicts.popitem(last=False)
        return verdict
