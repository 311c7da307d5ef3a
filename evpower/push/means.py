"""What messages are sent by, as configured: each kind of device its service, each with an HTTP client of its own."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import trio

from evpower.clock import Clock, RandomBytes, random_bytes
from evpower.outgoing_http import open_client
from evpower.push.delivery import DeliveryService
from evpower.push.services.calls import LIMITS, TIMEOUT
from evpower.push.services.fcm import Fcm
from evpower.push.services.service_account import read_service_account
from evpower.push.services.vapid import private_key
from evpower.push.services.web_push import WebPush
from evpower.settings.push import PushSettings, vapid_number


@asynccontextmanager
async def open_push_services(
    settings: PushSettings,
    clock: Clock,
    random_bytes: RandomBytes = random_bytes,
    context: ssl.SSLContext | None = None,
) -> AsyncIterator[Mapping[str, DeliveryService]]:
    """The services whose keys are there, by the kind of device; `context` is whom they trust, the system's authorities
    by default.

    Raises ConfigError: the service account's file cannot be used.
    """
    services: dict[str, DeliveryService] = {}
    context = context or ssl.create_default_context()
    async with AsyncExitStack() as clients:
        if settings.has_fcm:
            account = await trio.to_thread.run_sync(read_service_account, Path(settings.fcm_service_account))
            http = await clients.enter_async_context(open_client({}, context, TIMEOUT, LIMITS))
            services["fcm"] = Fcm(http, settings.fcm_url, account, clock)
        if settings.has_web_push:
            number = vapid_number(settings.vapid_private_key)
            assert number is not None, "the settings were checked"
            http = await clients.enter_async_context(open_client({}, context, TIMEOUT, LIMITS))
            services["webpush"] = WebPush(http, private_key(number), settings.vapid_subject, clock, random_bytes)
        yield services
