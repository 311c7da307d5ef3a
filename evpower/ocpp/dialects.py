"""The versions of OCPP that are spoken here."""

from __future__ import annotations

from evpower.ocpp.dialect import Dialect
from evpower.ocpp.v16.dialect import OCPP_16
from evpower.ocpp.watch.masking import Masking

#: Best first: of what a charger offers, the first is spoken.
DIALECTS: tuple[Dialect, ...] = (OCPP_16,)
MASKING = Masking([secret for dialect in DIALECTS for secret in dialect.secrets])
