"""Certificates that a station holds: CertificateHashDataType, which every version of OCPP writes alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from evpower.link.commands import CertificateUse, HeldCertificate, Trusted


def trusted(use: CertificateUse, entries: Collection[Mapping[str, Any]]) -> Trusted:
    """What a station holds for this use, by its own list."""
    return Trusted(
        tuple(
            HeldCertificate(
                entry["hashAlgorithm"], entry["issuerNameHash"], entry["issuerKeyHash"], entry["serialNumber"]
            )
            for entry in entries
        ),
        tuple({"certificateType": use, **entry} for entry in entries),
    )


def hash_data(certificate: HeldCertificate) -> dict[str, str]:
    """The certificate as a station names it."""
    return {
        "hashAlgorithm": certificate.hash_algorithm,
        "issuerNameHash": certificate.issuer_name_hash,
        "issuerKeyHash": certificate.issuer_key_hash,
        "serialNumber": certificate.serial_number,
    }
