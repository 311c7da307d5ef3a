"""Root certificates that chargers trust: installed, listed, deleted (security white paper, M03, M04, M05)."""

from __future__ import annotations

from typing import Any, Literal

import trio

from evpower.errors import CommandRejected, InvalidRequest
from evpower.identifiers import StationId
from evpower.stations.commands import StationCommands

#: Of our central system, and of the maker who signs firmware.
CertificateUse = Literal["CentralSystemRootCertificate", "ManufacturerRootCertificate"]
USES: tuple[CertificateUse, ...] = ("CentralSystemRootCertificate", "ManufacturerRootCertificate")


class TrustedCertificates:
    """Asks chargers; they are the truth of what they trust, and nothing is kept here."""

    def __init__(self, commands: StationCommands) -> None:
        self._commands = commands

    async def install(self, station_id: StationId, use: CertificateUse, certificate: str) -> dict[str, Any]:
        """Have the charger trust a certificate (PEM). Raises InvalidRequest, CommandFailure."""
        await trio.to_thread.run_sync(_check, certificate)
        payload = {"certificateType": use, "certificate": certificate}
        return await self._commands.ask(station_id, "InstallCertificate", payload)

    async def installed(self, station_id: StationId, use: CertificateUse | None) -> dict[str, Any]:
        """What the charger trusts, of one use or of both, in its own hash data. Raises CommandFailure."""
        found: list[dict[str, Any]] = []
        for each in USES if use is None else (use,):
            answer = await self._commands.send(station_id, "GetInstalledCertificateIds", {"certificateType": each})
            found += [{"certificateType": each, **entry} for entry in answer.get("certificateHashData") or ()]
        return {"certificates": found}

    async def delete(self, station_id: StationId, certificate: str | None, serial_number: str | None) -> dict[str, Any]:
        """Have the charger forget the certificate given as PEM, or by its serial number in hexadecimal digits.

        It is asked first what it holds: it names certificates by hashes of its own choice. Raises InvalidRequest, and
        CommandRejected with `NotFound` when it holds no such one.
        """
        if (certificate is None) == (serial_number is None):
            raise InvalidRequest(("body", "либо certificate, либо serial_number"))
        if certificate is not None:
            await trio.to_thread.run_sync(_check, certificate)
        held = (await self.installed(station_id, None))["certificates"]
        named = await trio.to_thread.run_sync(_named, held, certificate, serial_number)
        if not named:
            raise CommandRejected("NotFound", {"certificates": held})
        if len(named) > 1:
            raise InvalidRequest(("serial_number", "несколько сертификатов с этим номером, укажите certificate"))
        return await self._commands.ask(station_id, "DeleteCertificate", {"certificateHashData": named[0]})


def _check(certificate: str) -> None:
    from evpower.security.certificate_hashes import read_certificate

    read_certificate(certificate)


def _named(held: list[dict[str, Any]], certificate: str | None, serial_number: str | None) -> list[dict[str, Any]]:
    """The hash data that names the certificate; the same one trusted for two uses is one."""
    from evpower.security.certificate_hashes import means, plain_hex, read_certificate

    entries = [{name: value for name, value in entry.items() if name != "certificateType"} for entry in held]
    if certificate is not None:
        meant = read_certificate(certificate)
        found = [entry for entry in entries if means(entry, meant)]
    else:
        wanted = plain_hex(serial_number or "")
        found = [entry for entry in entries if plain_hex(entry["serialNumber"]) == wanted]
    return [entry for index, entry in enumerate(found) if entry not in found[:index]]
