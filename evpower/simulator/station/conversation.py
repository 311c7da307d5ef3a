"""What a station says on its own: boot until accepted, statuses, heartbeats, and the outbox in order."""

from __future__ import annotations

import trio

from evpower.simulator.station.hardware import Hardware
from evpower.simulator.station.outbox import OutboxMessage
from evpower.simulator.wire.link import Speaker
from evpower.simulator.wire.ocpp import CallRefused, Payload, parse_time


class StationConversation:
    """Survives reconnects: whether the boot was accepted is remembered until the next reboot."""

    def __init__(self, hardware: Hardware) -> None:
        self._hardware = hardware
        self._boot_asked = trio.Event()
        self.accepted = False
        self.ready = False  # this connection has booted and reported its statuses

    async def hold(self, link: Speaker) -> None:
        """Talk over one connection until it is cancelled with it; raises TooSlowError when the peer goes dumb."""
        if not self.accepted or self._hardware.settings.boots_on_reconnect:
            await self._boot(link)
        await self._send_statuses(link)
        self.ready = True
        self._hardware.trace.wake()
        async with trio.open_nursery() as talking:
            talking.start_soon(self._beat, link)
            talking.start_soon(self._deliver, link)

    async def _send_statuses(self, link: Speaker) -> None:
        """The station's and each connector's; what changes meanwhile follows by the outbox."""
        sent = {}
        for number in (0, *self._hardware.connectors):
            sent[number] = self._hardware.status_payload(number)
            await self._ask(link, "StatusNotification", sent[number])
        self._hardware.outbox.connected()
        for number, before in sent.items():
            now = self._hardware.status_payload(number)
            if (now["status"], now["errorCode"]) != (before["status"], before["errorCode"]):
                self._hardware.say("StatusNotification", now)

    def boot_now(self) -> None:
        """End the wait between two BootNotifications."""
        self._boot_asked.set()

    async def _boot(self, link: Speaker) -> None:
        """BootNotification until Accepted; the answer's interval is the wait, then the heartbeat (OCPP 1.6 §4.2)."""
        settings = self._hardware.settings
        self.accepted = False
        while True:
            self._boot_asked = trio.Event()
            reply = await self._ask(
                link,
                "BootNotification",
                {
                    "chargePointVendor": settings.vendor,
                    "chargePointModel": settings.model,
                    "firmwareVersion": settings.firmware_version,
                },
            )
            interval_s = self._interval(reply)
            if reply.get("status") == "Accepted":
                if interval_s > 0:
                    self._hardware.configuration.put("HeartbeatInterval", str(interval_s))
                self.accepted = True
                return
            with trio.move_on_after(interval_s if interval_s > 0 else settings.boot_retry_s):
                await self._boot_asked.wait()

    def _interval(self, reply: Payload) -> int:
        complain = self._hardware.trace.complain
        if reply and (reply.get("status") not in ("Accepted", "Pending", "Rejected")):
            complain(f"BootNotification answered {dict(reply)}")
        if reply and parse_time(reply.get("currentTime")) is None:
            complain("BootNotification's answer has no time")
        interval = reply.get("interval", 0)
        if not isinstance(interval, int):
            complain(f"the boot interval is no integer: {interval!r}")
            return 0
        return interval

    async def _ask(self, link: Speaker, action: str, payload: Payload) -> Payload:
        """The answer, or an empty one when it was refused."""
        try:
            with trio.fail_after(self._hardware.settings.call_timeout_s):
                return await link.call(action, payload)
        except CallRefused:
            return {}

    async def _beat(self, link: Speaker) -> None:
        while True:
            await trio.sleep(max(1, self._hardware.configuration.number("HeartbeatInterval")))
            await self._ask(link, "Heartbeat", {})

    async def _deliver(self, link: Speaker) -> None:
        outbox = self._hardware.outbox
        while True:
            message = await outbox.head()
            payload = message.wire_payload()
            try:
                with trio.fail_after(self._hardware.settings.call_timeout_s):
                    reply = await link.call(message.action, payload)
            except trio.TooSlowError:
                # Unanswered transaction messages are repeated for ever (OCPP 1.6 §3.7.1), others are old news.
                if message.transaction is None:
                    outbox.settle(message, None)
                continue
            except CallRefused:
                await self._wait_to_repeat(message)
                continue
            outbox.settle(message, reply)
            self._hardware.trace.wake()
            if message.action in ("StartTransaction", "StopTransaction"):
                await self._repeat(link, message, payload)

    async def _wait_to_repeat(self, message: OutboxMessage) -> None:
        """A refused transaction message is tried TransactionMessageAttempts times (OCPP 1.6 §4.8)."""
        configuration = self._hardware.configuration
        message.attempts += 1
        if message.transaction is None or message.attempts >= configuration.number("TransactionMessageAttempts"):
            self._hardware.outbox.settle(message, None)
            self._hardware.trace.wake()
        else:
            await trio.sleep(configuration.number("TransactionMessageRetryInterval") * message.attempts)

    async def _repeat(self, link: Speaker, message: OutboxMessage, payload: Payload) -> None:
        """Misbehaviour: the same message again, as if its answer had been lost."""
        for _ in range(self._hardware.misbehaviour.duplicates):
            again = await self._ask(link, message.action, payload)
            if again.get("transactionId") != (message.reply or {}).get("transactionId"):
                self._hardware.trace.complain(f"a repeated {message.action} got another transaction: {dict(again)}")
