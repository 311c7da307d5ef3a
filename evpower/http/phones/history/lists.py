"""A client's charges, movements of money and sums: lists by page and cursor."""

from __future__ import annotations

from functools import partial
from zoneinfo import ZoneInfo

import trio
from quart import Blueprint, Response, request

from evpower.history.service import History
from evpower.http.phones.answer_types.history import MovementsBody, PastChargesBody, PastSumsBody
from evpower.http.phones.history.fields import HistoryQuery, charges_query, movements_query, sums_query
from evpower.http.phones.history.shapes import charge_body, movement_body, page_body, sums_body
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.caller import ANYBODY, caller, client_of_path
from evpower.http.wire.described import described
from evpower.http.wire.requests import BodyFields
from evpower.identifiers import ClientId

ANSWER_WITHIN_S = 9
#: For the descriptions: the lists' own time zone is the network's.
ANYWHERE = ZoneInfo("UTC")
CHARGES = partial(charges_query, who=ANYBODY, timezone=ANYWHERE)
CHARGES_OF = partial(charges_query, who=None, timezone=ANYWHERE)
MOVEMENTS = partial(movements_query, who=ANYBODY, timezone=ANYWHERE)
MOVEMENTS_OF = partial(movements_query, who=None, timezone=ANYWHERE)


class ListDoor:
    """Wire to service and back."""

    def __init__(self, history: History) -> None:
        self._history = history

    @described("A client's charges, newest first", query=CHARGES, answer=PastChargesBody)
    async def charges(self) -> Response:
        """`GET /history/charging`."""
        query = charges_query(BodyFields(request.args), caller(), self._history.timezone)
        assert query.client_id is not None
        return await self._charges(query.client_id, query)

    @described("A client's charges, newest first", query=CHARGES_OF, answer=PastChargesBody)
    async def charges_of(self, client_id: str) -> Response:
        """`GET /charging/history/{client_id}`, a name in the app's notes (rest-api §7.3)."""
        asking = client_of_path(client_id)
        return await self._charges(asking, charges_query(BodyFields(request.args), None, self._history.timezone))

    @described("A client's movements of money, newest first", query=MOVEMENTS, answer=MovementsBody)
    async def movements(self) -> Response:
        """`GET /history/transactions`."""
        query = movements_query(BodyFields(request.args), caller(), self._history.timezone)
        assert query.client_id is not None
        return await self._movements(query.client_id, query)

    @described("A client's movements of money, newest first", query=MOVEMENTS_OF, answer=MovementsBody)
    async def movements_of(self, client_id: str) -> Response:
        """`GET /balance/history/{client_id}`."""
        asking = client_of_path(client_id)
        return await self._movements(asking, movements_query(BodyFields(request.args), None, self._history.timezone))

    @described("What a client's charges come to", query=partial(sums_query, who=ANYBODY), answer=PastSumsBody)
    async def sums(self) -> Response:
        """`GET /history/stats`."""
        client_id, period = sums_query(BodyFields(request.args), caller())
        with trio.fail_after(ANSWER_WITHIN_S):
            return written(Answer(sums_body(await self._history.sums(client_id, period))))

    async def _charges(self, client_id: ClientId, query: HistoryQuery) -> Response:
        with trio.fail_after(ANSWER_WITHIN_S):
            found, cursor = await self._history.charges(client_id, query.wanted, query.page, query.cursor)
        now = self._history.now()
        data = [charge_body(each, now) for each in found.rows]
        return written(Answer(page_body(found, query.page, cursor, data)))

    async def _movements(self, client_id: ClientId, query: HistoryQuery) -> Response:
        with trio.fail_after(ANSWER_WITHIN_S):
            found, cursor = await self._history.movements(client_id, query.wanted, query.page, query.cursor)
        return written(Answer(page_body(found, query.page, cursor, [movement_body(each) for each in found.rows])))


def history_routes(history: History, *, prefix: str) -> Blueprint:
    """The routes below `prefix`."""
    lists, routes = ListDoor(history), Blueprint("history", __name__, url_prefix=prefix)
    routes.get("/history/charging")(lists.charges)
    routes.get("/charging/history/<client_id>")(lists.charges_of)
    routes.get("/history/transactions")(lists.movements)
    routes.get("/balance/history/<client_id>")(lists.movements_of)
    routes.get("/history/stats")(lists.sums)
    return routes
