"""The invented merchant of contract/payments, its orders, and gateways that speak to a peer of the test's."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from evpower.payments.gateway import Card, Payer, ProviderOrder
from evpower.payments.gateways.obank import Obank
from evpower.payments.gateways.odengi import Odengi
from evpower.payments.gateways.provider_http import open_http
from evpower.settings.payments import ObankSettings, OdengiSettings
from tests.payments.gateways.peer import Peer, Step, serving
from tests.worlds.fakes import SetClock

SID = "1000000042"
SECRET = "sandbox-secret-0001"
WEBHOOK_SECRET = "sandbox-webhook-secret-0002"
NOTIFY_KEY = "sandbox-notify-key-0003"
PUBLIC_URL = "https://csms.example"
AT = datetime(2025, 9, 30, 12, 0, tzinfo=UTC)
ORDER = ProviderOrder(
    order_id="tu_01J8ZK3M9Q",
    number=1759233600001,
    amount_tyiyn=10_000,
    description="Пополнение баланса 100 сом",
    created_at=AT,
    expires_at=AT + timedelta(minutes=5),
)
INVOICED = replace(ORDER, invoice_id="530912448170")
CARD = Card(pan="4169585512345678", holder="TEST CARD", cvv="123", year="25", month="12")
PAYER = Payer("test@example.org", "+996555000001")
#: For peers that speak no TLS: to trust anybody would take time to load.
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
ODENGI = OdengiSettings(url="http://localhost/", sid=SID, secret=SECRET, test=True)
OBANK = ObankSettings(
    url="https://localhost/", point="4354", service="1331", certificate="x.p12", h2h=True, notify_key=NOTIFY_KEY
)


@asynccontextmanager
async def odengi_at(
    *steps: Step, settings: OdengiSettings = ODENGI, public_url: str = PUBLIC_URL
) -> AsyncIterator[tuple[Odengi, Peer]]:
    """O!Dengi's gateway before a peer that follows the steps, at 12:00 UTC."""
    async with (
        serving(Peer(*steps)) as peer,
        open_http(
            "ODENGI",
            peer.url,
            "odengi.url",
            content_type="application/json; charset=utf-8",
            accept="application/json",
            context=PLAIN,
            answer_bytes_max=65_536,
        ) as http,
    ):
        yield Odengi(settings, http, SetClock(AT), public_url=public_url), peer


@asynccontextmanager
async def obank_at(
    *steps: Step, settings: ObankSettings = OBANK, public_url: str = PUBLIC_URL
) -> AsyncIterator[tuple[Obank, Peer]]:
    """OBANK's gateway before a peer that follows the steps; its TLS has tests of its own."""
    async with (
        serving(Peer(*steps)) as peer,
        open_http(
            "OBANK",
            peer.url,
            "obank.url",
            content_type="application/xml; charset=utf-8",
            accept="application/xml",
            context=PLAIN,
            answer_bytes_max=65_536,
        ) as http,
    ):
        yield Obank(settings, http, public_url=public_url), peer
