"""The tasks of one connection: Hypercorn's, but what an application no longer takes is thrown away.

Hypercorn's own waits for room in the queue of an application that has ended. A phone's socket that is closed for its
eleventh message behind a too large one would keep its connection, its tasks and its place for ever.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import trio
from hypercorn.config import Config
from hypercorn.trio.task_group import TaskGroup, _handle
from hypercorn.typing import AppWrapper, ASGIReceiveCallable, ASGIReceiveEvent, ASGISendEvent, Scope


class ConnectionTasks(TaskGroup):
    """A nursery for the protocol and its applications."""

    async def spawn_app(
        self,
        app: AppWrapper,
        config: Config,
        scope: Scope,
        send: Callable[[ASGISendEvent | None], Awaitable[None]],
    ) -> Callable[[ASGIReceiveEvent], Awaitable[None]]:
        """Start an application; what hands it the next event, or throws the event away once it has ended."""
        to_app, queue = trio.open_memory_channel[ASGIReceiveEvent](config.max_app_queue_size)

        async def until_it_ends(
            scope: Scope,
            receive: ASGIReceiveCallable,
            send: Callable[[ASGISendEvent | None], Awaitable[None]],
            sync_spawn: Callable[..., Any],
            call_soon: Callable[..., Any],
        ) -> None:
            with queue:
                await app(scope, receive, send, sync_spawn, call_soon)

        async def put(event: ASGIReceiveEvent) -> None:
            with suppress(trio.BrokenResourceError):
                await to_app.send(event)

        assert self._nursery is not None
        self._nursery.start_soon(
            partial(_handle, sync_spawn=trio.to_thread.run_sync, call_soon=trio.from_thread.run),
            until_it_ends,
            config,
            scope,
            queue.receive,
            send,
        )
        return put
