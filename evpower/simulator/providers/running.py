"""Runs the sandbox: three ports and the courier, in one nursery."""

from __future__ import annotations

import trio

from evpower.clock import Clock, SystemClock
from evpower.simulator.providers.control import PREFIX, Control
from evpower.simulator.providers.obank.card_pages import CardPages
from evpower.simulator.providers.obank.certificates import Authority
from evpower.simulator.providers.odengi.wallet import Wallet
from evpower.simulator.providers.sandbox import Sandbox, SandboxSettings
from evpower.simulator.providers.surroundings.doors import SandboxDoor
from evpower.simulator.providers.surroundings.faults import Sleep
from evpower.simulator.providers.surroundings.wire import AnswerRequest, HttpReply, HttpRequest


async def run_sandbox(
    settings: SandboxSettings,
    *,
    clock: Clock | None = None,
    sleep: Sleep = trio.sleep,
    task_status: trio.TaskStatus[Sandbox] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run both providers until cancelled, which ends them at once; started, with the sandbox, when all ports listen.

    `sleep` is what late webhooks and slow replies wait by. Raises NotLoopback, and OSError when a port is taken or the
    directory cannot be written.
    """
    settings.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = Authority()
    doors = {
        "odengi": SandboxDoor(settings.host, settings.odengi_port),
        "obank": SandboxDoor(settings.host, settings.obank_port, authority.server_context(settings.directory)),
        "page": SandboxDoor(settings.host, settings.page_port),
    }
    for door in doors.values():
        await door.listen()
    sandbox = Sandbox(settings, authority, doors, SystemClock() if clock is None else clock, sleep)
    sandbox.write_certificates()
    async with trio.open_nursery() as providers:
        providers.start_soon(sandbox.courier.run)
        providers.start_soon(doors["odengi"].run, sandbox.odengi.answer)
        providers.start_soon(doors["obank"].run, sandbox.obank.answer)
        providers.start_soon(doors["page"].run, _page(sandbox))
        task_status.started(sandbox)


def _page(sandbox: Sandbox) -> AnswerRequest:
    """The people's port: their pages, and the control interface."""
    control, pages = Control(sandbox), (Wallet(sandbox.odengi), CardPages(sandbox.obank.book))

    async def answer(request: HttpRequest) -> HttpReply:
        if request.path == PREFIX or request.path.startswith(PREFIX + "/"):
            return await control.answer(request)
        replies = (each.answer(request) for each in pages)
        return next((reply for reply in replies if reply is not None), HttpReply(404))

    return answer
