"""What somebody on call needs at the telephone when a station does not answer (contract/operator-pages §3.1). Pure.

Whom to call, what to read out, what is at stake there, and what to have tried, in the order in which it helps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from evpower.administration.records import StoredContact
from evpower.case_files.station_case import StationCase, StationState

#: The socket was cut, or its TCP connection died: the line or its modem; any other code comes from the station.
CUT = 1006
#: These stations are heard, or are ours to switch on: nobody has to be called about a line.
HEARD = frozenset({StationState.ONLINE, StationState.BOOTING, StationState.CONNECTING})


class Remedy(StrEnum):
    """What to have tried; the value is a text of `call_sheet_try`."""

    #: All stations of the place are silent.
    PLACE = "place"
    #: The others of the place are heard.
    ALONE = "alone"
    NEVER = "never"
    LIT = "lit"
    BREAKER = "breaker"
    LINE = "line"
    SIM = "sim"
    CABLE = "cable"
    CAR = "car"
    RESTART = "restart"
    WAIT = "wait"
    HEARD = "heard"


@dataclass(frozen=True)
class SheetPlace:
    """Where it stands; `directions` by language."""

    latitude: float | None
    longitude: float | None
    directions: Mapping[str, str]


@dataclass(frozen=True)
class SheetConnector:
    """What a connector reported last."""

    number: int
    ocpp_status: str | None
    error_code: str
    changed_at: datetime | None


@dataclass(frozen=True)
class SheetHold:
    """Money that is held for what happens there: a charge that is not settled, or a kept connector (`charge` None)."""

    session_id: str | None
    client_id: str
    client_name: str | None
    client_phone: str | None
    connector_id: int
    phase: str
    since: datetime
    energy_wh: int | None
    read_at: datetime | None
    held_tyiyn: int


@dataclass(frozen=True)
class SheetNeighbour:
    """Another active station of the place."""

    station_id: str
    serial_number: str
    last_seen_at: datetime | None
    is_silent: bool


@dataclass(frozen=True)
class SheetPerson:
    """A person of the staff who has the place among their own."""

    id: str
    phone: str | None
    email: str | None


@dataclass(frozen=True)
class SheetOutage:
    """How it went away; `close_code` of its WebSocket, None: its socket did not close, or its process ended."""

    began_at: datetime
    cause: str
    close_code: int | None


@dataclass(frozen=True)
class CallSheet:
    """Everything on one page."""

    case: StationCase
    place: SheetPlace
    contact: StoredContact | None
    people: Sequence[SheetPerson]
    connectors: Sequence[SheetConnector]
    outage: SheetOutage | None
    holds: Sequence[SheetHold]
    neighbours: Sequence[SheetNeighbour]

    @property
    def silent_neighbours(self) -> list[SheetNeighbour]:
        return [each for each in self.neighbours if each.is_silent]

    @property
    def held_tyiyn(self) -> int:
        return sum(each.held_tyiyn for each in self.holds)

    @property
    def attempts(self) -> list[Remedy]:
        """What to have tried, first things first."""
        return list(_attempts(self))


def _attempts(sheet: CallSheet) -> Iterator[Remedy]:
    if sheet.case.state in HEARD:
        yield Remedy.HEARD
        return
    if sheet.neighbours and len(sheet.silent_neighbours) == len(sheet.neighbours):
        yield Remedy.PLACE
    elif sheet.neighbours:
        yield Remedy.ALONE
    yield from (Remedy.LIT, Remedy.BREAKER)
    if sheet.case.state is StationState.NEVER:
        yield Remedy.NEVER
    # It said nothing for long while its socket was open, or the socket was cut: its line before its cable.
    is_cut = sheet.outage is None or sheet.outage.cause == "silence" or sheet.outage.close_code in (CUT, None)
    yield from (Remedy.SIM, Remedy.LINE, Remedy.CABLE) if is_cut else (Remedy.LINE, Remedy.CABLE, Remedy.SIM)
    if sheet.holds:
        yield Remedy.CAR
    yield from (Remedy.RESTART, Remedy.WAIT)
