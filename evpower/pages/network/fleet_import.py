"""`/network/import`: a fleet file shows what it would change; only what was seen is imported."""

from __future__ import annotations

from typing import Any

import trio
from quart import Blueprint, Response, request

from evpower.errors import InvalidRequest
from evpower.http.operators.control import FLEET_BYTES_MAX
from evpower.network_file.imports import FleetImports, ImportDiffers
from evpower.network_file.service import FleetReport
from evpower.pages.frame.application import FLEET_PATH
from evpower.pages.frame.forms import form_key
from evpower.pages.frame.shown import Pages
from evpower.pages.frame.visitor import signed_in
from evpower.staff.acts import Intent, OperatorActs
from evpower.staff.rights import Right

#: A file of thousands of stations takes its time.
WITHIN_S = 120
DIFFERENCES_SHOWN = 500


def import_routes(imports: FleetImports, acts: OperatorActs, pages: Pages) -> Blueprint:
    """For administrators."""
    routes = Blueprint("network_import", __name__, url_prefix=FLEET_PATH)

    @routes.before_request
    async def admit() -> None:
        signed_in().require(Right.NETWORK)

    async def show(status: int = 200, **names: Any) -> Response:
        nothing = {"tried": None, "text": "", "wrong": None, "done": None, "differs": False}
        return await pages.show("network/import.html", status, most=DIFFERENCES_SHOWN, **{**nothing, **names})

    @routes.get("")
    async def form() -> Response:
        return await show()

    @routes.post("")
    async def attempt_or_perform() -> Response:
        seen, text = (await request.form).get("seen"), ""
        try:
            text = await _text()
            if seen is None:
                with trio.fail_after(WITHIN_S):
                    return await show(tried=await imports.attempt(text), text=text)
            return await perform(text, seen)
        except InvalidRequest as wrong:
            return await show(400, wrong=wrong, text=text)

    async def perform(text: str, seen: str) -> Response:
        """As it was seen; when that is not any more what would happen, what would is shown anew."""
        key, visitor, done = await form_key(), signed_in(), list[FleetReport]()

        async def write() -> None:
            done.append(await imports.perform(text, actor=visitor.acting.actor, seen=seen))

        with trio.fail_after(WITHIN_S):
            try:
                await acts.once(visitor.acting, Intent(key, "import", "fleet", seen), write)
            except ImportDiffers:
                return await show(409, tried=await imports.attempt(text), text=text, differs=True)
        return await show(done=done[0] if done else None)

    return routes


async def _text() -> str:
    """The file that was chosen, or the text that was tried before. Raises InvalidRequest."""
    file = (await request.files).get("file")
    text = str((await request.form).get("text", ""))
    if file is not None and file.filename:
        try:
            text = file.read().decode()
        except UnicodeDecodeError:
            raise InvalidRequest(("file", "файл должен быть в кодировке UTF-8")) from None
    if not text.strip():
        raise InvalidRequest(("file", "обязательное поле"))
    if len(text) > FLEET_BYTES_MAX:
        raise InvalidRequest(("file", "файл слишком велик"))
    # A form's lines end in CR LF, whatever the file's did.
    return text.replace("\r\n", "\n")
