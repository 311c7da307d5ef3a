"""Certificates as the security extension of OCPP 1.6 writes them (white paper, A02, M03-M05)."""

from __future__ import annotations

from evpower.link.commands import (
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


async def trust(send: Send, command: Trust) -> Reply:
    payload = {"certificateType": command.use, "certificate": command.certificate}
    return reply(await send(Request("InstallCertificate", payload)))


async def list_trusted(send: Send, command: ListTrusted) -> Trusted:
    """A station that holds none answers NotFound, with no list."""
    answer = await send(Request("GetInstalledCertificateIds", {"certificateType": command.use}))
    entries = answer.get("certificateHashData") or ()
    return trusted(command.use, entries)


async def distrust(send: Send, command: Distrust) -> Reply:
    return reply(await send(Request("DeleteCertificate", {"certificateHashData": hash_data(command.certificate)})))


async def renew(send: Send, _: RenewCertificate) -> Reply:
    return reply(await send(Request("ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"})))


async def deliver(send: Send, command: DeliverCertificate) -> Reply:
    return reply(await send(Request("CertificateSigned", {"certificateChain": command.chain})))
