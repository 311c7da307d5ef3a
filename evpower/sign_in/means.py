"""What signing in needs from outside the database: the installation's secret, and a way to send SMS."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio

from evpower.clock import RandomBytes, random_bytes
from evpower.errors import ConfigError
from evpower.settings.config import Config
from evpower.sign_in.sms import LogSms, Sms
from evpower.sign_in.sms_gateway import open_gateway

#: In the state directory, unless `sign_in.secret` is set.
SECRET_FILE = "sign-in.secret"
SECRET_BYTES = 32


@dataclass(frozen=True)
class SignInMeans:
    """Without `sms` nobody can sign in by phone; who has signed in before stays so."""

    secret: bytes = field(repr=False)
    sms: Sms | None

    def key_for(self, purpose: str) -> bytes:
        """A key of its own for each purpose: what leaks of one says nothing of the others."""
        return hmac.digest(self.secret, purpose.encode(), hashlib.sha256)


@asynccontextmanager
async def open_means(config: Config, random_bytes: RandomBytes = random_bytes) -> AsyncIterator[SignInMeans]:
    """As configured. Raises ConfigError: the secret's file cannot be used."""
    if config.sign_in.secret:
        secret = config.sign_in.secret.encode()
    else:
        secret = await trio.to_thread.run_sync(kept_secret, config.state_dir / SECRET_FILE, random_bytes)
    match config.sms.transport:
        case "http":
            async with open_gateway(config.sms, random_bytes) as gateway:
                yield SignInMeans(secret, gateway)
        case "log":
            yield SignInMeans(secret, LogSms())
        case _:
            yield SignInMeans(secret, None)


def kept_secret(path: Path, random_bytes: RandomBytes) -> bytes:
    """The file's secret, made when there is none: whole or not at all, for its owner alone. Raises ConfigError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path, random_bytes(SECRET_BYTES))
        secret = path.read_bytes()
    except OSError as error:
        raise ConfigError([f"{path}: the secret of sign-in cannot be kept there: {error.strerror}"]) from None
    if len(secret) != SECRET_BYTES:
        raise ConfigError([f"{path}: is not the secret it was made as; remove it, and everybody signs in anew"])
    return secret


def _make(path: Path, secret: bytes) -> None:
    """Another process of the same state directory may do so in the same moment: the first one's stays."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        if not path.exists():
            os.link(new, path)
    except FileExistsError:
        pass
    finally:
        new.unlink()
