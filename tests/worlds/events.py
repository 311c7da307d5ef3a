"""The same charger with OCPP 2.0.1: it names its transactions and reports them in events."""

from __future__ import annotations

from collections import Counter
from typing import Any

from evpower.charging.transaction import BegunTransaction
from evpower.identifiers import ConnectorId, IdTag, StationId, WireTransactionId
from evpower.metering.meter_value import Sample
from evpower.reports.transaction_event import EventAnswer, EventStage, ReportedEvent
from tests.worlds.charging import ONE, STATION, World


class EventWorld(World):
    """Its charger's `begin`, `meter` and `end` are TransactionEvents, numbered from 0."""

    def __init__(self, world: World) -> None:
        super().__init__(world.app, world.pool, world.clock, world.link)
        self._numbers: Counter[WireTransactionId] = Counter()
        self._names = 0

    def new_id(self) -> WireTransactionId:
        """A name as stations make them."""
        self._names += 1
        return WireTransactionId(f"8c0f-{self._names}")

    def event(
        self, wire_id: WireTransactionId, kind: EventStage, register_wh: int | None = None, **facts: Any
    ) -> ReportedEvent:
        """The transaction's next event, now; `power_w` beside the register."""
        seq_no = facts.pop("seq_no", None)
        if seq_no is None:
            seq_no = self._numbers[wire_id]
            self._numbers[wire_id] += 1
        sample = Sample(facts.get("occurred_at", self.clock.now()), register_wh, facts.pop("power_w", None))
        samples = () if register_wh is None else (sample,)
        event = ReportedEvent(wire_id, seq_no, kind, self.clock.now(), ONE, samples=samples)
        return event._replace(**facts)

    async def tell(self, event: ReportedEvent, station: StationId = STATION) -> EventAnswer:
        """The charger reports it."""
        reports = self.app.reports
        return await reports.reading_in_order(station, event) or await reports.transaction_event(station, event)

    async def kept_numbers(self) -> list[int]:
        """The numbers of all events that are kept: as events, or as rows of readings."""
        rows = await self.sql(
            "SELECT seq_no FROM evpower.transaction_events UNION ALL"
            " SELECT seq_no FROM evpower.ocpp_meter_values WHERE seq_no IS NOT NULL ORDER BY 1"
        )
        return [row["seq_no"] for row in rows]

    async def begin(
        self, tag: IdTag, *, connector: ConnectorId = ONE, meter_wh: int = 1000, station: StationId = STATION
    ) -> BegunTransaction:
        wire_id = self.new_id()
        answer = await self.tell(self.event(wire_id, "Started", meter_wh, id_tag=tag, connector_id=connector), station)
        assert answer.verdict is not None
        return BegunTransaction(wire_id, answer.verdict)

    async def meter(
        self,
        transaction_id: WireTransactionId | None,
        register_wh: int,
        *,
        power_w: float | None = None,
        connector: ConnectorId = ONE,
    ) -> None:
        assert transaction_id is not None
        await self.tell(self.event(transaction_id, "Updated", register_wh, power_w=power_w, connector_id=connector))

    async def end(self, transaction_id: WireTransactionId, register_wh: int | None, reason: str = "Local") -> None:
        await self.tell(self.event(transaction_id, "Ended", register_wh, stop_reason=reason))
