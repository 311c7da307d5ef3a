"""How late the event loop is: everything in this process waits so much longer than it has to."""

from __future__ import annotations

from typing import NoReturn

import trio

from evpower.durations import Durations

#: A loop that stands still for longer than this is always seen; four looks a second cost nothing.
LOOK_EVERY_S = 0.25


class LoopLag:
    """Sleeps, and counts how much later than asked it woke."""

    def __init__(self) -> None:
        self.late = Durations()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> NoReturn:
        """Look until cancelled."""
        task_status.started()
        while True:
            due_s = trio.current_time() + LOOK_EVERY_S
            await trio.sleep_until(due_s)
            self.late.note(trio.current_time() - due_s)
