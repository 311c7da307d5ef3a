"""Certificates as OCPP 2.0.1 writes them (A02, M03-M05)."""

from __future__ import annotations

from evpower.link.commands import (
    CertificateUse,
    DeliverCertificate,
    Distrust,
    ListTrusted,
    RenewCertificate,
    Reply,
    Trust,
    Trusted,
)
from evpower.ocpp.dialect import Request, Send
from evpower.ocpp.shared.answers import reply
from evpower.ocpp.shared.certificates import hash_data, trusted
from evpower.ocpp.v201.commands import requests

#: Our words for what a certificate is trusted for, which are those of 1.6.
USES: dict[CertificateUse, str] = {
    "CentralSystemRootCertificate": "CSMSRootCertificate",
    "ManufacturerRootCertificate": "ManufacturerRootCertificate",
}


async def trust(send: Send, command: Trust) -> Reply:
    payload = {"certificateType": USES[command.use], "certificate": command.certificate}
    return reply(await send(Request("InstallCertificate", payload)))


async def list_trusted(send: Send, command: ListTrusted) -> Trusted:
    """A station that holds none answers NotFound, with no list."""
    answer = await send(Request("GetInstalledCertificateIds", {"certificateType": [USES[command.use]]}))
    entries = [chain["certificateHashData"] for chain in answer.get("certificateHashDataChain") or ()]
    return trusted(command.use, entries)


async def distrust(send: Send, command: Distrust) -> Reply:
    return reply(await send(Request("DeleteCertificate", {"certificateHashData": hash_data(command.certificate)})))


async def renew(send: Send, _: RenewCertificate) -> Reply:
    return reply(await send(requests.trigger("SignChargingStationCertificate", None)))


async def deliver(send: Send, command: DeliverCertificate) -> Reply:
    payload = {"certificateChain": command.chain, "certificateType": "ChargingStationCertificate"}
    return reply(await send(Request("CertificateSigned", payload)))
