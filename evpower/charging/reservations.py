"""Opening a session: price, hold, rows, in the caller's unit of work. A phone's order and a card at the station both
end here (contract/rest-api §4.1; design §9.11)."""

from __future__ import annotations

from evpower.billing.clients import Client
from evpower.billing.pricing import Pricing
from evpower.billing.reservation import ReservationRules, reserve
from evpower.billing.service import BillingService
from evpower.billing.tariff import Price
from evpower.charging.rows import sessions
from evpower.charging.session import StartOrder
from evpower.clock import Clock
from evpower.db.unit_of_work import UnitOfWork
from evpower.identifiers import IdTag, SessionId
from evpower.network.station_records import refresh_connector


class Reserving:
    """The one way money is held for a charge."""

    def __init__(self, clock: Clock, billing: BillingService, pricing: Pricing, rules: ReservationRules) -> None:
        self._clock = clock
        self._billing = billing
        self._pricing = pricing
        self._rules = rules

    async def open(
        self, uow: UnitOfWork, client: Client, order: StartOrder, session_id: SessionId, id_tag: IdTag, actor: str
    ) -> Price:
        """Write the session in phase `reserved` with its hold; the price it will be billed by.

        The client's row is locked. Raises InsufficientBalance, MinimumAmountRequired, and ConnectorTaken.
        """
        now = self._clock.now()
        price = await self._pricing.for_start(uow.conn, order.station_id, order.connector_id, client.id, now)
        held = reserve(
            energy_wh=order.energy_wh,
            amount_tyiyn=order.amount_tyiyn,
            balance_tyiyn=client.balance_tyiyn,
            rates=price.rates,
            rules=self._rules,
        )
        history_id = await self._pricing.record(uow.conn, session_id, order.station_id, price, now)
        new = sessions.NewSession(session_id, order, held, price.rates, history_id, id_tag, now)
        await sessions.insert_session(uow.conn, new)
        await refresh_connector(uow.conn, order.station_id, order.connector_id, now)
        await self._billing.hold(uow, client, session_id, held.reserved_tyiyn, actor)
        return price
