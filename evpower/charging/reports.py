"""What chargers tell us, in domain words: the one service behind every OCPP version's handlers.

Handlers translate the wire and call here; no rule lives in a handler. Every method answers only after what it
reports is durable (design §4: acknowledge after commit) and raises nothing a charger could cause: a database that is
down raises, and the charger is told InternalError and repeats (duty 15).
"""

from __future__ import annotations

from datetime import datetime

from evpower.charging.charge_point import Admission, Boot, BootVerdict, StatusReport
from evpower.charging.id_tag import IdTagVerdict
from evpower.charging.meter_value import MeterReport
from evpower.charging.transaction import BegunTransaction, TransactionStart, TransactionStop
from evpower.identifiers import IdTag, StationId


class ChargerReports:
    async def admit(self, identity: str) -> Admission | None:
        """The station a socket's identity names (its id, or its serial number when no id matches), or None."""
        raise NotImplementedError

    async def connected(self, station_id: StationId) -> None:
        """A charger's socket is open and registered; pending work for it is taken up again."""
        raise NotImplementedError

    async def disconnected(self, station_id: StationId, last_seen_at: datetime) -> None:
        """A charger's socket ended and no twin replaced it."""
        raise NotImplementedError

    async def boot(self, station_id: StationId, boot: Boot) -> BootVerdict:
        raise NotImplementedError

    async def ready_for_commands(self, station_id: StationId) -> None:
        """The charger finished booting (first status, or a short delay): pending starts and stops are sent again."""
        raise NotImplementedError

    async def connector_status(self, station_id: StationId, report: StatusReport) -> None:
        raise NotImplementedError

    async def authorize(self, station_id: StationId, id_tag: IdTag) -> IdTagVerdict:
        raise NotImplementedError

    async def begin_transaction(self, station_id: StationId, start: TransactionStart) -> BegunTransaction:
        raise NotImplementedError

    async def record_meter_values(self, station_id: StationId, report: MeterReport) -> None:
        raise NotImplementedError

    async def end_transaction(self, station_id: StationId, stop: TransactionStop) -> IdTagVerdict | None:
        """The verdict on the stop's tag, or None when it named none. An unknown transaction is parked, not refused."""
        raise NotImplementedError

    async def park(self, station_id: StationId, action: str, reason: str, payload: bytes) -> None:
        """Keep a report that matches nothing, with all its data, for a person (duty 20, 23)."""
        raise NotImplementedError
