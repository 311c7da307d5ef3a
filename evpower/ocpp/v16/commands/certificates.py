"""Certificates as the security extension of OCPP 1.6 writes them (white paper, A02, M03-M05)."""

from __future__ import annotations

from evpower.link.commands import (
    DeliverCertificate,
    Distrust,
    HeldCertificate,
    ListTrusted,
    RenewCertificate,
    Reply,
    Trust,
    Trusted,
)
from evpower.ocpp.dialect import Request, Send
from evpower.ocpp.shared.answers import reply


async def trust(send: Send, command: Trust) -> Reply:
    payload = {"certificateType": command.use, "certificate": command.certificate}
    return reply(await send(Request("InstallCertificate", payload)))


async def list_trusted(send: Send, command: ListTrusted) -> Trusted:
    """A station that holds none answers NotFound, with no list."""
    answer = await send(Request("GetInstalledCertificateIds", {"certificateType": command.use}))
    entries = answer.get("certificateHashData") or ()
    return Trusted(
        tuple(
            HeldCertificate(
                entry["hashAlgorithm"], entry["issuerNameHash"], entry["issuerKeyHash"], entry["serialNumber"]
            )
            for entry in entries
        ),
        tuple({"certificateType": command.use, **entry} for entry in entries),
    )


async def distrust(send: Send, command: Distrust) -> Reply:
    named = {
        "hashAlgorithm": command.certificate.hash_algorithm,
        "issuerNameHash": command.certificate.issuer_name_hash,
        "issuerKeyHash": command.certificate.issuer_key_hash,
        "serialNumber": command.certificate.serial_number,
    }
    return reply(await send(Request("DeleteCertificate", {"certificateHashData": named})))


async def renew(send: Send, _: RenewCertificate) -> Reply:
    return reply(await send(Request("ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"})))


async def deliver(send: Send, command: DeliverCertificate) -> Reply:
    return reply(await send(Request("CertificateSigned", {"certificateChain": command.chain})))
