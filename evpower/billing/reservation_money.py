"""Money of kept connectors, in the caller's unit of work, with the client's row locked (roadmap/reservations §3)."""

from __future__ import annotations

import logging

from evpower.billing.clients import Client
from evpower.billing.debts import recover_debts
from evpower.billing.errors import InsufficientBalance
from evpower.billing.ledger import reservation_end_entry, reservation_hold_entry, reservation_return_entry
from evpower.billing.rows.ledger import post_entry
from evpower.clock import Clock
from evpower.db.unit_of_work import UnitOfWork
from evpower.identifiers import ClientId
from evpower.money import som_fixed
from evpower.push.outbox import PushOutbox

log = logging.getLogger("payment")


class ReservationMoney:
    """Holds, ends and returns; nothing is written where nothing moves."""

    def __init__(self, clock: Clock, push: PushOutbox) -> None:
        self._clock = clock
        self._push = push

    async def hold(
        self, uow: UnitOfWork, client: Client, reservation_id: str, amount_tyiyn: int, *, is_extension: bool = False
    ) -> None:
        """Raises InsufficientBalance, which names the whole sum."""
        if client.balance_tyiyn < amount_tyiyn:
            raise InsufficientBalance(client.balance_tyiyn, amount_tyiyn)
        actor = f"client:{client.id}"
        entry = reservation_hold_entry(reservation_id, client.id, amount_tyiyn, actor, is_extension=is_extension)
        if await post_entry(uow.conn, entry, self._clock.now()) is not None:
            self._log(uow, "RESERVATION_HOLD", reservation_id, amount_tyiyn, client.id)

    async def end(
        self, uow: UnitOfWork, client_id: ClientId, reservation_id: str, hold_tyiyn: int, fee_tyiyn: int, actor: str
    ) -> None:
        """Resolve the hold: the fee is ours, the rest goes back, and pays debts. A second call moves nothing."""
        entry = reservation_end_entry(reservation_id, client_id, hold_tyiyn, fee_tyiyn, actor)
        if await post_entry(uow.conn, entry, self._clock.now()) is None:
            return
        self._log(uow, "RESERVATION_FEE", reservation_id, fee_tyiyn, client_id)
        paid_tyiyn = await recover_debts(uow, client_id, cause_key=entry.key, actor=actor, at=self._clock.now())
        await self._push.warn_of_low_balance(uow, client_id, entry.key, fee_tyiyn + paid_tyiyn)

    async def give_back(
        self, uow: UnitOfWork, client_id: ClientId, reservation_id: str, fee_tyiyn: int, actor: str
    ) -> None:
        """The fee goes back, once, and pays debts."""
        entry = reservation_return_entry(reservation_id, client_id, fee_tyiyn, actor)
        if await post_entry(uow.conn, entry, self._clock.now()) is None:
            return
        self._log(uow, "RESERVATION_RETURN", reservation_id, fee_tyiyn, client_id)
        await recover_debts(uow, client_id, cause_key=entry.key, actor=actor, at=self._clock.now())

    def _log(self, uow: UnitOfWork, what: str, reservation_id: str, amount_tyiyn: int, client_id: ClientId) -> None:
        line = "💳 %s: reservation_id=%s, amount=%s, client_id=%s"
        uow.after_commit(lambda: log.info(line, what, reservation_id, som_fixed(amount_tyiyn), client_id))
