"""A started server and the payment sandbox, over real HTTP and mutual TLS, and a person who pays."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import trio

from evpower.simulator.providers.obank.cards import HOLDER, MONTH, YEAR
from evpower.simulator.providers.running import run_sandbox
from evpower.simulator.providers.sandbox import Sandbox, SandboxSettings
from tests.e2e.process import Server, poll
from tests.e2e.street import FLEET, WITHIN_S, Phone

#: The sandbox takes no other; a canary must be found nowhere, so it is no number that stands anywhere else.
CVV = "123"
NOTIFY_KEY = "an-e2e-notify-key"
#: A poll, or a slow sweep, so seldom that only a webhook can be what credited.
NEVER_S = 600


class Payer(Phone):
    """A driver who tops up."""

    async def top_up(self, som: float | str, key: str | None = None) -> dict[str, Any]:
        """A QR code."""
        return await self.request("POST", "balance/topup-qr", {"client_id": self.client_id, "amount": som}, key)

    async def pay_by_card(self, pan: str, som: float = 100, key: str | None = None) -> dict[str, Any]:
        """A card, entered in the app."""
        card = {"card_pan": pan, "card_name": HOLDER, "card_cvv": CVV, "card_year": YEAR, "card_month": MONTH}
        body = {"client_id": self.client_id, "amount": som, "email": "payer@example.org", **card}
        return await self.request("POST", "balance/topup-card", body, key)

    async def payment(self, invoice_id: str) -> dict[str, Any]:
        """How a top-up stands."""
        return await self.request("GET", f"payment/status/{invoice_id}")

    async def payment_is(self, invoice_id: str, status: int) -> dict[str, Any]:
        """Look until a top-up is as wanted, also while the server is away."""

        async def look() -> dict[str, Any] | None:
            try:
                seen = await self.payment(invoice_id)
            except httpx2.TransportError:
                return None
            return seen if seen.get("status") == status else None

        with trio.fail_after(WITHIN_S):
            seen: dict[str, Any] = await poll(look)
        return seen

    async def balance_is(self, som: str) -> None:
        """Look until there is so much free money."""

        async def look() -> bool:
            try:
                return await self.balance() == Decimal(som)
            except httpx2.TransportError:
                return False

        with trio.fail_after(WITHIN_S):
            await poll(look)


async def seen(condition: Callable[[], Any]) -> Any:
    """The first true value of a condition the sandbox holds."""

    async def look() -> Any:
        return condition()

    with trio.fail_after(WITHIN_S):
        return await poll(look)


@asynccontextmanager
async def banked_server(
    database_url: str, directory: Path, port: int, **settings: object
) -> AsyncIterator[tuple[Server, Sandbox]]:
    """The server on `port`, where the providers call it, and the providers; at the end the ledger must agree.

    All calls come from one address, so their number is not limited unless a test says so.
    """
    settings = {"payments_webhook_per_minute": 0} | settings
    async with trio.open_nursery() as nursery:
        sandbox: Sandbox = await nursery.start(run_sandbox, SandboxSettings(directory=directory / "bank"))
        server = Server(nursery, directory, database_url=database_url, **settings)
        server.environment |= sandbox.environment() | {
            "EVPOWER_HTTP_BIND": f"127.0.0.1:{port}",
            "EVPOWER_OPERATOR_BIND": "",
            "EVPOWER_PAYMENTS_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "EVPOWER_OBANK_NOTIFY_KEY": NOTIFY_KEY,
            "EVPOWER_OBANK_H2H": "true",
            "EVPOWER_ODENGI_TEST": "true",
        }
        await server.start()
        await server.import_fleet(FLEET)
        yield server, sandbox
        await server.check_ledger()
        await server.stop()
        nursery.cancel_scope.cancel()
