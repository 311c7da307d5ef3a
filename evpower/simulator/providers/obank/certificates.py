"""A certificate authority for one run of the sandbox: OBANK's server, and the point that may call it.

Keys are made at the start, and the authority's never touches the disk. The dates are wide, because the machine's own
clock judges them, whatever clock the sandbox runs on. The extensions are those of RFC 5280 in full: Python 3.13 and
newer verify strictly.
"""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOT_BEFORE = datetime(2020, 1, 1, tzinfo=UTC)
NOT_AFTER = datetime(2049, 1, 1, tzinfo=UTC)


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


class Authority:
    """Issues what one run needs."""

    def __init__(self, name: str = "EvPower sandbox CA") -> None:
        self._name = _named(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        public = self._key.public_key()
        self._certificate = (
            x509.CertificateBuilder(self._name, self._name, public, x509.random_serial_number(), NOT_BEFORE, NOT_AFTER)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def pem(self) -> bytes:
        """The authority's certificate: what a client trusts."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def point(self, name: str, password: str, not_after: datetime = NOT_AFTER) -> bytes:
        """A client certificate as PKCS#12, as the bank hands it out."""
        key, certificate = self._issue(name, not_after=not_after)
        encryption = serialization.BestAvailableEncryption(password.encode())
        return pkcs12.serialize_key_and_certificates(name.encode(), key, certificate, [self._certificate], encryption)

    def server_context(self, folder: Path) -> ssl.SSLContext:
        """TLS that insists on a certificate of this authority; `folder` holds the key while `ssl` reads it."""
        key, certificate = self._issue("localhost", "127.0.0.1", "::1")
        file = folder / "server.pem"
        write_private(
            file,
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_cert_chain(file)
        finally:
            file.unlink()
        context.load_verify_locations(cadata=self.pem().decode())
        return context

    def _issue(
        self, name: str, *addresses: str, not_after: datetime = NOT_AFTER
    ) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key = ec.generate_private_key(ec.SECP256R1())
        public, purpose = (
            key.public_key(),
            ExtendedKeyUsageOID.SERVER_AUTH if addresses else ExtendedKeyUsageOID.CLIENT_AUTH,
        )
        builder = (
            x509.CertificateBuilder(
                self._name, _named(name), public, x509.random_serial_number(), NOT_BEFORE, not_after
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if addresses:
            ips = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name), *ips]), critical=False)
        return key, builder.sign(self._key, hashes.SHA256())


def write_private(file: Path, content: bytes) -> None:
    """For this user alone, from the first byte on."""
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_bytes(content)
