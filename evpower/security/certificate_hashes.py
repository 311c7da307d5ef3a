"""How chargers name an installed certificate: OCPP's CertificateHashData, which is OCSP's CertID (RFC 6960 §4.1.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp

from evpower.errors import InvalidRequest

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


def means(entry: Mapping[str, Any], certificate: x509.Certificate) -> bool:
    """Whether a charger's hash data names this certificate. The issuer's key is compared where we know it: a root's."""
    algorithm = ALGORITHMS[entry["hashAlgorithm"]]
    expected = {
        "issuerNameHash": hashlib.new(algorithm.name, certificate.issuer.public_bytes()).hexdigest(),
        "serialNumber": f"{certificate.serial_number:x}",
    }
    if certificate.issuer == certificate.subject:
        own = ocsp.OCSPRequestBuilder().add_certificate(certificate, certificate, algorithm).build()
        expected["issuerKeyHash"] = own.issuer_key_hash.hex()
    return all(plain_hex(entry[name]) == plain_hex(value) for name, value in expected.items())


def plain_hex(digits: str) -> str:
    """Hexadecimal digits as they are compared: chargers write them large or small, with leading zeros or colons."""
    return digits.strip().lower().removeprefix("0x").replace(":", "").lstrip("0")
