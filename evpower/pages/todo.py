"""`/todo`: the whole list; a row of it is somebody's, or may wait."""

from __future__ import annotations

from typing import Any

import trio
from quart import Blueprint, Response, redirect

from evpower.attention.glance import glance
from evpower.attention.picture import Pictures
from evpower.attention.service import Marks
from evpower.errors import InvalidRequest, NotFound
from evpower.pages.frame.forms import form_key, form_text
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import signed_in
from evpower.staff.acts import Intent, OperatorActs
from evpower.staff.rights import Right

WITHIN_S = 10
KEY_CHARS_MAX = 199
ACTS = ("mine", "snooze", "note")


def todo_routes(pictures: Pictures, marks: Marks, acts: OperatorActs, pages: Pages) -> Blueprint:
    """What is made of a row."""
    routes = Blueprint("todo", __name__)

    @routes.get("/todo")
    async def everything() -> Response:
        return await pages.show("now/all.html")

    @routes.post("/todo")
    async def mark() -> Any:
        key, item, act = await form_key(), await form_text("item", KEY_CHARS_MAX), await form_text("act")
        if act not in ACTS:
            raise InvalidRequest(("act", "unknown"))
        note = await form_text("note")
        if act == "note" and not note:
            raise InvalidRequest(("note", "обязательное поле"))
        visitor = signed_in()
        visitor.require(Right.READ)
        actor = visitor.acting.actor

        async def perform() -> None:
            if act == "mine":
                await marks.take(item, actor)
            elif act == "note":
                await marks.note(item, actor, note)
            else:
                await marks.snooze(item, actor, is_urgent=seen[item].is_urgent)

        with trio.fail_after(WITHIN_S):
            picture = await pictures.fresh()
            entries = () if picture is None else glance(picture, visitor.acting).todo.entries
            seen = {entry.item.key: entry.item for entry in entries}
            if item not in seen:
                raise NotFound
            await acts.once(visitor.acting, Intent(key, act, item, note or None), perform)
            await pictures.look()
        return redirect("/#todo", 303)

    return routes
