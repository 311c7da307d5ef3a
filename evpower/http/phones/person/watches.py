"""Watches: /api/v1/favorites/{location_id}/watch (contract/roadmap/history-favorites-push §2)."""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial

import trio
from quart import Blueprint, Response

from evpower.favorites.errors import NoSuchLocation
from evpower.favorites.watches import Watches
from evpower.http.phones.answer_types.favorites import FavoriteRemovedBody, WatchingBody
from evpower.http.phones.person.newcomers import Newcomers
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.caller import ANYBODY, asking_client, signed_in_client
from evpower.http.wire.described import described
from evpower.http.wire.idempotency import Idempotency, KeyedWork, claim_of_request
from evpower.http.wire.kinds import MOMENT, formed
from evpower.http.wire.requests import BodyFields, read_object
from evpower.http.wire.values import instant
from evpower.idempotency.claim import IdempotencyClaim
from evpower.identifiers import LOCATION_ID, ClientId

ANSWER_WITHIN_S = 9
ASKING = partial(signed_in_client, who=ANYBODY)
CONNECTOR_TYPE = formed(re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,50}"))


def watch_order(fields: BodyFields) -> tuple[str | None, datetime | None]:
    """Of which type a connector must be free, until when it is waited for. Raises InvalidRequest."""
    connector_type, until = fields.optional("connector_type", CONNECTOR_TYPE), fields.optional("until", MOMENT)
    fields.check()
    return connector_type, until


class WatchDoor:
    """Wire to service and back; no rule of its own."""

    def __init__(self, watches: Watches, newcomers: Newcomers, idempotency: Idempotency) -> None:
        self._watches = watches
        self._newcomers = newcomers
        self._idempotency = idempotency

    @described(
        "One notice when a connector is free here",
        query=ASKING,
        body=watch_order,
        answer=WatchingBody,
        refused=200,
        keyed=True,
    )
    async def start(self, location_id: str) -> Response:
        """`PUT /favorites/{location_id}/watch`."""
        client_id, fields = asking_client(), BodyFields(await read_object())
        connector_type, until = watch_order(fields)
        if LOCATION_ID.fullmatch(location_id) is None:
            raise NoSuchLocation
        with trio.fail_after(ANSWER_WITHIN_S):
            await self._newcomers.admit(client_id)
            start = partial(self._start, client_id, location_id, connector_type, until)
            work = KeyedWork(start, partial(self._started, client_id, location_id))
            return written(await self._idempotency.answer(claim_of_request(client_id, fields), work))

    @described("No notice any more", query=ASKING, answer=FavoriteRemovedBody, keyed=True)
    async def stop(self, location_id: str) -> Response:
        """`DELETE /favorites/{location_id}/watch`, a success also when nothing was waited for."""
        client_id, fields = asking_client(), BodyFields(await read_object())
        with trio.fail_after(ANSWER_WITHIN_S):
            stop = partial(self._stop, client_id, location_id)
            work = KeyedWork(stop, lambda _effect: stop(None))
            return written(await self._idempotency.answer(claim_of_request(client_id, fields), work))

    async def _start(
        self,
        client_id: ClientId,
        location_id: str,
        connector_type: str | None,
        until: datetime | None,
        claim: IdempotencyClaim | None,
    ) -> Answer:
        watched_until = await self._watches.start(client_id, location_id, connector_type, until, claim)
        return Answer({"success": True, "watching_until": instant(watched_until)})

    async def _started(self, client_id: ClientId, location_id: str, _effect: object) -> Answer:
        """A watch whose answer was lost: it may have had its one notice since then, and is not made again."""
        watched_until = await self._watches.waits_until(client_id, location_id)
        return Answer({"success": True, "watching_until": instant(watched_until)})

    async def _stop(self, client_id: ClientId, location_id: str, claim: IdempotencyClaim | None) -> Answer:
        if LOCATION_ID.fullmatch(location_id) is not None:
            await self._watches.stop(client_id, location_id, claim)
        return Answer({"success": True})


def watch_routes(watches: Watches, newcomers: Newcomers, idempotency: Idempotency, *, prefix: str) -> Blueprint:
    """The routes below `prefix`; the end by hand is ours, the contract names none."""
    door = WatchDoor(watches, newcomers, idempotency)
    routes = Blueprint("watches", __name__, url_prefix=f"{prefix}/favorites")
    routes.put("/<location_id>/watch")(door.start)
    routes.delete("/<location_id>/watch")(door.stop)
    return routes
