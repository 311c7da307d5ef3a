"""Top-ups → the bodies of contract/rest-api §5.2-5.5; pure. Unknown values leave their keys out (§1.3)."""

from __future__ import annotations

from evpower.http.wire.values import Body, instant, instant_or_null, known
from evpower.money import CURRENCY, som_number
from evpower.payments.gateway import Challenge, HostedPage
from evpower.payments.top_up import CREDITED, NUMBER, OPEN, TopUp, TopUpView

MESSAGES = {
    "processing": "В процессе обработки",
    "approved": "Платеж зачислен",
    "canceled": "Платеж отменен",
    "refunded": "Платеж возвращен",
    "partial_refund": "Частичный возврат",
}
EXPIRED_MESSAGE = "Платеж отменен - время истекло"
#: `GET /payment/h2h-status` has statuses of its own.
H2H_STATUSES = {"processing": "pending", "partial_refund": "refunded"}


def qr_body(view: TopUpView) -> Body:
    """`POST /balance/topup-qr` that was accepted (§5.2)."""
    order, expires_at = view.order, instant(view.order.expires_at)
    return known(
        {
            **common(view),
            "qr_code": order.qr_code,
            "qr_code_url": order.qr_code_url,
            "app_link": order.app_link,
            "qr_expires_at": expires_at,
            "invoice_expires_at": expires_at,
            "qr_lifetime_seconds": view.lifetime_s,
            "invoice_lifetime_seconds": view.lifetime_s,
        }
    )


def card_body(view: TopUpView) -> Body:
    """`POST /balance/topup-card` and the token payments that were not declined (§5.3)."""
    order = view.order
    return known(
        {
            **common(view),
            "auth_key": order.auth_key or order.invoice_id,
            "transaction_id": view.trans_id,
            "card_mask": order.card_mask,
            **_challenge(order.challenge),
        }
    )


def _challenge(challenge: Challenge | None) -> Body:
    if challenge is None:
        return {}
    return {
        "requires_3ds": True,
        "acs_url": challenge.acs_url,
        "md": challenge.md,
        "pa_req": challenge.pa_req,
        "term_url": challenge.term_url,
    }


def common(view: TopUpView) -> Body:
    """What every accepted top-up says."""
    order = view.order
    return {
        "success": True,
        "invoice_id": order.invoice_id,
        "order_id": order.order_id,
        "status": order.status,
        "amount": som_number(order.amount_tyiyn),
        "client_id": order.client_id,
        "current_balance": som_number(view.balance_tyiyn),
        "currency": CURRENCY,
    }


def payment_status_body(view: TopUpView) -> Body:
    """`GET /payment/status/{invoice_id}` (§5.4): an open order past its life is shown as canceled, not made so."""
    order = view.order
    expired = order.phase == "expired" or (order.phase in OPEN and order.is_past_life(view.now))
    status = "canceled" if expired else order.status
    expires_at = instant(order.expires_at)
    credited = order.phase == "approved"
    return {
        "success": True,
        "status": NUMBER[status],
        "status_text": status,
        "message": EXPIRED_MESSAGE if expired else MESSAGES[status],
        "amount": som_number(order.amount_tyiyn),
        "paid_amount": som_number(order.paid_tyiyn) if order.phase in CREDITED else None,
        "invoice_id": order.invoice_id,
        "order_id": order.order_id,
        "client_id": order.client_id,
        "currency": CURRENCY,
        "provider": order.provider,
        "can_proceed": credited,
        "can_start_charging": credited,
        "qr_expired": expired and order.method == "qr",
        "invoice_expired": expired,
        "qr_expires_at": expires_at if order.method == "qr" else None,
        "invoice_expires_at": expires_at,
        "last_status_check_at": instant_or_null(order.last_check_at),
        "needs_callback_check": order.phase in OPEN and not expired,
    }


def check_started_body(order: TopUp) -> Body:
    """`POST /payment/status-check/{invoice_id}`."""
    return {"success": True, "message": "Проверка статуса запущена", "invoice_id": order.invoice_id}


def canceled_body(before: TopUp, after: TopUp) -> Body:
    """`POST /payment/cancel/{invoice_id}`, with what only the old app reads (§8)."""
    return {
        "success": True,
        "message": MESSAGES["canceled"],
        "invoice_id": after.invoice_id,
        "status": "canceled",
        "client_id": after.client_id,
        "amount": som_number(after.amount_tyiyn),
        "previous_status": before.status,
        "new_status": after.status,
        "provider": after.provider,
    }


def h2h_status_body(view: TopUpView) -> Body:
    """`GET /payment/h2h-status/{transaction_id}`."""
    order = view.order
    return {
        "success": True,
        "transaction_id": view.trans_id or order.order_id,
        "invoice_id": order.invoice_id,
        "status": H2H_STATUSES.get(order.status, order.status),
        "client_id": order.client_id,
        "amount": som_number(order.amount_tyiyn),
    }


def token_page_body(page: HostedPage, days: int) -> Body:
    """`POST /payment/create-token`."""
    return known(
        {
            "success": True,
            "token_url": page.url,
            "token": page.key,
            "token_expires_in_days": days,
            "message": "Откройте страницу банка, чтобы сохранить карту",
        }
    )
