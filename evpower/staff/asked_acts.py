"""Acts whose answer may take longer than a page waits for it.

Each is a task of its own, which goes on when its page has been answered; what came of it is read from its row, by
whichever process is asked.
"""

from __future__ import annotations

import logging

import trio

from evpower.errors import EvPowerError
from evpower.staff.acts import Intent, OperatorAct, OperatorActs, Perform
from evpower.staff.records import Acting
from evpower.worker import contain

log = logging.getLogger("evpower.staff")

#: A page waits so long, so that most answers are on it at once.
AT_ONCE_S = 1.5
#: A command waits for a boot, for earlier commands and for the station. After this nobody knows what was done.
LONGEST_S = 120.0


class AskedActs:
    """Begins acts and lets them end by themselves; `tasks` owns them."""

    def __init__(self, acts: OperatorActs, tasks: trio.Nursery) -> None:
        self._acts = acts
        self._tasks = tasks

    async def ask(self, acting: Acting, intent: Intent, perform: Perform) -> OperatorAct:
        """Begin the act of a form that was not sent before; the act as it is kept a moment later.

        A refusal is in the act. Raises IdempotencyMismatch when the key was another act's.
        """
        if await self._acts.begin(acting, intent):
            done = trio.Event()
            self._tasks.start_soon(self._finish, intent, perform, done, name=f"{intent.act} {intent.target}")
            with trio.move_on_after(AT_ONCE_S):
                await done.wait()
        return await self._acts.same(acting, intent)

    async def _finish(self, intent: Intent, perform: Perform, done: trio.Event) -> None:
        try:
            with contain(log, "what came of an act is not known: act=%s, target=%s", intent.act, intent.target):
                with trio.fail_after(LONGEST_S):
                    await self._refusals_kept(intent.key, perform)
        finally:
            done.set()

    async def _refusals_kept(self, key: str, perform: Perform) -> None:
        refused: EvPowerError | None = None
        try:
            await self._acts.finish(key, perform)
        except EvPowerError as refusal:
            refused = refusal
        if refused is None:
            return
        kept = await self._acts.act(key)
        if kept is None or kept.outcome is None:
            raise refused
        log.info("an act was refused: key=%s, reason=%s", key, refused.code)
