"""Which certificate a station means by its hashes, which are OCSP's CertID (RFC 6960 §4.1.1)."""

from __future__ import annotations

import hashlib

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp

from evpower.errors import InvalidRequest
from evpower.link.commands import HeldCertificate

ALGORITHMS: dict[str, hashes.HashAlgorithm] = {
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}


def read_certificate(pem: str) -> x509.Certificate:
    """The one certificate in the text. Raises InvalidRequest."""
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        found = []
    if len(found) != 1:
        raise InvalidRequest(("certificate", "ожидается один сертификат PEM"))
    return found[0]


def means(held: HeldCertificate, certificate: x509.Certificate) -> bool:
    """Whether a station's hash data names this certificate. The issuer's key is compared where we know it: a root's."""
    algorithm = ALGORITHMS[held.hash_algorithm]
    pairs = [
        (held.issuer_name_hash, hashlib.new(algorithm.name, certificate.issuer.public_bytes()).hexdigest()),
        (held.serial_number, f"{certificate.serial_number:x}"),
    ]
    if certificate.issuer == certificate.subject:
        own = ocsp.OCSPRequestBuilder().add_certificate(certificate, certificate, algorithm).build()
        pairs.append((held.issuer_key_hash, own.issuer_key_hash.hex()))
    return all(plain_hex(reported) == plain_hex(known) for reported, known in pairs)


def plain_hex(digits: str) -> str:
    """Hexadecimal digits as they are compared: stations write them large or small, with leading zeros or colons."""
    return digits.strip().lower().removeprefix("0x").replace(":", "").lstrip("0")
