"""The station CA itself: read from its files, made anew, and what it signs (RFC 5280; security white paper, A02).

Importing this module costs a tenth of a second; `station_authority` does it when the CA is first needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from evpower.clock import RandomBytes
from evpower.errors import ConfigError
from evpower.security.certificate_requests import CertificateRequest
from evpower.security.errors import Unsignable

T = TypeVar("T")
CaKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

#: 79 bits that cannot be guessed, and at most 20 hexadecimal digits: some stations take no longer serial numbers.
SERIAL_BYTES = 10
#: Stations' clocks are wrong by hours; a certificate must not look unborn to the one it is for.
BACKDATED = timedelta(days=1)
#: OCPP's bound on CertificateSigned, less what the longest station's own certificate takes.
SUB_CAS_CHARS_MAX = 6000


@dataclass(frozen=True)
class IssuedCertificate:
    """A certificate with the sub CAs above it (PEM, the station's own first), and what operators look at."""

    chain: str
    common_name: str
    #: Hexadecimal digits.
    serial_number: str
    #: SHA-256 of the certificate, in hexadecimal digits.
    fingerprint: str
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True)
class StationCa:
    """A certificate that may sign others, and its key; `sub_cas` are sent to stations, a root is not."""

    certificate: x509.Certificate
    key: CaKey
    sub_cas: tuple[x509.Certificate, ...] = ()

    def sign(self, request: CertificateRequest, serial_number: int, now: datetime, days: int) -> IssuedCertificate:
        """A client certificate for `days` days, at most as long as the CA's own. Raises Unsignable."""
        ends_at = self.certificate.not_valid_after_utc
        if not self.certificate.not_valid_before_utc <= now < ends_at:
            raise Unsignable(f"the station CA's own certificate is good from {_period(self.certificate)}")
        not_before = max(now - BACKDATED, self.certificate.not_valid_before_utc)
        not_after = min(now + timedelta(days=days), ends_at)
        try:
            subject = _subject(request)
        except ValueError as error:
            raise Unsignable(f"its name cannot be signed: {error}") from None
        builder = x509.CertificateBuilder(
            self.certificate.subject, subject, request.public_key, serial_number, not_before, not_after
        )
        for extension, critical in _client_extensions(request, self.certificate):
            builder = builder.add_extension(extension, critical)
        certificate = builder.sign(self.key, hashes.SHA256())
        return IssuedCertificate(
            chain="".join(pem_of(each) for each in (certificate, *self.sub_cas)),
            common_name=request.common_name,
            serial_number=f"{serial_number:x}",
            fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
        )


def load_station_ca(certificate: Path, key: Path, now: datetime) -> StationCa:
    """The CA in two PEM files; the first may hold the sub CAs above it too. Raises ConfigError with all that is wrong.

    The key has no passphrase.
    """
    problems: list[str] = []
    chain = _read("ocpp.station_ca_certificate", certificate, x509.load_pem_x509_certificates, problems)
    private = _read(
        "ocpp.station_ca_key", key, lambda pem: serialization.load_pem_private_key(pem, password=None), problems
    )
    if private is not None and not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        problems.append(f"ocpp.station_ca_key: {key}: must be an RSA or EC key")
    elif chain and private is not None and chain[0].public_key() != private.public_key():
        problems.append(f"ocpp.station_ca_key: {key}: is not the key of {certificate}")
    if chain:
        problems += [f"ocpp.station_ca_certificate: {certificate}: {wrong}" for wrong in _not_a_ca(chain, now)]
    if problems:
        raise ConfigError(problems)
    assert chain
    assert isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    return StationCa(chain[0], private, _sub_cas(chain))


def new_station_ca(name: str, serial_number: int, now: datetime, years: int) -> StationCa:
    """A root of its own: EC P-256, signing nothing but certificates of stations. Raises ValueError for the name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    not_after = now + timedelta(days=round(365.25 * years))
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), serial_number, now - BACKDATED, not_after)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return StationCa(builder.sign(key, hashes.SHA256()), key)


def serial_number_of(random_bytes: RandomBytes) -> int:
    """A positive serial number from this randomness."""
    return int.from_bytes(random_bytes(SERIAL_BYTES)) >> 1 | 1


def pem_of(certificate: x509.Certificate) -> str:
    """The certificate as PEM text."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def key_pem_of(key: CaKey) -> bytes:
    """The key as PEM, without a passphrase."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _read(setting: str, path: Path, parse: Callable[[bytes], T], problems: list[str]) -> T | None:
    try:
        return parse(path.read_bytes())
    except OSError as error:
        problems.append(f"{setting}: {path}: cannot be read: {error.strerror}")
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        problems.append(f"{setting}: {path}: cannot be used: {error}")
    return None


def _not_a_ca(chain: Sequence[x509.Certificate], now: datetime) -> list[str]:
    """What keeps the first certificate from signing stations' certificates."""
    certificate, problems = chain[0], []
    try:
        extensions = certificate.extensions
        may_sign = extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        usage = [each.value for each in extensions if isinstance(each.value, x509.KeyUsage)]
        may_sign = may_sign and all(each.key_cert_sign for each in usage)
    except (x509.ExtensionNotFound, ValueError):
        may_sign = False
    if not may_sign:
        problems.append("is not the certificate of an authority")
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        problems.append(f"is good from {_period(certificate)}")
    if sum(len(pem_of(each)) for each in _sub_cas(chain)) > SUB_CAS_CHARS_MAX:
        problems.append(f"its sub CAs are longer than {SUB_CAS_CHARS_MAX} characters")
    return problems


def _sub_cas(chain: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    return tuple(each for each in chain if each.issuer != each.subject)


def _period(certificate: x509.Certificate) -> str:
    return f"{certificate.not_valid_before_utc:%Y-%m-%d} to {certificate.not_valid_after_utc:%Y-%m-%d}"


def _subject(request: CertificateRequest) -> x509.Name:
    names = [x509.NameAttribute(NameOID.COMMON_NAME, request.common_name)]
    if request.organisation is not None:
        names.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, request.organisation))
    return x509.Name(names)


def _client_extensions(request: CertificateRequest, issuer: x509.Certificate) -> list[tuple[x509.ExtensionType, bool]]:
    """What the certificate may be used for: to show who a station is, never to sign others."""
    is_rsa = isinstance(request.public_key, rsa.RSAPublicKey)
    issuer_key = issuer.public_key()
    assert isinstance(issuer_key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
    try:
        named = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        issuer_id = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(named)
    except x509.ExtensionNotFound:
        issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key)
    return [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(digital_signature=True, key_encipherment=is_rsa), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
        (x509.SubjectKeyIdentifier.from_public_key(request.public_key), False),
        (issuer_id, False),
    ]


def _key_usage(
    *,
    digital_signature: bool = False,
    key_encipherment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_encipherment=key_encipherment,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
