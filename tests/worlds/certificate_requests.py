"""Signing requests as chargers make them, good and bad."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509.oid import NameOID

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | dsa.DSAPrivateKey


def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def names_of(*common_names: str, organisation: str | None = None) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name) for name in common_names]
    if organisation is not None:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(attributes)


def signing_request(
    *common_names: str, key: PrivateKey | None = None, organisation: str | None = None, dns_name: str | None = None
) -> str:
    """A signing request (PEM), by default with a new EC key."""
    builder = x509.CertificateSigningRequestBuilder(names_of(*common_names, organisation=organisation))
    if dns_name is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(dns_name)]), critical=False)
    return _pem(builder.sign(key or ec_key(), hashes.SHA256()))


def with_broken_signature(common_name: str) -> str:
    """A request whose signature is not its key's: one bit of it is turned."""
    der = bytearray(x509.load_pem_x509_csr(signing_request(common_name).encode()).public_bytes(_DER))
    der[-1] ^= 1
    return _pem(x509.load_der_x509_csr(bytes(der)))


def write_key(key: PrivateKey, path: Path) -> Path:
    """The key as a PEM file without a passphrase."""
    path.write_bytes(
        key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
    return path


_PEM, _DER = serialization.Encoding.PEM, serialization.Encoding.DER


def _pem(request: x509.CertificateSigningRequest) -> str:
    return request.public_bytes(_PEM).decode()
