"""Cards and their groups, as operators manage them. Who may charge with one is decided in `verdicts.py` alone."""

from __future__ import annotations

from dataclasses import replace

from evpower.clock import Clock
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import InvalidRequest, NotFound
from evpower.identifiers import IdTag
from evpower.tags.rows import id_tags
from evpower.tags.rows.id_tags import Card, CardRecord, CardStatus


class Tags:
    """The stored cards. Tags that were made for one start from the app are not among them (design §9.10)."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def cards(self) -> list[CardRecord]:
        """Every card, by its text."""
        async with reading(self._pool) as conn:
            return await id_tags.list_cards(conn)

    async def get(self, tag: IdTag) -> CardRecord:
        """One card, ignoring case (duty 27). Raises NotFound."""
        async with reading(self._pool) as conn:
            card = await id_tags.read_card(conn, tag)
        if card is None:
            raise NotFound
        return card

    async def put(self, card: Card) -> CardRecord:
        """Make the card, or make it so.

        Raises InvalidRequest for an unknown client, for a phone number and for a tag of the app.
        """
        async with unit_of_work(self._pool) as uow:
            if card.client_id is not None:
                owner = await id_tags.known_client(uow.conn, card.client_id)
                if owner is None:
                    raise InvalidRequest(("client_id", "клиент не найден"))
                card = replace(card, client_id=owner)
            if await id_tags.phones_among(uow.conn, [card.id_tag]):
                raise InvalidRequest(("id_tag", "номер телефона не может быть картой"))
            if not await id_tags.put_card(uow.conn, card, self._clock.now()):
                raise InvalidRequest(("id_tag", "такой тег создан для запуска из приложения"))
        return await self.get(card.id_tag)

    async def set_status(self, tag: IdTag, status: CardStatus) -> CardRecord:
        """Block the card, or no longer; its client, group and expiry stay. Raises NotFound."""
        async with unit_of_work(self._pool) as uow:
            if not await id_tags.set_card_status(uow.conn, tag, status):
                raise NotFound
        return await self.get(tag)

    async def phone_numbers(self) -> list[IdTag]:
        """Cards whose text is a phone number, from before that was refused: whoever knows the number can charge."""
        async with reading(self._pool) as conn:
            return await id_tags.phones_among(conn, [card.id_tag for card in await id_tags.list_cards(conn)])

    async def delete(self, tag: IdTag) -> None:
        """Forget the card; its past charges keep its text. Raises NotFound."""
        async with unit_of_work(self._pool) as uow:
            if not await id_tags.delete_card(uow.conn, tag):
                raise NotFound
