"""Whose an invoice is, in each mode: top-ups, their status, check and cancel (rest-api §1.8, safe by default 5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from evpower.db.pool import Pool
from evpower.http.wire.caller import Mode
from tests.http.conftest import body_of
from tests.http.phones.test_callers import EXPIRED, MODES, headers, of
from tests.http.test_payment_doors import CARD, CARD_FIELDS, QR, Door
from tests.worlds.payments import CLIENT, open_world

PAYING: tuple[tuple[str, dict[str, Any]], ...] = (
    (QR, {}),
    (CARD, CARD_FIELDS),
    ("/api/v1/payment/h2h-payment", CARD_FIELDS),
    ("/api/v1/balance/token-payment", {"card_token": "t", "email": "payer@example.org"}),
    ("/api/balance/topup-qr", {}),
)
ASKING = (
    ("GET", "/api/v1/payment/status/{}"),
    ("GET", "/api/v1/payment/h2h-status/{}"),
    ("POST", "/api/v1/payment/status-check/{}"),
    ("POST", "/api/v1/payment/cancel/{}"),
    ("GET", "/api/payment/status/{}"),
    ("POST", "/api/payment/cancel/{}"),
)


@pytest.fixture
async def door(pool: Pool) -> AsyncIterator[Door]:
    async with open_world(pool) as world:
        yield Door(world)


def in_mode(door: Door, mode: Mode) -> None:
    door.mode = mode
    door.restart()


async def invoice(door: Door) -> str:
    """An open invoice of the client."""
    answer = await door.phone.post(QR, json={"client_id": CLIENT, "amount": 100}, headers=headers(of(CLIENT)))
    return str((await body_of(answer))["invoice_id"])


async def asked(door: Door, method: str, path: str, token: str | None) -> tuple[int, Any]:
    answer = await door.phone.open(path, method=method, headers=headers(token))
    return answer.status_code, await answer.get_json()


@pytest.mark.parametrize(("path", "fields"), PAYING)
async def test_who_pays_in_is_known(door: Door, path: str, fields: dict[str, Any]) -> None:
    for mode in MODES:
        in_mode(door, mode)
        for body, token, status in (
            ({"client_id": "other"}, of(CLIENT), 403),
            ({}, of(CLIENT, is_anonymous=True), 403),
            ({}, of(CLIENT, **EXPIRED), 401),
            ({"client_id": CLIENT}, of(CLIENT, **EXPIRED), None if mode == "trust" else 401),
            ({}, None, 401 if mode == "required" else 400),
            ({"client_id": CLIENT}, None, 401 if mode == "required" else None),
        ):
            sent = {"amount": 5, **fields, **body}  # too little: who is let in is refused for that
            answer = await door.phone.post(path, json=sent, headers=headers(token))
            shown = (answer.status_code, (await answer.get_json())["error"])
            if status is None:
                assert shown == (400, "minimum_amount_required"), (mode, body)
            else:
                assert shown[0] == status, (mode, body, shown)
                assert shown[1] == {400: "validation_error", 401: "unauthorized", 403: "forbidden"}[status]


@pytest.mark.parametrize("mode", MODES)
async def test_a_token_names_the_client_of_a_top_up(door: Door, mode: Mode) -> None:
    in_mode(door, mode)
    answer = await body_of(await door.phone.post(QR, json={"amount": 100}, headers=headers(of(CLIENT))))
    assert answer["client_id"] == CLIENT


@pytest.mark.parametrize(("method", "path"), ASKING)
async def test_another_ones_invoice_is_404_and_untouched(door: Door, method: str, path: str) -> None:
    """Design §9.17: it is not even said that it exists."""
    known, unknown = path.format(await invoice(door)), path.format("unknown")
    for mode in MODES:
        in_mode(door, mode)
        foreign = await asked(door, method, known, of("other"))
        assert foreign == await asked(door, method, unknown, of("other"))
        assert (foreign[0], foreign[1]["error"]) == (404, "payment_not_found")
        named = await asked(door, method, f"{known}?client_id=other", of(CLIENT))
        assert (named[0], named[1]["error"]) == (403, "forbidden")
    status = await asked(door, "GET", known.replace("status-check", "status").replace("cancel", "status"), of(CLIENT))
    assert status[1]["status"] in (0, "pending")


@pytest.mark.parametrize(("method", "path"), ASKING)
async def test_knowing_an_invoice_is_enough_in_trust_alone(door: Door, method: str, path: str) -> None:
    known = path.format(await invoice(door))
    in_mode(door, "optional")
    status, body = await asked(door, method, known, None)
    assert (status, body["error"]) == (404, "payment_not_found")
    in_mode(door, "required")
    for token in (None, of(CLIENT, **EXPIRED)):
        assert (await asked(door, method, f"{known}?client_id={CLIENT}", token))[0] == 401
    assert (await asked(door, method, known, of(CLIENT)))[1]["success"] is True
    if "cancel" not in path:
        in_mode(door, "trust")
        assert (await asked(door, method, known, None))[1]["success"] is True


async def test_to_store_a_card_needs_a_token_where_one_is_required(door: Door) -> None:
    path = "/api/v1/payment/create-token"
    for mode in MODES:
        in_mode(door, mode)
        assert (await asked(door, "POST", path, of(CLIENT, is_anonymous=True)))[0] == 403
        assert (await asked(door, "POST", path, None))[0] == (401 if mode == "required" else 200)
        assert (await asked(door, "POST", path, of(CLIENT)))[0] == 200
