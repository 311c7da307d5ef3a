"""Certificates made on the spot: an authority, a server's certificate, chargers' certificates."""

from __future__ import annotations

import datetime
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

#: Around any clock a test runs on.
NOT_BEFORE = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
NOT_AFTER = datetime.datetime(2049, 1, 1, tzinfo=datetime.UTC)


def named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def in_full(
    builder: x509.CertificateBuilder, key: ec.EllipticCurvePublicKey, signed_by: ec.EllipticCurvePublicKey, *, ca: bool
) -> x509.CertificateBuilder:
    """With what RFC 5280 wants of an authority's certificate, or of another one: Python 3.13 verifies strictly."""
    usage = x509.KeyUsage(True, False, False, False, False, ca, ca, False, False)
    return (
        builder.add_extension(x509.BasicConstraints(ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signed_by), critical=False)
    )


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path


class Authority:
    """Signs whatever a test needs; files lie in `folder`."""

    def __init__(self, folder: Path, name: str = "Test CA") -> None:
        self.folder = folder
        self.name = named(name)
        self.key = ec.generate_private_key(ec.SECP256R1())
        public = self.key.public_key()
        builder = x509.CertificateBuilder(self.name, self.name, public, 1, NOT_BEFORE, NOT_AFTER)
        certificate = in_full(builder, public, public, ca=True).sign(self.key, hashes.SHA256())
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self._serial = 1

    def issue(
        self, common_name: str, *dns_names: str, file: str | None = None, not_after: datetime.datetime = NOT_AFTER
    ) -> Pair:
        """A certificate for the name; `file` names the two files."""
        self._serial += 1
        key = ec.generate_private_key(ec.SECP256R1())
        builder = x509.CertificateBuilder(
            self.name, named(common_name), key.public_key(), self._serial, NOT_BEFORE, not_after
        )
        if dns_names:
            names = [x509.DNSName(name) for name in dns_names]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = in_full(builder, key.public_key(), self.key.public_key(), ca=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        pair = Pair(self.folder / f"{file or self._serial}.crt", self.folder / f"{file or self._serial}.key")
        pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        pair.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return pair

    def client_context(self, own: Pair | None = None) -> ssl.SSLContext:
        """A charger that trusts this authority and shows `own`."""
        context = ssl.create_default_context(cafile=str(self.file))
        if own is not None:
            context.load_cert_chain(own.certificate, own.key)
        return context
