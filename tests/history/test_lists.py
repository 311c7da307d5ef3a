"""Lists of the past over HTTP: pages, cursors that stay, filters, whose they are (rest-api §7.3, history page §1)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from evpower.db.pool import Pool
from evpower.identifiers import ClientId, SessionId
from evpower.settings.config import Config
from evpower.settings.phones import HistorySettings
from tests.history.doors import OTHER, charged, get, lay_out, phone_of
from tests.worlds import token_issuer
from tests.worlds.charging import CLIENT, World, open_world

CHARGES = "/history/charging"
MOVEMENTS = "/history/transactions"


async def test_acceptance_1_the_charge_of_the_second_worked_example(world: World) -> None:
    await world.give(300_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    await world.charge(session_id, 15_000)
    page = await get(phone_of(world), CHARGES)
    (charge,) = page["data"]
    assert (charge["amount"], charge["energy_kwh"], charge["refunded_amount"]) == (202.5, 15, 67.5)
    assert charge["station"]["location"] == {"name": "ТЦ Дордой Плаза", "address": "ул. Московская, 123"}
    assert (charge["average_power_kw"], charge["stop_reason"], charge["limit_value"]) == (22.01, "charger", 20)
    assert (page["total"], page["limit"], page["offset"], "next_cursor" in page) == (1, 50, 0, False)


async def test_acceptance_2_the_second_page_has_the_five_oldest_whatever_came_meanwhile(world: World) -> None:
    await lay_out(world, 55)
    phone = phone_of(world)
    first = await get(phone, CHARGES, limit=50)
    for _ in range(3):
        await charged(world)
    second = await get(phone, CHARGES, limit=50, cursor=first["next_cursor"])
    assert [each["id"] for each in second["data"]] == [f"old-{n:05}" for n in range(5, 0, -1)]
    assert "next_cursor" not in second
    assert second["total"] == 58


async def test_charges_of_one_moment_are_each_on_one_page(world: World) -> None:
    await lay_out(world, 7)
    await world.sql("UPDATE charging_sessions SET created_at = '2026-01-01T00:00:00Z'")
    phone, seen, cursor = phone_of(world), [], None
    for _ in range(3):
        page = await get(phone, CHARGES, limit=3, **({"cursor": cursor} if cursor else {}))
        seen += [each["id"] for each in page["data"]]
        cursor = page.get("next_cursor")
    assert seen == [f"old-{n:05}" for n in range(7, 0, -1)]


async def test_a_running_charge_has_no_amount_and_no_end(world: World) -> None:
    await world.give(300_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    await world.begin(await world.tag_of(session_id))
    ((charge,)) = (await get(phone_of(world), CHARGES))["data"]
    assert charge["status"] == "started"
    assert not {"amount", "ended_at", "refunded_amount", "average_power_kw", "estimated"} & charge.keys()


async def test_a_list_is_filtered(world: World) -> None:
    await lay_out(world, 3)
    await charged(world)
    phone = phone_of(world)
    totals = [
        (await get(phone, CHARGES, **query))["total"]
        for query in (
            {"status": "error"},
            {"status": "stopped"},
            {"station_id": "EVPCS-001"},
            {"station_id": "nowhere"},
            {"location_id": "EVP-LOC-001"},
            {"location_id": "nowhere"},
        )
    ]
    assert totals == [0, 4, 4, 0, 4, 0]


async def test_a_date_is_a_day_in_bishkek_and_the_last_one_is_not_in(world: World) -> None:
    await lay_out(world, 1)
    await world.sql("UPDATE charging_sessions SET created_at = '2026-03-09T18:00:00Z'")
    phone = phone_of(world)
    of_days = [
        (await get(phone, CHARGES, date_from=since, date_to=before))["total"]
        for since, before in (
            ("2026-03-10", "2026-03-11"),
            ("2026-03-09", "2026-03-10"),
            ("2026-03-09T18:00:00", "2026-03-09T18:00:01Z"),
            ("2026-03-09T18:00:01Z", "2026-03-11"),
        )
    ]
    assert of_days == [1, 0, 1, 0]


@pytest.mark.parametrize("path", [CHARGES, MOVEMENTS])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("limit", 0),
        ("limit", 101),
        ("limit", "many"),
        ("offset", -1),
        ("offset", 10_001),
        ("date_from", "yesterday"),
        ("date_to", "2026-13-01"),
        ("status", "gone"),
        ("cursor", "AAAA"),
        ("cursor", "\u2603"),
    ],
)
async def test_a_wrong_field_is_named(world: World, path: str, field: str, value: object) -> None:
    refusal = await get(phone_of(world), path, 400, **{field: value})
    assert (refusal["error"], [each["field"] for each in refusal["detail"]]) == ("validation_error", [field])


async def test_dates_the_wrong_way_round_are_refused(world: World) -> None:
    refusal = await get(phone_of(world), CHARGES, 400, date_from="2026-03-02", date_to="2026-03-01")
    assert refusal["detail"][0]["field"] == "date_to"


async def test_a_cursor_is_good_for_its_own_list_and_client_alone(world: World) -> None:
    await lay_out(world, 3)
    await world.give(100_00, OTHER)
    phone = phone_of(world)
    cursor = (await get(phone, CHARGES, limit=1))["next_cursor"]
    await get(phone, CHARGES, cursor=cursor)
    for path, client in ((CHARGES, OTHER), (MOVEMENTS, CLIENT)):
        assert (await get(phone, path, 400, client, cursor=cursor))["detail"][0]["field"] == "cursor"
    forged = cursor[:-2] + ("A" if cursor[-2] != "A" else "B") + cursor[-1]
    assert (await get(phone, CHARGES, 400, cursor=forged))["detail"][0]["field"] == "cursor"


async def test_nobody_is_named(world: World) -> None:
    assert (await get(phone_of(world), CHARGES, 400, None))["detail"][0]["field"] == "client_id"
    assert (await get(phone_of(world, "required"), CHARGES, 401, None))["error"] == "unauthorized"


async def test_a_token_shows_its_own_past_and_no_other(world: World) -> None:
    await world.give(300_00)
    await charged(world)
    phone = phone_of(world, "required")
    for token, client, status, total in ((CLIENT, None, 200, 1), (OTHER, None, 200, 0), (OTHER, CLIENT, 403, None)):
        query = {"client_id": client} if client else {}
        response = await phone.get(f"/api/v1{CHARGES}", query_string=query, headers=bearer(world, token))
        body = await response.get_json()
        assert (response.status_code, body.get("total")) == (status, total)


def bearer(world: World, client: ClientId) -> dict[str, str]:
    now = int(world.clock.now().timestamp())
    claims = {**token_issuer.CLAIMS, "sub": client, "iat": now, "exp": now + 3600}
    return {"Authorization": f"Bearer {token_issuer.by_secret(claims)}"}


async def test_the_names_of_the_apps_notes_are_aliases(world: World) -> None:
    await world.give(300_00)
    await charged(world)
    phone = phone_of(world)
    for alias, path in (("/charging/history", CHARGES), ("/balance/history", MOVEMENTS)):
        assert await get(phone, f"{alias}/{CLIENT}", 200, None, limit=7) == await get(phone, path, limit=7)


async def test_a_statement_has_its_balances(world: World) -> None:
    await world.give(300_00)
    session_id = await charged(world)
    data = (await get(phone_of(world), MOVEMENTS))["data"]
    assert [(each["transaction_type"], each["amount"], each["balance_after"]) for each in data] == [
        ("charge_refund", 256.5, 286.5),
        ("charge_reserve", -270, 30),
        ("admin_adjustment", 300, 300),
    ]
    assert (data[0]["session_id"], data[0]["status"]) == (session_id, "completed")


UNPAID = """
INSERT INTO balance_topups (invoice_id, order_id, client_id, requested_amount, status, payment_provider, created_at)
VALUES ('i' || %s, 'o' || %s, %s, 500, %s, 'ODENGI', %s)
"""


async def test_top_ups_that_were_not_paid_are_rows_without_balances_and_in_no_sum(world: World) -> None:
    await world.give(300_00)
    now = world.clock.now()
    for n, status in ((1, "canceled"), (2, "processing"), (3, "approved")):
        await world.sql(UNPAID, n, n, CLIENT, status, now)
    phone = phone_of(world)
    page = await get(phone, MOVEMENTS)
    assert [(each["id"][:6], each["transaction_type"], each["amount"]) for each in page["data"][1:]] == [
        ("topup:", "balance_topup_pending", 500),
        ("topup:", "balance_topup_canceled", 500),
    ]
    assert page["total"] == 3
    assert not {"balance_before", "balance_after", "completed_at"} & page["data"][1].keys()
    assert page["data"][2]["invoice_id"] == "i1"
    canceled = await get(phone, MOVEMENTS, type="balance_topup_canceled")
    assert (canceled["total"], len(canceled["data"])) == (1, 1)
    await world.sql("UPDATE balance_topups SET status = 'canceled' WHERE status = 'approved'")


async def test_movements_of_one_moment_are_each_on_one_page(world: World) -> None:
    await world.give(300_00)
    now = world.clock.now()
    for n in range(1, 6):
        await world.sql(UNPAID, n, n, CLIENT, "canceled", now)
    phone, seen, cursor = phone_of(world), [], None
    for _ in range(6):
        page = await get(phone, MOVEMENTS, limit=1, **({"cursor": cursor} if cursor else {}))
        seen += [each["id"] for each in page["data"]]
        cursor = page.get("next_cursor")
    assert len(set(seen)) == 6
    assert cursor is None
    assert seen == [each["id"] for each in (await get(phone, MOVEMENTS))["data"]]


async def test_statistics_are_by_month_in_bishkek(world: World) -> None:
    await world.give(5_000_00)
    for at in (datetime(2026, 10, 31, 17, 0, tzinfo=UTC), datetime(2026, 10, 31, 19, 0, tzinfo=UTC)):
        world.clock.time = at
        await charged(world, 11_000)
    session_id = (await world.order(energy_wh=1_000)).session.session_id
    await world.app.settler.release(SessionId(session_id), status="error", cause="charger", reason="Rejected")
    phone = phone_of(world)
    body = await get(phone, "/history/stats")
    assert body["stats"] == {
        "total_sessions": 2,
        "total_energy_kwh": 22,
        "total_amount": 297,
        "average_session_minutes": 30,
    }
    assert [(each["month"], each["sessions"], each["amount"]) for each in body["monthly"]] == [
        ("2026-11", 1, 148.5),
        ("2026-10", 1, 148.5),
    ]
    assert body["favorite_station"] == {"id": "EVP-001-01", "name": "ТЦ Дордой Плаза", "visits": 2}
    assert (await get(phone, "/history/stats", period="month"))["stats"]["total_sessions"] == 1
    assert (await get(phone, "/history/stats", period="year"))["stats"]["total_sessions"] == 2


async def test_without_charges_there_are_zeros_and_no_favorite(world: World) -> None:
    body = await get(phone_of(world), "/history/stats")
    assert body["stats"]["total_sessions"] == body["stats"]["average_session_minutes"] == 0
    assert "favorite_station" not in body
    refusal = await get(phone_of(world), "/history/stats", 400, period="week")
    assert refusal["detail"][0]["field"] == "period"


async def test_switched_off_there_is_no_history_and_nothing_is_written(pool: Pool) -> None:
    async with open_world(pool, Config(history=HistorySettings(enabled=False))) as world:
        await world.give(300_00)
        await charged(world)
        assert (await get(phone_of(world), CHARGES, 404))["error"] == "not_found"
        assert await world.sql("SELECT 1 FROM evpower.receipts") == []
        assert await world.sql("SELECT 1 FROM evpower.session_curves") == []
