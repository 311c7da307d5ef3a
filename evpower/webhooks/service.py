"""What operators do with endpoints."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass

from evpower.clock import Clock, Ids, RandomBytes
from evpower.db.pool import Pool
from evpower.db.unit_of_work import reading, unit_of_work
from evpower.errors import InvalidRequest, NotFound
from evpower.webhooks.addresses import Lookup, NotPublic, host_of, look_up, public_address
from evpower.webhooks.endpoint import ENDPOINTS_MOST, ROTATION, WebhookDelivery, WebhookEndpoint, WebhookEvent
from evpower.webhooks.rows import endpoints
from evpower.webhooks.rows.deliveries import WebhookFigures, read_webhook_figures
from evpower.webhooks.signature import SECRET_BYTES, secret_text

__all__ = ["NewSecret", "WebhookFigures", "Webhooks", "read_webhook_figures"]

log = logging.getLogger("security")

NO_ENDPOINT = "Такого адреса для событий нет"
NO_DELIVERY = "Такой отправки у этого адреса нет"
NOT_A_URL = "нужен адрес https:// без имени и пароля в нём"
NOT_PUBLIC = "имя должно вести на публичные адреса"
TOO_MANY = f"адресов может быть не больше {ENDPOINTS_MOST}"


@dataclass(frozen=True)
class NewSecret:
    """An endpoint and its secret, which is shown this once."""

    endpoint: WebhookEndpoint
    secret: str


class Webhooks:
    """Endpoints, and what they were sent."""

    def __init__(
        self, pool: Pool, clock: Clock, ids: Ids, random_bytes: RandomBytes, *, look_up: Lookup = look_up
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._ids = ids
        self._random_bytes = random_bytes
        self._look_up = look_up

    async def endpoints(self) -> list[WebhookEndpoint]:
        """All of them, the oldest first."""
        async with reading(self._pool) as conn:
            return await endpoints.list_endpoints(conn, self._clock.now())

    async def add(self, url: str, events: Collection[WebhookEvent], *, actor: str) -> NewSecret:
        """Events from now on go there too. Raises InvalidRequest."""
        found = host_of(url)
        if found is None:
            raise InvalidRequest(("url", NOT_A_URL))
        try:
            await public_address(*found, self._look_up)
        except NotPublic as error:
            raise InvalidRequest(("url", f"{NOT_PUBLIC}: {error}")) from None
        endpoint_id, secret = f"we_{self._ids.new()}", self._random_bytes(SECRET_BYTES)
        async with unit_of_work(self._pool) as uow:
            if await endpoints.count_locked(uow.conn) >= ENDPOINTS_MOST:
                raise InvalidRequest(("url", TOO_MANY))
            at = self._clock.now()
            await endpoints.add_endpoint(uow.conn, endpoint_id, url, events, secret, at=at, actor=actor)
            uow.after_commit(lambda: log.info("webhook endpoint added: id=%s, actor=%s", endpoint_id, actor))
        return NewSecret(await self._endpoint(endpoint_id), secret_text(secret))

    async def remove(self, endpoint_id: str, *, actor: str) -> None:
        """It gets nothing any more; what it was sent is forgotten. Raises NotFound."""
        async with unit_of_work(self._pool) as uow:
            if not await endpoints.remove_endpoint(uow.conn, endpoint_id):
                raise NotFound(NO_ENDPOINT)
            uow.after_commit(lambda: log.info("webhook endpoint removed: id=%s, actor=%s", endpoint_id, actor))

    async def rotate(self, endpoint_id: str, *, actor: str) -> NewSecret:
        """A new secret; for a day both sign. Raises NotFound."""
        secret, until = self._random_bytes(SECRET_BYTES), self._clock.now() + ROTATION
        async with unit_of_work(self._pool) as uow:
            if not await endpoints.rotate_secret(uow.conn, endpoint_id, secret, until):
                raise NotFound(NO_ENDPOINT)
            uow.after_commit(lambda: log.info("webhook secret changed: id=%s, actor=%s", endpoint_id, actor))
        return NewSecret(await self._endpoint(endpoint_id), secret_text(secret))

    async def enable(self, endpoint_id: str, *, actor: str) -> WebhookEndpoint:
        """A disabled one gets events again, and what was queued for it before. Raises NotFound."""
        async with unit_of_work(self._pool) as uow:
            if not await endpoints.enable_endpoint(uow.conn, endpoint_id, self._clock.now()):
                raise NotFound(NO_ENDPOINT)
            uow.after_commit(lambda: log.info("webhook endpoint enabled: id=%s, actor=%s", endpoint_id, actor))
        return await self._endpoint(endpoint_id)

    async def deliveries(self, endpoint_id: str, state: str | None = None) -> list[WebhookDelivery]:
        """What it was sent, or is to be, within a month; the newest first. Raises NotFound."""
        await self._endpoint(endpoint_id)
        async with reading(self._pool) as conn:
            return await endpoints.list_deliveries(conn, endpoint_id, state)

    async def redeliver(self, endpoint_id: str, delivery_id: int, *, actor: str) -> None:
        """Send it again at once, with its id of before. Raises NotFound."""
        async with unit_of_work(self._pool) as uow:
            if not await endpoints.queue_again(uow.conn, endpoint_id, delivery_id, self._clock.now()):
                raise NotFound(NO_DELIVERY)
            uow.after_commit(lambda: log.info("webhook sent again: id=%d, actor=%s", delivery_id, actor))

    async def _endpoint(self, endpoint_id: str) -> WebhookEndpoint:
        async with reading(self._pool) as conn:
            found = await endpoints.list_endpoints(conn, self._clock.now(), endpoint_id)
        if not found:
            raise NotFound(NO_ENDPOINT)
        return found[0]
