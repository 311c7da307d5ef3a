"""The phones', the providers' and the operators' door to payments, to the letter (rest-api §5.2-5.6, §8)."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from quart import Response

from evpower.db.pool import Pool
from evpower.errors import ProviderError, ProviderTimeout
from evpower.http.app import HttpAppSettings, PhoneServices, build_http_app
from evpower.http.operators.admin import AdminDoor
from evpower.http.operators.payment_admin import payment_admin_routes
from evpower.http.phones.live_hub import LiveHub, LiveLimits
from evpower.http.providers.webhook_guard import WebhookLimits
from evpower.http.wire.caller import Callers, Mode
from evpower.idempotency.claim import RUNS_AT_MOST_S
from evpower.idempotency.keys import KeyRows
from evpower.identity.graph import TokenRules, build_tokens
from evpower.payments.gateway import CardAnswer, Challenge, OrderState, OrderStatus
from evpower.rate_limits.service import RateLimits
from tests.http.conftest import body_of
from tests.http.description import hold_to_description
from tests.http.fakes import SUNSET, CountingIds, FakeCharging, FakeKeys, FakeLocations, FakeStationPages, Phone
from tests.worlds import token_issuer
from tests.worlds.cards import CVV, PAN
from tests.worlds.lost_answers import LOSE_ANSWERS
from tests.worlds.payments import CLIENT, World, open_world
from tests.worlds.provider import PROCESSING, SIGNATURE, paid

QR = "/api/v1/balance/topup-qr"
CARD = "/api/v1/balance/topup-card"
CARD_FIELDS = {
    "card_pan": PAN,
    "card_name": "TEST CARD",
    "card_cvv": CVV,
    "card_year": "25",
    "card_month": "12",
    "email": "payer@example.org",
    "phone_number": "+996555000001",
}


class Door:
    """The HTTP application over the payments of a world."""

    def __init__(self, world: World, webhooks: WebhookLimits | None = None) -> None:
        self.world = world
        self.webhooks = webhooks or WebhookLimits()
        self.mode: Mode = "trust"
        self.keys = KeyRows(world.pool, world.clock)
        self.restart()

    def restart(self) -> None:
        """A new application over the same rows."""
        rules = TokenRules(token_issuer.SECRET)
        services = PhoneServices(
            callers=Callers(self.mode, build_tokens(rules, self.world.clock).verifier),
            charging=FakeCharging(FakeKeys()),
            station_pages=FakeStationPages(),
            billing=self.world.billing,
            locations=FakeLocations(),
            hub=LiveHub(self.world.clock, LiveLimits()),
            keys=self.keys,
            rate_limits=RateLimits(self.world.clock),
            payments=self.world.payments,
        )
        app = build_http_app(
            services,
            self.world.clock,
            CountingIds(),
            HttpAppSettings(webhooks=self.webhooks, legacy_sunset=SUNSET),
            admin=AdminDoor("secret"),
            operations=[payment_admin_routes(self.world.payments, self.world.allowance, self.world.case_files)],
        )
        hold_to_description(app)
        self.phone = cast("Phone", app.test_client())

    async def post(self, path: str, body: object = None, **headers: str) -> Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is None:
            return await self.phone.post(path, headers=named)
        return await self.phone.post(path, json=body, headers=named)

    async def raw(self, path: str, body: str, **headers: str) -> Response:
        named = {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return await self.phone.post(path, data=body, headers=named)

    async def get(self, path: str) -> Response:
        return await self.phone.get(path)

    async def qr(self, status: int = 200, **headers: str) -> Any:
        return await body_of(await self.post(QR, {"client_id": CLIENT, "amount": 100}, **headers), status)

    async def card(self, status: int = 200, **headers: str) -> Any:
        sent = {"client_id": CLIENT, "amount": 100, **CARD_FIELDS}
        return await body_of(await self.post(CARD, sent, **headers), status)

    async def operator(self, path: str, body: object) -> Response:
        return await self.post(f"/api/v1/admin/payments/{path}", body, Authorization="Bearer secret")


@pytest.fixture
async def door(pool: Pool) -> AsyncIterator[Door]:
    async with open_world(pool) as world:
        yield Door(world)


async def test_a_qr_top_up_has_exactly_these_fields(door: Door) -> None:
    response = await door.post(QR, {"client_id": CLIENT, "amount": 19.99, "description": "Пополнение"})
    assert response.headers["Cache-Control"] == "no-store"
    assert await body_of(response) == {
        "success": True,
        "invoice_id": "530912448170",
        "order_id": "tu_session-1",
        "status": "processing",
        "amount": 19.99,
        "client_id": CLIENT,
        "current_balance": 0,
        "currency": "KGS",
        "qr_code": "000201530912448170",
        "qr_code_url": "https://qr.example/530912448170.png",
        "app_link": "https://app.example/530912448170",
        "qr_expires_at": "2026-11-23T06:05:00.000000Z",
        "invoice_expires_at": "2026-11-23T06:05:00.000000Z",
        "qr_lifetime_seconds": 300,
        "invoice_lifetime_seconds": 300,
    }


@pytest.mark.parametrize(("text", "tyiyn"), [("19.99", 1999), ("11.15", 1115), ("10.29", 1029), ("18.2", 1820)])
async def test_sums_are_read_exactly(door: Door, text: str, tyiyn: int) -> None:
    await body_of(await door.raw(QR, f'{{"client_id":"c","amount":{text}}}'))
    assert door.world.odengi.orders[0].amount_tyiyn == tyiyn


@pytest.mark.parametrize(("text", "tyiyn"), [("1.15", 115), ("0.29", 29), ("8.2", 820)])
async def test_small_sums_are_read_exactly_where_they_are_allowed(door: Door, text: str, tyiyn: int) -> None:
    door.world.ruled(minimum_tyiyn=1)
    door.restart()
    await body_of(await door.raw(QR, f'{{"client_id":"c","amount":{text}}}'))
    assert door.world.odengi.orders[0].amount_tyiyn == tyiyn


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("0.001", "invalid_amount"),
        ("10.001", "invalid_amount"),
        ("0", "invalid_amount"),
        ("-5", "invalid_amount"),
        ("NaN", "validation_error"),
        ("Infinity", "validation_error"),
        ('"10"', "validation_error"),
        ("true", "validation_error"),
        ("null", "validation_error"),
        ("9.99", "minimum_amount_required"),
        ("100000.01", "maximum_amount_exceeded"),
        ("1e400", "maximum_amount_exceeded"),
    ],
)
async def test_sums_that_are_not_taken_are_400(door: Door, text: str, error: str) -> None:
    body = await body_of(await door.raw(QR, f'{{"client_id":"c","amount":{text}}}'), 400)
    assert body["error"] == error
    assert door.world.odengi.calls == []


async def test_the_limits_are_told(door: Door) -> None:
    low = await body_of(await door.post(QR, {"client_id": "c", "amount": 1}), 400)
    high = await body_of(await door.post(QR, {"client_id": "c", "amount": 200000}), 400)
    assert (low["minimum_amount"], high["maximum_amount"]) == (10, 100000)


async def test_a_provider_that_is_away_is_a_refusal_with_400(door: Door) -> None:
    """Field ruling 6.3; it was 200, and the app showed an empty code to pay by."""
    door.world.odengi.creation = ProviderError()
    assert (await door.qr(400))["error"] == "provider_error"
    door.world.odengi.creation = ProviderTimeout()
    body = await door.qr(400)
    assert (body["success"], body["error"], body["order_id"]) == (False, "provider_timeout", "tu_session-2")


TOP_UPS = [
    QR,
    CARD,
    "/api/balance/topup-qr",
    "/api/v1/balance/h2h-payment",
    "/api/v1/payment/h2h-payment",
    "/api/v1/balance/token-payment",
    "/api/v1/payment/token-payment",
]


@pytest.mark.parametrize("path", TOP_UPS)
async def test_every_refusal_of_a_top_up_is_400_with_the_envelope(door: Door, path: str) -> None:
    """Field ruling 6.3: the app takes any 2xx for a code to pay by; a repeat under the key is refused alike."""
    await door.world.sql(f"INSERT INTO clients (id, status) VALUES ('{CLIENT}', 'blocked')")
    sent = {"client_id": CLIENT, "amount": 100, "card_token": "t", **CARD_FIELDS}
    for _ in range(2):
        body = await body_of(await door.post(path, sent, Idempotency_Key="k"), 400)
        assert body == {"success": False, "error": "client_blocked", "message": "Аккаунт заблокирован"}


async def test_a_card_that_cannot_be_stored_is_400(door: Door) -> None:
    """Field ruling 6.3, for the page where a card is stored."""
    door.world.obank.storing_error = ProviderError()
    body = await body_of(await door.post("/api/v1/payment/create-token", {}), 400)
    assert (body["success"], body["error"]) == (False, "provider_error")


async def test_the_status_has_exactly_these_fields(door: Door) -> None:
    invoice = (await door.qr())["invoice_id"]
    response = await door.get(f"/api/v1/payment/status/{invoice}")
    assert response.headers["Cache-Control"] == "no-store"
    assert await body_of(response) == {
        "success": True,
        "status": 0,
        "status_text": "processing",
        "message": "В процессе обработки",
        "amount": 100,
        "paid_amount": None,
        "invoice_id": invoice,
        "order_id": "tu_session-1",
        "client_id": CLIENT,
        "currency": "KGS",
        "provider": "ODENGI",
        "can_proceed": False,
        "can_start_charging": False,
        "qr_expired": False,
        "invoice_expired": False,
        "qr_expires_at": "2026-11-23T06:05:00.000000Z",
        "invoice_expires_at": "2026-11-23T06:05:00.000000Z",
        "last_status_check_at": None,
        "needs_callback_check": True,
    }


async def test_a_payment_whose_invoice_never_came_has_no_other_nulls(door: Door) -> None:
    """Field ruling 6.5: the app's schema takes null for times and the sum paid alone."""
    door.world.odengi.creation = ProviderTimeout()
    order = (await door.qr(400))["order_id"]
    status = await body_of(await door.get(f"/api/v1/payment/status/{order}"))
    assert {name for name, value in status.items() if value is None} <= {"paid_amount", "last_status_check_at"}
    for answer in (
        await door.get(f"/api/v1/payment/h2h-status/{order}"),
        await door.post(f"/api/v1/payment/status-check/{order}"),
        await door.post(f"/api/v1/payment/cancel/{order}"),
        await door.post(f"/api/v1/payment/cancel/{order}"),
    ):
        assert None not in (await body_of(answer)).values()


async def test_an_open_payment_past_its_life_reads_as_canceled_and_a_paid_one_never_as_expired(door: Door) -> None:
    invoice = (await door.qr())["invoice_id"]
    door.world.clock.advance(300)
    late = await body_of(await door.get(f"/api/v1/payment/status/{invoice}"))
    assert (late["status"], late["status_text"], late["qr_expired"], late["invoice_expired"]) == (
        2,
        "canceled",
        True,
        True,
    )
    assert (late["message"], late["needs_callback_check"]) == ("Платеж отменен - время истекло", False)
    assert (await door.world.newest()).phase == "processing"
    await door.world.apply(await door.world.newest(), paid(100_00))
    body = await body_of(await door.get(f"/api/v1/payment/status/{invoice}"))
    assert (body["status"], body["status_text"], body["can_proceed"], body["paid_amount"]) == (1, "approved", True, 100)
    assert (body["qr_expired"], body["invoice_expired"]) == (False, False)


async def test_an_unknown_and_a_foreign_payment_are_the_same_404(door: Door) -> None:
    invoice = (await door.qr())["invoice_id"]
    expected = {
        "success": False,
        "error": "payment_not_found",
        "message": "Платеж не найден",
        "status": 0,
        "status_text": "processing",
    }
    assert await body_of(await door.get("/api/v1/payment/status/nope"), 404) == expected
    assert await body_of(await door.get(f"/api/v1/payment/status/{invoice}?client_id=other"), 404) == expected
    assert (await body_of(await door.get(f"/api/v1/payment/status/{invoice}?client_id={CLIENT}")))["success"]


async def test_a_forced_check_and_a_cancel_have_exactly_these_fields(door: Door) -> None:
    invoice = (await door.qr())["invoice_id"]
    assert await body_of(await door.post(f"/api/v1/payment/status-check/{invoice}")) == {
        "success": True,
        "message": "Проверка статуса запущена",
        "invoice_id": invoice,
    }
    assert await body_of(await door.post(f"/api/v1/payment/cancel/{invoice}")) == {
        "success": True,
        "message": "Платеж отменен",
        "invoice_id": invoice,
        "status": "canceled",
        "client_id": CLIENT,
        "amount": 100,
        "previous_status": "processing",
        "new_status": "canceled",
        "provider": "ODENGI",
    }
    again = await body_of(await door.post(f"/api/v1/payment/cancel/{invoice}"))
    assert (again["error"], again["status"]) == ("payment_not_cancellable", "canceled")
    over = await body_of(await door.post(f"/api/v1/payment/status-check/{invoice}"))
    assert over["error"] == "payment_not_processing"
    assert (await body_of(await door.post("/api/v1/payment/cancel/nope")))["error"] == "payment_not_found"


async def test_an_approved_card_has_exactly_these_fields(door: Door) -> None:
    door.world.obank.card_answer = CardAnswer(paid(100_00, "7781234"), "ob_1")
    assert await door.card() == {
        "success": True,
        "invoice_id": "ob_1",
        "order_id": "tu_session-1",
        "status": "approved",
        "amount": 100,
        "client_id": CLIENT,
        "current_balance": 100,
        "currency": "KGS",
        "auth_key": "ob_1",
        "transaction_id": "7781234",
        "card_mask": "416958******5678",
    }
    assert (await body_of(await door.get("/api/v1/payment/status/ob_1")))["status"] == 1
    h2h = await body_of(await door.get("/api/v1/payment/h2h-status/tu_session-1"))
    assert h2h == {
        "success": True,
        "transaction_id": "7781234",
        "invoice_id": "ob_1",
        "status": "approved",
        "client_id": CLIENT,
        "amount": 100,
    }


async def test_a_challenge_is_handed_on(door: Door) -> None:
    challenge = Challenge("https://acs.example", "pareq", "md-1", "https://csms.example/term")
    door.world.obank.card_answer = CardAnswer(PROCESSING, "ob_2", challenge)
    body = await door.card()
    assert (body["status"], body["requires_3ds"], body["acs_url"]) == ("processing", True, "https://acs.example")
    assert (body["pa_req"], body["md"], body["term_url"]) == ("pareq", "md-1", "https://csms.example/term")
    assert "transaction_id" not in body


async def test_a_declined_card_is_payment_failed(door: Door) -> None:
    door.world.obank.card_answer = CardAnswer(OrderStatus(OrderState.CANCELED, reason="80"), "ob_3")
    body = await door.card(400)
    assert (body["success"], body["error"], body["reason"]) == (False, "payment_failed", "payment_declined")
    assert (body["client_id"], body["current_balance"]) == (CLIENT, 0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("card_pan", "41695855123"),
        ("card_pan", "4169585512345678x"),
        ("card_cvv", "12"),
        ("card_year", "2025"),
        ("card_month", "13"),
        ("card_name", "1234"),
        ("email", "nobody"),
        ("phone_number", "call me"),
        ("email", None),
    ],
)
async def test_a_card_of_the_wrong_shape_is_400_and_not_echoed(door: Door, field: str, value: str | None) -> None:
    sent = {"client_id": CLIENT, "amount": 100, **CARD_FIELDS, field: value}
    response = await door.post(CARD, sent)
    body = await body_of(response, 400)
    assert [wrong["field"] for wrong in body["detail"]] == [field]
    assert PAN not in json.dumps(body)
    assert door.world.obank.calls == []


async def test_blanks_in_a_card_number_do_not_matter(door: Door) -> None:
    door.world.obank.card_answer = CardAnswer(paid(100_00, "7781234"), "ob_1")
    sent = {"client_id": CLIENT, "amount": 100, **CARD_FIELDS, "card_pan": "4169 5855 1234 5678"}
    assert (await body_of(await door.post(CARD, sent)))["card_mask"] == "416958******5678"


async def test_a_page_to_store_a_card_and_a_payment_with_it(door: Door) -> None:
    page = await body_of(await door.post("/api/v1/payment/create-token", {"days": 7}))
    assert (page["token_url"], page["token_expires_in_days"]) == ("https://bank.example/store?days=7", 7)
    assert (await body_of(await door.post("/api/v1/payment/create-token")))["token_expires_in_days"] == 14
    await body_of(await door.post("/api/v1/payment/create-token", {"days": 15}), 400)
    door.world.obank.card_answer = CardAnswer(paid(100_00, "7781234"), "ob_1")
    told = {"client_id": CLIENT, "amount": 100, "card_token": "tok", "email": "payer@example.org"}
    assert (await body_of(await door.post("/api/v1/balance/token-payment", told)))["status"] == "approved"


async def test_an_old_path_shares_the_limit_of_the_new_one(door: Door) -> None:
    """Naive aliases forget it (rest-api §8)."""
    body = {"client_id": CLIENT, "amount": 100}
    first, second = await door.post(QR, body), await door.post("/api/balance/topup-qr", body)
    assert [each.headers["X-RateLimit-Remaining"] for each in (first, second)] == ["99", "98"]
    for _ in range(98):
        await door.get(f"/api/v1/payment/status/none?client_id={CLIENT}")
    assert (await body_of(await door.post("/api/balance/topup-qr", body), 429))["error"] == "rate_limit_exceeded"


async def test_legacy_paths_answer_the_same_and_say_that_they_are_old(door: Door) -> None:
    response = await door.post("/api/balance/topup-qr", {"client_id": CLIENT, "amount": 100})
    assert response.headers["X-Deprecated"] == "true"
    assert "X-Deprecated-Message" in response.headers
    assert "X-API-Deprecated-Warning" in response.headers
    invoice = (await body_of(response))["invoice_id"]
    assert (await body_of(await door.get(f"/api/payment/status/{invoice}")))["status"] == 0
    assert "X-Deprecated" not in (await door.get(f"/api/v1/payment/status/{invoice}")).headers


# -------------------------------------------------------------------------------------------- Idempotency-Key
async def test_the_same_key_makes_one_invoice_and_gives_the_same_bytes(door: Door) -> None:
    first = await door.post(QR, {"client_id": CLIENT, "amount": 100}, Idempotency_Key="k")
    second = await door.post(QR, {"amount": 100.0, "client_id": CLIENT}, Idempotency_Key="k")
    assert await first.get_data() == await second.get_data()
    assert door.world.odengi.count("create_invoice") == 1
    await body_of(await door.post(QR, {"client_id": CLIENT, "amount": 101}, Idempotency_Key="k"), 409)


@pytest.mark.parametrize("other", ["4169585512340000", "5169585512345678"])
async def test_another_card_under_a_used_key_is_409_and_not_charged(door: Door, other: str) -> None:
    door.world.obank.card_answer = CardAnswer(paid(100_00, "7781234"), "ob_1")
    first = await door.card(Idempotency_Key="k")
    sent = {"client_id": CLIENT, "amount": 100, **CARD_FIELDS}
    await body_of(await door.post(CARD, sent | {"card_pan": other}, Idempotency_Key="k"), 409)
    assert door.world.obank.count("pay") == 1
    # However the same card is written, and whatever else is typed of it, it is the same request.
    again = sent | {"card_pan": "4169 5855-1234 5678", "card_cvv": "0000"}
    assert await body_of(await door.post(CARD, again, Idempotency_Key="k")) == first


async def test_a_timed_out_key_makes_no_second_invoice(door: Door) -> None:
    door.world.odengi.creation = ProviderTimeout()
    first = await door.qr(400, Idempotency_Key="k")
    door.world.odengi.creation = None
    assert await door.qr(400, Idempotency_Key="k") == first
    assert door.world.odengi.count("create_invoice") == 1


async def lose_answer(door: Door) -> None:
    """The effect was committed, and the process died before its answer was kept."""
    await door.world.sql(LOSE_ANSWERS)
    door.world.restart()
    door.restart()


async def test_a_lost_answer_is_rebuilt_from_the_order(door: Door) -> None:
    first = await door.qr(Idempotency_Key="k")
    await lose_answer(door)
    assert await door.qr(Idempotency_Key="k") == first
    assert door.world.odengi.count("create_invoice") == 1


async def test_a_code_whose_answer_never_came_is_rebuilt_as_that_with_the_order_to_look_for(door: Door) -> None:
    door.world.odengi.creation = ProviderTimeout()
    first = await door.qr(400, Idempotency_Key="k")
    await lose_answer(door)
    assert await door.qr(400, Idempotency_Key="k") == first
    assert first["order_id"] == "tu_session-1"
    assert door.world.odengi.count("create_invoice") == 1


async def test_a_lost_answer_of_a_card_is_rebuilt_and_the_card_is_charged_once(door: Door) -> None:
    door.world.obank.card_answer = CardAnswer(paid(100_00, "7781234"), "ob_1")
    first = await door.card(Idempotency_Key="k")
    await lose_answer(door)
    assert await door.card(Idempotency_Key="k") == first
    assert door.world.obank.count("pay") == 1


async def test_a_card_whose_answer_never_came_is_not_charged_again_by_its_key(door: Door) -> None:
    door.world.obank.card_answer = ProviderTimeout()
    await door.card(400, Idempotency_Key="k")
    await lose_answer(door)
    assert (await door.card(400, Idempotency_Key="k"))["error"] == "provider_timeout"
    assert door.world.obank.count("pay") == 1


# --------------------------------------------------------------------------------------------------- webhooks
HOOK = "/api/v1/payment/webhook/odengi"


async def test_a_webhook_is_answered_by_the_table(door: Door) -> None:
    order = (await door.qr())["order_id"]
    told = {"order_id": order, "state": "approved", "trans_id": "1", "amount": 10000}
    received = {"status": "received", "provider": "ODENGI", "invoice_id": "530912448170"}
    for path in (HOOK, HOOK, "/api/v1/payment/webhook", "/api/payment/webhook"):
        assert await body_of(await door.post(path, told, X_Signature=SIGNATURE)) == received
    unknown = {"order_id": "tu_nobody", "state": "approved"}
    assert await body_of(await door.post(HOOK, unknown, X_Signature=SIGNATURE)) == {"status": "payment_not_found"}
    bank = "/api/v1/payment/webhook/obank/token-1"
    assert await body_of(await door.post(bank, told)) == {"status": "provider_mismatch"}
    await body_of(await door.post(HOOK, told, X_Signature="forged"), 401)
    await body_of(await door.post("/api/v1/payment/obank/notify", told), 401)
    await body_of(await door.raw(HOOK, "<", X_Signature=SIGNATURE), 400)
    await body_of(await door.raw(HOOK, "x" * 70_000, X_Signature=SIGNATURE), 413)
    assert await door.world.credits() == []


async def test_a_webhook_leads_to_a_credit(door: Door) -> None:
    order = (await door.qr())["order_id"]
    door.world.odengi.answer = paid(100_00)
    await door.post(HOOK, {"order_id": order, "state": "approved", "trans_id": "90017755"}, X_Signature=SIGNATURE)
    await door.world.poll()
    assert (await body_of(await door.get(f"/api/v1/payment/status/{order}")))["status"] == 1


@pytest.mark.parametrize("path", ["/api/v1/payment/3ds-return", "/api/v1/payment/3ds-callback"])
async def test_a_browser_that_returns_sees_a_page_and_starts_a_check(door: Door, path: str) -> None:
    challenge = Challenge("https://acs.example", "pareq", "md-1", "https://csms.example/term")
    door.world.obank.card_answer = CardAnswer(PROCESSING, "ob_2", challenge)
    await door.card()
    page = await door.phone.post(path, form={"MD": "md-1", "PaRes": "whatever"})
    assert (page.status_code, page.content_type) == (200, "text/html; charset=utf-8")
    assert "Проверяем платёж" in await page.get_data(as_text=True)
    await door.world.poll()
    assert door.world.obank.count("status") == 1
    assert await door.world.credits() == []


# -------------------------------------------------------------------------------------------------- operators
async def test_an_operator_sees_decides_and_refunds(door: Door) -> None:
    door.world.obank.card_answer = CardAnswer(paid(1000_00, "7781234"), "ob_1")
    await door.card()
    listed = await door.phone.get("/api/v1/admin/payments?parked=1", headers={"Authorization": "Bearer secret"})
    (row,) = (await body_of(listed))["data"]
    assert (row["reason"], row["amount"], row["ordered"], row["invoice_id"]) == ("other_sum", 1000, 100, "ob_1")
    decision = {"credit": 100, "reason": "seen"}
    await body_of(await door.operator(f"parked/{row['id']}/resolve", decision))
    assert await door.world.balance() == 100_00
    again = await body_of(await door.operator(f"parked/{row['id']}/resolve", decision), 400)
    assert again["error"] == "validation_error"
    done = (await body_of(await door.operator("ob_1/refund", {"amount": 40, "reason": "asked"})))["data"]
    assert (done["state"], done["amount"]) == ("completed", 40)
    orders = await door.phone.get("/api/v1/admin/payments", headers={"Authorization": "Bearer secret"})
    (shown,) = (await body_of(orders))["data"]
    assert (shown["phase"], shown["refunded_amount"]) == ("partial_refund", 40)


@pytest.mark.parametrize("body", [{}, {"credit": 1, "dismiss": True}, {"dismiss": False}, {"credit": "5"}])
async def test_a_decision_must_be_one(door: Door, body: dict[str, object]) -> None:
    await body_of(await door.operator("parked/1/resolve", {"reason": "r", **body}), 400)


async def test_operators_need_their_token(door: Door) -> None:
    await body_of(await door.get("/api/v1/admin/payments"), 401)


# ---------------------------------------------------------------------------------------------------- the card
TABLES = (
    "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname IN ('public', 'evpower')"
)


async def all_rows(world: World) -> str:
    """Every row of every table, as text."""
    rows = []
    for table in await world.sql(TABLES):
        rows += await world.sql(f"SELECT t::text AS row FROM {table['name']} t")
    return "\n".join(row["row"] for row in rows)


@pytest.mark.parametrize(
    "answer",
    [
        CardAnswer(paid(100_00, "7781234"), "ob_1"),
        CardAnswer(OrderStatus(OrderState.CANCELED, reason="80"), "ob_3"),
        CardAnswer(PROCESSING, "ob_2", Challenge("https://acs.example", "pareq", "md-1", "https://csms.example/t")),
        ProviderTimeout(),
        ProviderError(),
        RuntimeError("a bug in the gateway"),
    ],
    ids=["approved", "declined", "challenged", "timeout", "refused", "crash"],
)
async def test_a_card_leaves_no_trace(
    door: Door, answer: CardAnswer | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    door.world.obank.card_answer = answer
    with caplog.at_level(logging.DEBUG):
        response = await door.post(CARD, {"client_id": CLIENT, "amount": 100, **CARD_FIELDS}, Idempotency_Key="k")
        door.world.clock.advance(RUNS_AT_MOST_S)
        again = await door.post(CARD, {"client_id": CLIENT, "amount": 100, **CARD_FIELDS}, Idempotency_Key="k")
        await door.world.poll(after_s=15)
    everything = await all_rows(door.world)
    assert "tu_session-1" in everything, "the search sees the tables"
    bodies = await response.get_data(as_text=True) + await again.get_data(as_text=True)
    for where in (everything, caplog.text, bodies):
        assert PAN not in where
        assert not re.search(rf"(?<![0-9.]){CVV}(?![0-9])", where)


async def test_a_key_knows_of_its_card_what_the_order_shows_and_no_more(door: Door) -> None:
    """No hash of a card number is kept: cards that look alike in the order have one fingerprint."""
    door.world.obank.card_answer = CardAnswer(paid(100_00, "7781234"), "ob_1")
    first = await door.card(Idempotency_Key="k")
    alike = {"client_id": CLIENT, "amount": 100, **CARD_FIELDS, "card_pan": "4169580000005678"}
    assert await body_of(await door.post(CARD, alike, Idempotency_Key="k")) == first
    assert door.world.obank.count("pay") == 1
