"""Opening a session: price, hold, rows, in the caller's unit of work. A phone's order and a card at the station both
end here (contract/rest-api §4.1; design §9.11)."""

from __future__ import annotations

from datetime import datetime

from evpower.billing.clients import Client, lock_client, read_free_money
from evpower.billing.pricing import Pricing
from evpower.billing.reservation import ReservationRules, reserve, reserve_for_report
from evpower.billing.service import BillingService
from evpower.billing.tariff import Price
from evpower.charging.rows import sessions
from evpower.charging.session import StartOrder
from evpower.charging.settler import Settler
from evpower.clock import Clock
from evpower.db.connection import Conn
from evpower.db.unit_of_work import UnitOfWork
from evpower.identifiers import ClientId, ConnectorId, IdTag, SessionId, StationId
from evpower.idle_fees.keeper import IdleFees
from evpower.network.station_records import read_start_spot, refresh_connector


class Reserving:
    """The one way money is held for a charge."""

    def __init__(
        self,
        clock: Clock,
        billing: BillingService,
        pricing: Pricing,
        rules: ReservationRules,
        settler: Settler,
        idle_fees: IdleFees,
    ) -> None:
        self._clock = clock
        self._billing = billing
        self._pricing = pricing
        self._rules = rules
        self._idle_fees = idle_fees
        #: A start waits in its own name for what is over: money and connector are then as the driver knows them.
        self.settle_before = settler.settle_before_start

    async def check(self, conn: Conn, station_id: StationId, client_id: ClientId, released_tyiyn: int) -> None:
        """Whether a card of this client could begin at the station now, with what its start would release.

        Raises InsufficientBalance.
        """
        price, _ = await self._pricing.for_start(conn, station_id, None, client_id, self._clock.now())
        reserve(
            energy_wh=None,
            amount_tyiyn=None,
            balance_tyiyn=await read_free_money(conn, client_id, released_tyiyn),
            rates=price.rates,
            rules=self._rules,
        )

    async def open(
        self, uow: UnitOfWork, client: Client, order: StartOrder, session_id: SessionId, id_tag: IdTag, actor: str
    ) -> Price:
        """Write the session in phase `reserved` with its hold; the price it will be billed by.

        The client's row is locked. Raises InsufficientBalance, MinimumAmountRequired, and ConnectorTaken.
        """
        now = self._clock.now()
        price, power_kw = await self._pricing.for_start(uow.conn, order.station_id, order.connector_id, client.id, now)
        held = reserve(
            energy_wh=order.energy_wh,
            amount_tyiyn=order.amount_tyiyn,
            balance_tyiyn=client.balance_tyiyn,
            rates=price.highest_rates(order.energy_wh, power_kw),
            rules=self._rules,
        )
        await self._write(uow, client, sessions.Opening(session_id, order, held, id_tag, now), price, actor)
        return price

    async def open_reported(
        self,
        uow: UnitOfWork,
        client: Client,
        order: StartOrder,
        session_id: SessionId,
        id_tag: IdTag,
        began_at: datetime,
    ) -> None:
        """The same for a charge that began long before we hear of it (field ruling 2.3), priced by its own time.

        It holds what is free and is never refused. Where another charge has the connector by now, this one is over.
        """
        price, _ = await self._pricing.for_start(uow.conn, order.station_id, order.connector_id, client.id, began_at)
        held = reserve_for_report(client.balance_tyiyn, self._rules)
        spot = await read_start_spot(uow.conn, order.station_id, order.connector_id)
        is_over = spot is not None and spot.running_session is not None
        opening = sessions.Opening(session_id, order, held, id_tag, began_at, is_over=is_over)
        await self._write(uow, client, opening, price, f"card:{id_tag}")

    async def reopen(self, uow: UnitOfWork, released: sessions.ReleasedStart, connector_id: ConnectorId) -> None:
        """A charge began before its reservation was given up: its hold is taken again, as far as there is money."""
        client = await lock_client(uow.conn, released.client_id)
        session = await sessions.lock_session(uow.conn, released.id)
        assert session is not None, "sessions are never deleted"
        if session.phase != "released" or session.record is not None:
            return
        now = self._clock.now()
        held_tyiyn = max(0, min(session.terms.reserved_tyiyn, client.balance_tyiyn))
        spot = await read_start_spot(uow.conn, session.station_id, connector_id)
        is_over = spot is not None and spot.running_session is not None
        await sessions.reopen(uow.conn, session.id, connector_id, held_tyiyn, is_over=is_over, at=now)
        await refresh_connector(uow.conn, session.station_id, connector_id, now)
        await self._billing.hold(uow, client, session.id, held_tyiyn, f"station:{session.station_id}", again=True)

    async def _write(
        self, uow: UnitOfWork, client: Client, opening: sessions.Opening, price: Price, actor: str
    ) -> None:
        now, order = self._clock.now(), opening.order
        history_id = await self._pricing.record(uow.conn, opening.id, order.station_id, price, opening.start_time)
        await sessions.insert_session(uow.conn, sessions.NewSession(opening, price.rates, history_id, now))
        if not opening.is_over:
            await self._idle_fees.open(uow, opening.id, price)
        await refresh_connector(uow.conn, order.station_id, order.connector_id, now)
        await self._billing.hold(uow, client, opening.id, opening.reservation.reserved_tyiyn, actor)
