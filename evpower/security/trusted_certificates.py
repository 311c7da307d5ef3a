"""Root certificates that stations trust: installed, listed, deleted (security white paper, M03, M04, M05)."""

from __future__ import annotations

from collections.abc import Sequence

import trio

from evpower.errors import InvalidRequest
from evpower.identifiers import StationId
from evpower.link.commands import (
    CERTIFICATE_USES,
    CertificateUse,
    Distrust,
    HeldCertificate,
    ListTrusted,
    Reply,
    Trust,
    Trusted,
)
from evpower.link.errors import CommandRejected
from evpower.stations.commands import StationCommands


class TrustedCertificates:
    """Asks stations; they are the truth of what they trust, and nothing is kept here."""

    def __init__(self, commands: StationCommands) -> None:
        self._commands = commands

    async def install(self, station_id: StationId, use: CertificateUse, certificate: str) -> Reply:
        """Have the station trust a certificate (PEM). Raises InvalidRequest, CommandFailure."""
        await trio.to_thread.run_sync(_check, certificate)
        return await self._commands.demand(station_id, Trust(use, certificate))

    async def installed(self, station_id: StationId, use: CertificateUse | None) -> Trusted:
        """What the station trusts, of one use or of both. Raises CommandFailure."""
        found = [
            await self._commands.ask(station_id, ListTrusted(each))
            for each in (CERTIFICATE_USES if use is None else (use,))
        ]
        return Trusted(
            tuple(certificate for each in found for certificate in each.certificates),
            tuple(entry for each in found for entry in each.as_sent),
        )

    async def delete(self, station_id: StationId, certificate: str | None, serial_number: str | None) -> Reply:
        """Have the station forget the certificate given as PEM, or by its serial number in hexadecimal digits.

        It is asked first what it holds: it names certificates by hashes of its own choice. Raises InvalidRequest, and
        CommandRejected with `NotFound` when it holds no such one.
        """
        if (certificate is None) == (serial_number is None):
            raise InvalidRequest(("body", "либо certificate, либо serial_number"))
        if certificate is not None:
            await trio.to_thread.run_sync(_check, certificate)
        held = await self.installed(station_id, None)
        named = await trio.to_thread.run_sync(_named, held.certificates, certificate, serial_number)
        if not named:
            raise CommandRejected("NotFound", {"certificates": list(held.as_sent)})
        if len(named) > 1:
            raise InvalidRequest(("serial_number", "несколько сертификатов с этим номером, укажите certificate"))
        return await self._commands.demand(station_id, Distrust(named[0]))


def _check(certificate: str) -> None:
    from evpower.security.certificate_hashes import read_certificate

    read_certificate(certificate)


def _named(
    held: Sequence[HeldCertificate], certificate: str | None, serial_number: str | None
) -> list[HeldCertificate]:
    """Those that are meant; the same one trusted for two uses is one."""
    from evpower.security.certificate_hashes import means, plain_hex, read_certificate

    if certificate is not None:
        meant = read_certificate(certificate)
        found = [each for each in held if means(each, meant)]
    else:
        wanted = plain_hex(serial_number or "")
        found = [each for each in held if plain_hex(each.serial_number) == wanted]
    return list(dict.fromkeys(found))
