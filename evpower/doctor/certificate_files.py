"""Reads our certificates: the TLS listener's, the authorities beside it, the station CA's, the one shown to OBANK."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from evpower.doctor.finding import Sentence, Value, sentence
from evpower.doctor.outside import (
    LONG_NOTICE,
    RENEW_AUTHORITY,
    RENEW_CA,
    RENEW_OBANK,
    RENEW_TLS,
    CertificateFacts,
)
from evpower.errors import ConfigError
from evpower.ocpp.door.tls import TlsFiles, load_context
from evpower.security.station_ca import load_station_ca
from evpower.settings.config import Config

STATION_CA = sentence("certificates.station_ca")


def certificates(config: Config, now: datetime) -> Iterator[CertificateFacts]:
    """Each certificate that the settings name, or that `evpower ca init` made."""
    if config.ocpp.tls_bind:
        yield _listener(config)
        if config.ocpp.tls_client_ca:
            yield _pem("ocpp.tls_client_ca", Path(config.ocpp.tls_client_ca), RENEW_AUTHORITY)
    certificate, key = config.station_ca
    if config.ocpp.station_ca_certificate or _is_there(certificate):
        yield _station_ca(certificate, key, now)
    if config.obank.is_on:
        yield _obank(config)


def _listener(config: Config) -> CertificateFacts:
    """With its key: they must belong together."""
    certificate = Path(config.ocpp.tls_certificate)
    try:
        load_context(TlsFiles(certificate, Path(config.ocpp.tls_key)))
    except ConfigError as error:
        return CertificateFacts("ocpp.tls_certificate", error="; ".join(error.problems), renew=RENEW_TLS)
    return _pem("ocpp.tls_certificate", certificate, RENEW_TLS)


def _pem(what: Value, file: Path, renew: Sentence) -> CertificateFacts:
    """Of several the first to end."""
    try:
        found = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as error:
        return CertificateFacts(what, error=_reason(file, error), renew=renew)
    return CertificateFacts(what, min(each.not_valid_after_utc for each in found), renew=renew)


def _station_ca(certificate: Path, key: Path, now: datetime) -> CertificateFacts:
    facts = _pem(STATION_CA, certificate, RENEW_CA)
    if facts.ends_at is None or facts.ends_at <= now:
        return facts
    try:
        load_station_ca(certificate, key, now)
    except ConfigError as error:
        return CertificateFacts(STATION_CA, error="; ".join(error.problems), renew=RENEW_CA)
    return CertificateFacts(STATION_CA, facts.ends_at, renew=RENEW_CA, notice=LONG_NOTICE)


def _obank(config: Config) -> CertificateFacts:
    what, file = "obank.certificate", Path(config.obank.certificate)
    try:
        opened = load_pkcs12(file.read_bytes(), config.obank.certificate_password.encode() or None)
    except (OSError, ValueError) as error:
        return CertificateFacts(what, error=_reason(file, error), renew=RENEW_OBANK)
    if opened.cert is None or opened.key is None:
        return CertificateFacts(what, error=sentence("certificates.without_key", file=str(file)), renew=RENEW_OBANK)
    ends_at = opened.cert.certificate.not_valid_after_utc
    return CertificateFacts(what, ends_at, renew=RENEW_OBANK, notice=LONG_NOTICE)


def _is_there(file: Path) -> bool:
    try:
        return file.exists()
    except OSError:
        return True


def _reason(file: Path, error: Exception) -> Value:
    if isinstance(error, OSError) and error.strerror:
        return f"{file}: {error.strerror}"
    return sentence("certificates.none", file=str(file))
