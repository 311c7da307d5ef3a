"""The port to whatever sends SMS, and the demo's answer to it: the log."""

from __future__ import annotations

import logging
from typing import Protocol

from evpower.identifiers import PhoneNumber

logger = logging.getLogger("security")


class Sms(Protocol):
    """Sends one SMS."""

    async def send(self, phone: PhoneNumber, text: str) -> None:
        """Returns when it was taken. Raises SmsNotSent (certainly) and SmsUnanswered (perhaps). The caller waits as
        long as it likes."""
        ...


class LogSms:
    """Writes the SMS into the log instead, for trying things out: whoever reads the log can sign in as anybody."""

    async def send(self, phone: PhoneNumber, text: str) -> None:
        """Never fails."""
        logger.warning("SMS to %s, not sent because sms.transport is log: %s", phone, text)
