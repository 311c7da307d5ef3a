"""Whether a certificate still counts, as OCSP asks and answers it (RFC 6960)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

HASHES: dict[str, HashAlgorithm] = {"SHA256": SHA256(), "SHA384": SHA384(), "SHA512": SHA512()}


@dataclass(frozen=True)
class CertificateQuestion:
    """A certificate by its hashes and number (hexadecimal digits), and who can say whether it still counts."""

    hash_algorithm: Literal["SHA256", "SHA384", "SHA512"]
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str
    responder_url: str


def request_about(question: CertificateQuestion) -> bytes:
    """The request in DER. Raises ValueError for digits that are none, or for hashes of another length."""
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        bytes.fromhex(question.issuer_name_hash),
        bytes.fromhex(question.issuer_key_hash),
        int(question.serial_number, 16),
        HASHES[question.hash_algorithm],
    )
    return builder.build().public_bytes(Encoding.DER)


def is_about(answer: bytes, question: CertificateQuestion) -> bool:
    """Whether this is a responder's answer on the certificate; the station checks who signed it."""
    try:
        response = ocsp.load_der_ocsp_response(answer)
        return (
            response.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL
            and response.serial_number == int(question.serial_number, 16)
            and response.issuer_key_hash == bytes.fromhex(question.issuer_key_hash)
        )
    except ValueError:
        return False
