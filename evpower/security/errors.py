"""Why a station gets no certificate."""

from __future__ import annotations

from evpower.errors import EvPowerError, Refusal


class Unsignable(EvPowerError):
    """A station's request for a certificate that is refused; the message says why, for the log and the operator."""


class NoStationCa(Refusal):
    code = "no_station_ca"
    message = "Центр сертификации станций не создан: evpower ca init"
