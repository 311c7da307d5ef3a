"""The service account that opens Firebase: the JSON file that its console gives out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from evpower.errors import ConfigError
from evpower.settings.addresses import Url

#: Where a signed assertion may go.
SAFE = Url(("https", "http"), needs_host=True, plain_only_here=True)
SETTING = "push.fcm_service_account"


@dataclass(frozen=True)
class ServiceAccount:
    """Who asks for access tokens, and where."""

    project_id: str
    client_email: str
    token_uri: str
    private_key_id: str
    private_key: RSAPrivateKey = field(repr=False)


class _File(msgspec.Struct):
    project_id: str
    client_email: str
    token_uri: str
    private_key_id: str
    private_key: str


def read_service_account(path: Path) -> ServiceAccount:
    """The account in the file. Raises ConfigError, which shows nothing of what is in it."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_File)
        key = load_pem_private_key(found.private_key.encode(), password=None)
    except OSError as error:
        raise ConfigError([f"{SETTING}: {path} cannot be read: {error.strerror}"]) from None
    except (msgspec.MsgspecError, ValueError, TypeError):
        raise ConfigError([f"{SETTING}: {path} is no service account's JSON file"]) from None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError([f"{SETTING}: the key in {path} is not RSA"])
    try:
        SAFE.read(found.token_uri)
    except ValueError as error:
        raise ConfigError([f"{SETTING}: token_uri in {path} {error}"]) from None
    return ServiceAccount(found.project_id, found.client_email, found.token_uri, found.private_key_id, key)
