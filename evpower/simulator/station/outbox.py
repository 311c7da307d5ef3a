"""What a station still has to say, in order; transaction messages outlive the socket (OCPP 1.6 §3.7, §4.8-4.10).

Start, MeterValues and Stop wait here, with the timestamps they were born with, until the central system has answered
them. Everything else is dropped when the socket goes: an old status is of no use.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import trio

from evpower.simulator.station.connector import Transaction
from evpower.simulator.wire.ocpp import Payload

TRANSACTION_ACTIONS = ("StartTransaction", "MeterValues", "StopTransaction")


@dataclass(eq=False, slots=True)
class OutboxMessage:
    """One CALL to be sent; `transaction` is set when it must survive a disconnect."""

    action: str
    payload: Payload
    transaction: Transaction | None = None
    send_after: float = 0.0  # trio time, for late delivery
    attempts: int = 0
    reply: Payload | None = None
    on_reply: Callable[[Payload], None] | None = None  # runs before the next message leaves
    settled: trio.Event = field(default_factory=trio.Event)
    #: With OCPP 2.0.1, the facts of the event that it is.
    event: Payload | None = None

    def wire_payload(self) -> Payload:
        """The payload with the transaction id filled in, which may have become known only just now.

        -1 when the central system never gave one (OCPP 1.6 erratum 3.18).
        """
        if self.event is not None:
            return {**self.payload, "event": self.event}
        if self.transaction is None or self.action == "StartTransaction":
            return self.payload
        known = self.transaction.transaction_id
        return {**self.payload, "transactionId": -1 if known is None else known}


#: Which of what waits leaves next.
Choose = Callable[[deque[OutboxMessage]], OutboxMessage | None]


class Outbox:
    """The queue. `choose` may pick another message than the first (misbehaviour)."""

    def __init__(self, limit: int, choose: Choose | None = None) -> None:
        self._limit = limit
        self._queue: deque[OutboxMessage] = deque()
        self._choose = choose if choose is not None else first
        self._changed = trio.Event()
        self._connected = False
        self.lost = 0

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, message: OutboxMessage) -> OutboxMessage:
        """Queue a message. Without a connection a volatile one is settled at once, unanswered.

        When the queue is full the oldest meter value makes room, as small stations do (OCPP 1.6 §3.7.1).
        """
        if message.transaction is None and not self._connected:
            message.settled.set()
            return message
        if len(self._queue) >= self._limit:
            self._make_room()
        self._queue.append(message)
        self._wake()
        return message

    async def head(self) -> OutboxMessage:
        """The next message to send, once there is one; it stays queued until `settle`."""
        while True:
            chosen = self._choose(self._queue)
            if chosen is None:
                await self._changed.wait()
            elif chosen.send_after > trio.current_time():
                await trio.sleep_until(chosen.send_after)
            else:
                return chosen

    def settle(self, message: OutboxMessage, reply: Payload | None) -> None:
        """The message was answered, or given up (None)."""
        if message in self._queue:
            self._queue.remove(message)
        message.reply = reply
        if reply is not None and message.on_reply is not None:
            message.on_reply(reply)
        message.settled.set()
        self._wake()

    @property
    def is_connected(self) -> bool:
        """Whether there is a line."""
        return self._connected

    def holds(self, transaction_id: object) -> bool:
        """Whether anything of a transaction waits here; None: of any."""
        waiting = [message.transaction for message in self._queue if message.transaction is not None]
        return any(transaction_id in (None, each.transaction_id) for each in waiting)

    def connected(self) -> None:
        """From now on volatile messages are taken too."""
        self._connected = True

    def disconnected(self) -> None:
        """Keep what belongs to transactions, drop the rest."""
        self._connected = False
        for message in [message for message in self._queue if message.transaction is None]:
            self.settle(message, None)

    def _make_room(self) -> None:
        droppable = next((message for message in self._queue if message.action == "MeterValues"), None)
        if droppable is not None:
            self.lost += 1
            self.settle(droppable, None)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


def first(queue: deque[OutboxMessage]) -> OutboxMessage | None:
    """The honest order."""
    return queue[0] if queue else None
