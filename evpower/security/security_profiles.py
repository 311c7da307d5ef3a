"""Raising a station's security profile (security white paper, A05): never lower, never to what would lock it out.

The station uses the new profile from its next connection on; one that answers RebootRequired, or goes on as before, is
reset by the operator.
"""

from __future__ import annotations

from collections.abc import Sequence

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading
from evpower.digits import INT32_MAX, whole_number
from evpower.errors import InvalidRequest, StationNotFound
from evpower.identifiers import StationId
from evpower.link.commands import Setting
from evpower.network import station_records
from evpower.security.rows import certificates
from evpower.stations.configuration import Configuration

KEY = "SecurityProfile"
#: From this profile on the station comes by TLS, from the next on with a certificate of its own.
BY_TLS, BY_CERTIFICATE = 2, 3


class SecurityProfiles:
    """`tls` is whether stations find a TLS door here."""

    def __init__(self, pool: Pool, clock: Clock, configuration: Configuration, *, tls: bool) -> None:
        self._pool = pool
        self._clock = clock
        self._configuration = configuration
        self._tls = tls

    async def raise_to(self, station_id: StationId, profile: int) -> dict[str, str]:
        """Set the profile; the station is asked first which one it has. The status of the setting.

        Raises InvalidRequest and CommandFailure.
        """
        if profile >= BY_TLS and not self._tls:
            raise InvalidRequest(("profile", "нет TLS для станций: ocpp.tls_bind"))
        await self._check_credentials(station_id, profile)
        present = _profile_in((await self._configuration.read(station_id, [KEY])).settings)
        if profile <= present:
            raise InvalidRequest(("profile", f"сейчас {present}, профиль можно только повысить"))
        return await self._configuration.write(station_id, {KEY: str(profile)})

    async def _check_credentials(self, station_id: StationId, profile: int) -> None:
        """The station must have what it will log in with."""
        async with reading(self._pool) as conn:
            admission = await station_records.admit(conn, station_id)
            certified = await certificates.holds_valid(conn, station_id, self._clock.now())
        if admission is None:
            raise StationNotFound
        if profile >= BY_CERTIFICATE and not certified:
            raise InvalidRequest(("profile", "станция не получила сертификат: операция renew-certificate"))
        if profile < BY_CERTIFICATE and admission.password_hash is None:
            raise InvalidRequest(("profile", "у станции нет пароля"))


def _profile_in(settings: Sequence[Setting]) -> int:
    """The profile a station says it has; 0 when it knows no such key or says nothing readable."""
    values = [each.value or "" for each in settings if each.key.lower() == KEY.lower()]
    return (whole_number(values[0].strip(), INT32_MAX) if values else None) or 0
