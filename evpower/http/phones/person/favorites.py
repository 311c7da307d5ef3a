"""Favorite locations: /api/v1/favorites (contract/rest-api §7.4, roadmap/history-favorites-push §2)."""

from __future__ import annotations

from functools import partial

import trio
from quart import Blueprint, Response

from evpower.favorites.errors import NoSuchLocation
from evpower.favorites.service import Favorites
from evpower.http.phones.answer_types.favorites import (
    FavoriteAddedBody,
    FavoriteRemovedBody,
    FavoritesBody,
    FavoriteToggledBody,
    IsFavoriteBody,
)
from evpower.http.phones.person.newcomers import Newcomers
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.caller import ANYBODY, asking_client, signed_in_client
from evpower.http.wire.described import described
from evpower.http.wire.idempotency import Idempotency, KeyedWork, claim_of_request
from evpower.http.wire.requests import BodyFields, read_object
from evpower.idempotency.claim import IdempotencyClaim
from evpower.identifiers import LOCATION_ID, ClientId

ANSWER_WITHIN_S = 9
ASKING = partial(signed_in_client, who=ANYBODY)


def location_of_body(fields: BodyFields) -> str:
    """Which location. Raises InvalidRequest."""
    location_id = fields.identifier("location_id", LOCATION_ID)
    fields.check()
    assert location_id is not None
    return location_id


class FavoritesDoor:
    """Wire to service and back; no rule of its own."""

    def __init__(self, favorites: Favorites, newcomers: Newcomers, idempotency: Idempotency) -> None:
        self._favorites = favorites
        self._newcomers = newcomers
        self._idempotency = idempotency

    @described("The caller's favorite locations", query=ASKING, answer=FavoritesBody)
    async def favorites(self) -> Response:
        """`GET /favorites`."""
        client_id = asking_client()
        with trio.fail_after(ANSWER_WITHIN_S):
            return written(Answer({"success": True, "favorites": await self._favorites.locations(client_id)}))

    @described(
        "Make a location a favorite",
        query=ASKING,
        body=location_of_body,
        answer=FavoriteAddedBody,
        refused=200,
        keyed=True,
    )
    async def add(self) -> Response:
        """`POST /favorites`."""
        client_id, fields = asking_client(), BodyFields(await read_object())
        location_id = location_of_body(fields)
        with trio.fail_after(ANSWER_WITHIN_S):
            await self._newcomers.admit(client_id)
            add = partial(self._add, client_id, location_id)
            return await self._answer(client_id, fields, KeyedWork(add, lambda _effect: add(None)))

    @described("Make a location none", query=ASKING, answer=FavoriteRemovedBody, keyed=True)
    async def remove(self, location_id: str) -> Response:
        """`DELETE /favorites/{location_id}`, a success also when it was none."""
        client_id, fields = asking_client(), BodyFields(await read_object())
        with trio.fail_after(ANSWER_WITHIN_S):
            remove = partial(self._remove, client_id, location_id)
            return await self._answer(client_id, fields, KeyedWork(remove, lambda _effect: remove(None)))

    @described("Whether a location is a favorite", query=ASKING, answer=IsFavoriteBody)
    async def check(self, location_id: str) -> Response:
        """`GET /favorites/{location_id}/check`."""
        client_id = asking_client()
        with trio.fail_after(ANSWER_WITHIN_S):
            is_one = _can_be(location_id) and await self._favorites.includes(client_id, location_id)
        return written(Answer({"success": True, "is_favorite": is_one}))

    @described(
        "Make a favorite of what is none, and the other way round",
        query=ASKING,
        answer=FavoriteToggledBody,
        refused=200,
        keyed=True,
    )
    async def toggle(self, location_id: str) -> Response:
        """`POST /favorites/{location_id}/toggle`."""
        client_id, fields = asking_client(), BodyFields(await read_object())
        if not _can_be(location_id):
            raise NoSuchLocation
        with trio.fail_after(ANSWER_WITHIN_S):
            await self._newcomers.admit(client_id)
            work = KeyedWork(
                partial(self._toggle, client_id, location_id), partial(self._toggled, client_id, location_id)
            )
            return await self._answer(client_id, fields, work)

    async def _add(self, client_id: ClientId, location_id: str, claim: IdempotencyClaim | None) -> Answer:
        exists = await self._favorites.add(client_id, location_id, claim)
        return Answer({"success": True, "already_exists": exists})

    async def _remove(self, client_id: ClientId, location_id: str, claim: IdempotencyClaim | None) -> Answer:
        if _can_be(location_id):
            await self._favorites.remove(client_id, location_id, claim)
        return Answer({"success": True})

    async def _toggle(self, client_id: ClientId, location_id: str, claim: IdempotencyClaim | None) -> Answer:
        return _toggled_answer(is_favorite=await self._favorites.toggle(client_id, location_id, claim))

    async def _toggled(self, client_id: ClientId, location_id: str, _effect: object) -> Answer:
        """A toggle whose answer was lost: what the location is now."""
        return _toggled_answer(is_favorite=await self._favorites.includes(client_id, location_id))

    async def _answer(self, client_id: ClientId, fields: BodyFields, work: KeyedWork) -> Response:
        return written(await self._idempotency.answer(claim_of_request(client_id, fields), work))


def favorite_routes(favorites: Favorites, newcomers: Newcomers, idempotency: Idempotency, *, prefix: str) -> Blueprint:
    """The routes below `prefix`."""
    door = FavoritesDoor(favorites, newcomers, idempotency)
    routes = Blueprint("favorites", __name__, url_prefix=f"{prefix}/favorites")
    routes.get("")(door.favorites)
    routes.post("")(door.add)
    routes.delete("/<location_id>")(door.remove)
    routes.get("/<location_id>/check")(door.check)
    routes.post("/<location_id>/toggle")(door.toggle)
    return routes


def _can_be(location_id: str) -> bool:
    """PostgreSQL stores no such text otherwise."""
    return LOCATION_ID.fullmatch(location_id) is not None


def _toggled_answer(*, is_favorite: bool) -> Answer:
    return Answer({"success": True, "is_favorite": is_favorite, "action": "added" if is_favorite else "removed"})
