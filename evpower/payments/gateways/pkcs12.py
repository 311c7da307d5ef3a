"""A client's certificate and key from a PKCS#12 file, for mutual TLS (contract/payments §3.1)."""

from __future__ import annotations

import logging
import secrets
import ssl
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12KeyAndCertificates, load_pkcs12

from evpower.errors import ConfigError

logger = logging.getLogger("payment")

#: How long before its end a certificate is spoken of at each start.
NOTICE_OF_EXPIRY = timedelta(days=30)


def client_context(certificate: Path, password: str, ca_certificate: Path | None, now: datetime) -> ssl.SSLContext:
    """A context that shows the certificate and verifies the peer, by `ca_certificate` or what this system trusts.

    One that has ended is a warning: charging must start without card payments too. Raises ConfigError naming the
    setting that is wrong; the password is never in it.
    """
    try:
        context = ssl.create_default_context(cafile=ca_certificate)
    except (OSError, ValueError) as error:
        raise ConfigError([f"obank.ca_certificate: cannot be used: {_reason(error)}"]) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    opened = _read(certificate, password)
    _show(context, opened)
    ends_at = opened.cert.certificate.not_valid_after_utc if opened.cert else now
    if ends_at < now + NOTICE_OF_EXPIRY:
        logger.warning("obank.certificate: ends at %s; the bank accepts it no longer than that", ends_at.isoformat())
    return context


def _read(certificate: Path, password: str) -> PKCS12KeyAndCertificates:
    try:
        content = certificate.read_bytes()
    except OSError as error:
        raise ConfigError([f"obank.certificate: cannot be read: {_reason(error)}"]) from None
    try:
        return load_pkcs12(content, password.encode() or None)
    except ValueError:
        raise ConfigError(
            ["obank.certificate, obank.certificate_password: the file is no PKCS#12, or the password is wrong"]
        ) from None


def _show(context: ssl.SSLContext, opened: PKCS12KeyAndCertificates) -> None:
    """`load_cert_chain` reads files only: one of ours (0600), the key in it locked by a passphrase used this once."""
    if opened.key is None or opened.cert is None:
        raise ConfigError(["obank.certificate: the file must hold a certificate and its key"])
    passphrase = secrets.token_bytes(32).hex()
    chain = [opened.cert, *opened.additional_certs]
    with NamedTemporaryFile(prefix="evpower-", suffix=".pem") as file:
        file.write(
            opened.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode()))
        )
        file.writelines(entry.certificate.public_bytes(Encoding.PEM) for entry in chain)
        file.flush()
        try:
            context.load_cert_chain(file.name, password=passphrase)
        except (OSError, ValueError) as error:
            raise ConfigError([f"obank.certificate: cannot be used: {_reason(error)}"]) from None


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)) or type(error).__name__
