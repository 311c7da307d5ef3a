"""The providers that are switched on, each with an HTTP client of its own."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from evpower.clock import Clock
from evpower.errors import ConfigError
from evpower.outgoing_http import Transport
from evpower.payments.gateway import Gateways
from evpower.payments.gateways.obank import Obank
from evpower.payments.gateways.obank_xml import XML_BYTES_MAX
from evpower.payments.gateways.odengi import Odengi
from evpower.payments.gateways.odengi_signature import md5_works
from evpower.payments.gateways.pkcs12 import client_context
from evpower.payments.gateways.provider_http import open_http
from evpower.settings.config import Config

#: Room for the QR's picture, which some answers carry.
ODENGI_ANSWER_BYTES_MAX = 512 * 1024


@asynccontextmanager
async def open_gateways(config: Config, clock: Clock, transport: Transport | None = None) -> AsyncIterator[Gateways]:
    """The gateways whose settings are there; their clients are closed at the end.

    With a `transport` their requests are handed to it, and no socket is opened.
    Raises ConfigError: a certificate that cannot be used, or signatures this system refuses to make.
    """
    async with AsyncExitStack() as clients:
        yield Gateways(
            await _open_odengi(config, clock, clients, transport), await _open_obank(config, clock, clients, transport)
        )


async def _open_odengi(
    config: Config, clock: Clock, clients: AsyncExitStack, transport: Transport | None
) -> Odengi | None:
    if not config.odengi.is_on:
        return None
    if not md5_works():
        raise ConfigError(["odengi: its signatures need MD5, which this system refuses (a FIPS build)"])
    http = await clients.enter_async_context(
        open_http(
            Odengi.name,
            config.odengi.url,
            "odengi.url",
            content_type="application/json; charset=utf-8",
            accept="application/json",
            context=ssl.create_default_context(),
            answer_bytes_max=ODENGI_ANSWER_BYTES_MAX,
            transport=transport,
        )
    )
    return Odengi(config.odengi, http, clock, public_url=config.payments_url)


async def _open_obank(
    config: Config, clock: Clock, clients: AsyncExitStack, transport: Transport | None
) -> Obank | None:
    settings = config.obank
    if not settings.is_on:
        return None
    authority = Path(settings.ca_certificate) if settings.ca_certificate else None
    context = client_context(Path(settings.certificate), settings.certificate_password, authority, clock.now())
    http = await clients.enter_async_context(
        open_http(
            Obank.name,
            settings.url,
            "obank.url",
            content_type="application/xml; charset=utf-8",
            accept="application/xml",
            context=context,
            answer_bytes_max=XML_BYTES_MAX,
            transport=transport,
        )
    )
    return Obank(settings, http, public_url=config.payments_url)
