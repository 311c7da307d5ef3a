"""The versions of OCPP that are spoken here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from evpower.attempts.service import OrderedStart
from evpower.charging.transaction import ParkedStop
from evpower.history.evidence import SignedValue
from evpower.ocpp.dialect import Dialect, Request
from evpower.ocpp.v16.dialect import OCPP_16
from evpower.ocpp.v201.dialect import OCPP_201
from evpower.ocpp.watch.masking import Masking

#: Newest first; of what a station offers, its own first is spoken.
DIALECTS: tuple[Dialect, ...] = (OCPP_201, OCPP_16)
MASKING = Masking(
    [secret for dialect in DIALECTS for secret in dialect.secrets],
    [secret for dialect in DIALECTS for secret in dialect.secret_messages],
)


def read_start(action: str, payload: Mapping[str, Any]) -> OrderedStart | None:
    """An operator's command as the order of a charge, in whatever version; None when it is none."""
    starts = (dialect.read_start(Request(action, payload)) for dialect in DIALECTS)
    return next((start for start in starts if start is not None), None)


def read_stop(action: str, payload: str) -> ParkedStop | None:
    """A stored report as the end of a charge, in whatever version it came; None when it is none."""
    stops = (dialect.read_stop(action, payload) for dialect in DIALECTS)
    return next((stop for stop in stops if stop is not None), None)


def read_signed(payload: str) -> Iterable[SignedValue]:
    """The signed values of stored readings or of a stored stop, in whatever version it came; mostly none."""
    found = (list(dialect.read_signed(payload)) for dialect in DIALECTS)
    return next((values for values in found if values), [])
