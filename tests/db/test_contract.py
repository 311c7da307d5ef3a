"""What outside readers rely on (contract/data-model): names, types, the direct reads, and the seed's SQL verbatim."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from psycopg.conninfo import make_conninfo

from evpower.billing.ledger import Entry, Posting
from evpower.billing.rows.ledger import post_entry
from evpower.db.pool import Pool, open_pool
from evpower.db.unit_of_work import unit_of_work
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import CLIENT, TWO, World, open_world

NUMBER = ("numeric",)
DOUBLE = ("double precision",)
TIME = ("timestamp with time zone",)
TEXT = ("text",)
INT = ("integer",)
BOOL = ("boolean",)
KEY = ("text", "not null")
MONEY = ("numeric(12,2)",)
ENERGY = ("numeric(12,3)",)


def required(kind: tuple[str, ...], default: str | None = None) -> tuple[str | None, ...]:
    """A column that is never null; with its default, if people rely on one."""
    return (*kind, "not null", default) if default is not None else (*kind, "not null")


CONTRACT: dict[str, dict[str, tuple[str | None, ...]]] = {
    "clients": {
        "id": KEY,
        "name": TEXT,
        "phone": TEXT,
        "email": TEXT,
        "balance": required(MONEY, "0"),
        "debt_amount": required(MONEY, "0"),
        "status": required(TEXT, "'active'::text"),
        "delete_requested_at": TIME,
        "deleted_at": TIME,
        "anonymized": required(BOOL, "false"),
        "created_at": required(TIME, "now()"),
        "updated_at": required(TIME, "now()"),
    },
    "locations": {
        "id": KEY,
        "name": required(TEXT),
        "address": required(TEXT),
        "city": TEXT,
        "country": TEXT,
        "latitude": DOUBLE,
        "longitude": DOUBLE,
        "status": required(TEXT, "'active'::text"),
        "stations_count": required(INT, "0"),
        "connectors_count": required(INT, "0"),
        "user_id": TEXT,
        "admin_id": TEXT,
        "created_at": required(TIME, "now()"),
        "updated_at": required(TIME, "now()"),
    },
    "stations": {
        "id": KEY,
        "serial_number": required(TEXT),
        "model": required(TEXT),
        "manufacturer": required(TEXT),
        "location_id": required(TEXT),
        "power_capacity": required(DOUBLE),
        "connector_types": required(("text[]",)),
        "connectors_count": required(INT),
        "status": required(TEXT),
        "is_available": required(BOOL),
        "last_heartbeat_at": TIME,
        "tariff_plan_id": TEXT,
        "price_per_kwh": NUMBER,
        "session_fee": required(NUMBER, "0"),
        "currency": required(TEXT, "'KGS'::text"),
        "firmware_version": TEXT,
        "installation_date": ("date",),
        "user_id": TEXT,
        "created_at": required(TIME, "now()"),
        "updated_at": required(TIME, "now()"),
    },
    "connectors": {
        "id": KEY,
        "station_id": required(TEXT),
        "connector_number": required(INT),
        "connector_type": required(TEXT),
        "power_kw": DOUBLE,
        "status": required(TEXT),
        "ocpp_status": TEXT,
        "error_code": required(TEXT, "'NoError'::text"),
        "last_status_update": TIME,
        "created_at": required(TIME, "now()"),
        "updated_at": required(TIME, "now()"),
    },
    "charging_sessions": {
        "id": KEY,
        "user_id": required(TEXT),
        "station_id": required(TEXT),
        "connector_id": required(INT),
        "start_time": required(TIME, "now()"),
        "stop_time": TIME,
        "status": required(TEXT, "'started'::text"),
        "energy": ENERGY,
        "amount": MONEY,
        "reserved_amount": required(MONEY, "0"),
        "refunded_amount": required(MONEY, "0"),
        "additional_charge": required(MONEY, "0"),
        "debt_amount": required(MONEY, "0"),
        "limit_type": required(TEXT, "'none'::text"),
        "limit_value": ENERGY,
        "amount_cap": MONEY,
        "rate_per_kwh": required(NUMBER, "13.5"),
        "rate_per_minute": required(NUMBER, "0"),
        "session_fee": required(NUMBER, "0"),
        "pricing_history_id": ("bigint",),
        "transaction_id": TEXT,
        "settled_at": TIME,
        "stop_reason": TEXT,
        "id_tag": TEXT,
        "created_at": required(TIME, "now()"),
    },
    "payment_transactions": {
        "id": required(("bigint",)),
        "client_id": required(TEXT),
        "type": required(TEXT),
        "transaction_type": TEXT,
        "amount": required(MONEY),
        "balance_before": required(MONEY),
        "balance_after": required(MONEY),
        "currency": required(TEXT, "'KGS'::text"),
        "description": TEXT,
        "balance_topup_id": ("bigint",),
        "charging_session_id": TEXT,
        "created_at": required(TIME, "now()"),
    },
    "payment_transactions_odengi": {
        "id": ("bigint",),
        "client_id": TEXT,
        "type": TEXT,
        "transaction_type": TEXT,
        "amount": MONEY,
        "balance_before": MONEY,
        "balance_after": MONEY,
        "currency": TEXT,
        "description": TEXT,
        "balance_topup_id": ("bigint",),
        "charging_session_id": TEXT,
        "created_at": TIME,
    },
    "balance_topups": {
        "id": required(("bigint",)),
        "invoice_id": required(TEXT),
        "order_id": required(TEXT),
        "merchant_id": TEXT,
        "client_id": required(TEXT),
        "requested_amount": required(MONEY),
        "paid_amount": MONEY,
        "currency": required(TEXT, "'KGS'::text"),
        "status": required(TEXT, "'processing'::text"),
        "odengi_status": required(INT, "0"),
        "payment_provider": required(TEXT),
        "description": TEXT,
        "qr_code_url": TEXT,
        "app_link": TEXT,
        "created_at": required(TIME, "now()"),
        "paid_at": TIME,
        "completed_at": TIME,
        "qr_expires_at": TIME,
        "invoice_expires_at": TIME,
        "last_status_check_at": TIME,
        "status_check_count": required(INT, "0"),
        "needs_status_check": required(BOOL, "true"),
        "last_webhook_at": TIME,
        "webhook_count": required(INT, "0"),
    },
    "user_favorites": {
        "id": required(("uuid",), "gen_random_uuid()"),
        "user_id": required(TEXT),
        "location_id": required(TEXT),
        "created_at": required(TIME, "now()"),
        "updated_at": required(TIME, "now()"),
    },
    "users": {
        "id": KEY,
        "email": TEXT,
        "phone": TEXT,
        "role": required(TEXT),
        "is_active": required(BOOL, "true"),
        "admin_id": TEXT,
        "created_at": required(TIME, "now()"),
        "updated_at": required(TIME, "now()"),
    },
    "tariff_plans": {
        "id": KEY,
        "name": required(TEXT),
        "description": TEXT,
        "is_default": required(BOOL, "false"),
        "is_active": required(BOOL, "true"),
        "created_at": required(TIME, "now()"),
        "updated_at": required(TIME, "now()"),
    },
    "tariff_rules": {
        "id": KEY,
        "tariff_plan_id": required(TEXT),
        "name": required(TEXT),
        "description": TEXT,
        "tariff_type": required(TEXT),
        "connector_type": required(TEXT, "'ALL'::text"),
        "power_range_min": required(DOUBLE, "0"),
        "power_range_max": required(DOUBLE, "1000"),
        "price": required(NUMBER),
        "currency": required(TEXT, "'KGS'::text"),
        "time_start": ("time without time zone",),
        "time_end": ("time without time zone",),
        "days_of_week": ("integer[]",),
        "is_weekend": BOOL,
        "priority": required(INT, "0"),
        "is_active": required(BOOL, "true"),
        "valid_from": ("date",),
        "valid_until": ("date",),
        "min_duration_minutes": INT,
        "max_duration_minutes": INT,
        "created_at": required(TIME, "now()"),
        "updated_at": required(TIME, "now()"),
    },
    "client_tariffs": {
        "id": KEY,
        "client_id": required(TEXT),
        "tariff_plan_id": TEXT,
        "discount_percent": required(NUMBER, "0"),
        "fixed_rate_per_kwh": NUMBER,
        "fixed_rate_per_minute": NUMBER,
        "session_fee": NUMBER,
        "valid_from": required(TIME),
        "valid_until": TIME,
        "is_active": required(BOOL, "true"),
        "description": TEXT,
        "created_at": required(TIME, "now()"),
    },
    "pricing_history": {
        "id": required(("bigint",)),
        "session_id": TEXT,
        "station_id": required(TEXT),
        "tariff_plan_id": TEXT,
        "rule_id": TEXT,
        "calculation_time": required(TIME),
        "rate_per_kwh": required(NUMBER),
        "rate_per_minute": required(NUMBER, "0"),
        "session_fee": required(NUMBER, "0"),
        "parking_fee_per_minute": required(NUMBER, "0"),
        "currency": required(TEXT, "'KGS'::text"),
        "rule_name": TEXT,
        "rule_details": ("jsonb",),
    },
}


@pytest.fixture(scope="module")
def schema_url(postgres_server: str, template: str) -> str:
    """The migrated database itself, for tests that only look at it."""
    return make_conninfo(postgres_server, dbname=template)


@pytest.fixture
async def schema(schema_url: str) -> AsyncIterator[Pool]:
    async with open_pool(schema_url, size=1) as pool:
        yield pool


COLUMNS = """
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required,
       CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END AS default
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
"""


@pytest.mark.parametrize("table", CONTRACT)
async def test_every_contract_column_has_its_name_type_and_default(schema: Pool, table: str) -> None:
    async with by_hand(schema) as conn:
        found = await (await conn.execute(COLUMNS, (f"public.{table}",))).fetchall()
    columns = {row["name"]: (row["type"], *(["not null"] if row["required"] else []), row["default"]) for row in found}
    for name, expected in CONTRACT[table].items():
        given = columns[name]
        shown = given if expected[-1] == given[-1] else given[:-1]  # a default nobody relies on is ours
        assert (name, shown) == (name, expected)


TODAY = """-- Статистика зарядок за сегодня
SELECT
  COUNT(*) as total_sessions,
  COUNT(*) FILTER (WHERE status = 'started') as active,
  COUNT(*) FILTER (WHERE status = 'stopped') as completed,
  COUNT(*) FILTER (WHERE status = 'error') as failed,
  SUM(amount) as total_revenue,
  SUM(energy) as total_energy_kwh
FROM charging_sessions
WHERE DATE(start_time) = CURRENT_DATE;
"""
POPULAR = """-- Популярные станции
SELECT
  s.serial_number,
  COUNT(cs.id) as sessions_count,
  SUM(cs.amount) as revenue
FROM charging_sessions cs
JOIN stations s ON cs.station_id = s.id
WHERE cs.start_time >= NOW() - INTERVAL '7 days'
GROUP BY s.id, s.serial_number
ORDER BY sessions_count DESC
LIMIT 10;
"""
PAYMENTS = """-- Статистика платежей
SELECT
  DATE(created_at) as date,
  COUNT(*) as transactions_count,
  SUM(amount) FILTER (WHERE amount > 0) as total_topup,
  SUM(ABS(amount)) FILTER (WHERE amount < 0) as total_spent
FROM payment_transactions
WHERE created_at >= NOW() - INTERVAL '30 days'
GROUP BY DATE(created_at)
ORDER BY date DESC;
"""
TOP_UP = """
INSERT INTO balance_topups (invoice_id, order_id, client_id, requested_amount, paid_amount, status, payment_provider)
VALUES ('inv-1', 'order-1', %s, 500, 500, 'approved', 'ODENGI') RETURNING id
"""


def today_at(hour: int, minute: int = 0) -> datetime:
    """The seed's SQL asks the server's own clock, so these tests play today."""
    return datetime.now(UTC).replace(hour=hour, minute=minute, second=0, microsecond=0)


async def top_up(world: World) -> None:
    """500 som arrive from O!Dengi."""
    await world.app.billing.balance(CLIENT)
    async with unit_of_work(world.pool) as uow:
        row = await (await uow.conn.execute(TOP_UP, (CLIENT,))).fetchone()
        assert row is not None
        postings = (Posting("client", 500_00, CLIENT, "balance_topup"), Posting("provider:odengi", -500_00))
        entry = Entry("topup", "topup:1", "odengi", postings, "Пополнение баланса", balance_topup_id=row["id"])
        await post_entry(uow.conn, entry, world.clock.now())


async def play(world: World, begins_at: datetime) -> None:
    """The acceptance day: a top-up, a session of 15 kWh of 20, and one of 100 som that still runs at 2 kWh."""
    world.clock.time = begins_at
    await top_up(world)
    first = await world.order(energy_wh=20_000)
    begun = await world.begin(await world.tag_of(first.session.session_id))
    second = await world.order(amount_tyiyn=100_00, connector=TWO)
    running = await world.begin(await world.tag_of(second.session.session_id), connector=TWO)
    world.clock.advance(3600)
    await world.meter(running.wire_transaction_id, 3_000, connector=TWO)
    await world.end(begun.wire_transaction_id, 16_000)
    await world.app.settler.work_due()


@pytest.fixture
async def world(pool: Pool) -> AsyncIterator[World]:
    async with open_world(pool) as world:
        yield world


async def test_the_seeds_statistics_of_today(world: World) -> None:
    await play(world, today_at(6))
    assert await world.sql(TODAY) == [
        {
            "total_sessions": 2,
            "active": 1,
            "completed": 1,
            "failed": 0,
            "total_revenue": Decimal("202.5"),
            "total_energy_kwh": 17,
        }
    ]


async def test_the_seeds_popular_stations(world: World) -> None:
    await play(world, today_at(6))
    assert await world.sql(POPULAR) == [
        {"serial_number": "EVPCS-001", "sessions_count": 2, "revenue": Decimal("202.5")}
    ]


async def test_the_seeds_payment_statistics(world: World) -> None:
    await play(world, today_at(6))
    assert await world.sql(PAYMENTS) == [
        {
            "date": today_at(6).date(),
            "transactions_count": 4,
            "total_topup": Decimal("567.5"),
            "total_spent": 370,
        }
    ]


async def test_a_failed_session_counts_as_failed_and_earns_nothing(world: World) -> None:
    world.clock.time = today_at(6)
    await top_up(world)
    started = await world.order(energy_wh=20_000)
    world.clock.advance(11 * 60)
    await world.app.recovery.check()
    await world.app.settler.work_due()
    assert (await world.session(started.session.session_id)).status == "error"
    (today,) = await world.sql(TODAY)
    assert (today["total_sessions"], today["failed"], today["total_revenue"]) == (1, 1, 0)


async def test_a_charge_over_midnight_counts_on_the_utc_day_it_began(world: World) -> None:
    await play(world, today_at(0) - timedelta(minutes=10))
    (today,) = await world.sql(TODAY)
    assert (today["total_sessions"], today["total_revenue"]) == (0, None)


async def test_payments_are_counted_on_the_utc_day_they_moved(world: World) -> None:
    await play(world, today_at(0) - timedelta(minutes=10))
    today, yesterday = today_at(0).date(), today_at(0).date() - timedelta(days=1)
    counted = {row["date"]: (row["transactions_count"], row["total_topup"]) for row in await world.sql(PAYMENTS)}
    assert counted == {today: (1, Decimal("67.5")), yesterday: (3, 500)}


async def test_the_seeds_insert_of_a_client_works_verbatim(world: World) -> None:
    await world.sql("INSERT INTO clients (id, balance, status, created_at) VALUES ('new', 0, 'active', NOW())")
    assert (await world.app.billing.balance(CLIENT)).balance_tyiyn == 0
    (row,) = await world.sql("SELECT balance, debt_amount, status, anonymized FROM clients WHERE id = 'new'")
    assert row == {"balance": 0, "debt_amount": 0, "status": "active", "anonymized": False}


NESTED_LOCATIONS = """
SELECT json_agg(json_build_object('name', l.name, 'stations', (
    SELECT json_agg(json_build_object('id', s.id, 'serial_number', s.serial_number, 'status', s.status,
        'is_available', s.is_available, 'last_heartbeat_at', s.last_heartbeat_at, 'connectors', (
            SELECT json_agg(json_build_object('connector_number', c.connector_number, 'status', c.status,
                'connector_type', c.connector_type, 'power_kw', c.power_kw) ORDER BY c.connector_number)
            FROM connectors c WHERE c.station_id = s.id)))
    FROM stations s WHERE s.location_id = l.id)))::text AS body
FROM locations l WHERE l.status = 'active'
"""


async def test_read_1_locations_with_their_stations_and_connectors(world: World) -> None:
    (row,) = await world.sql(NESTED_LOCATIONS)
    (location,) = json.loads(row["body"])
    (station,) = location["stations"]
    assert (location["name"], station["serial_number"], station["status"]) == ("ТЦ Дордой Плаза", "EVPCS-001", "active")
    assert [(c["connector_number"], c["status"], c["power_kw"]) for c in station["connectors"]] == [
        (1, "available", 22),
        (2, "available", 22),
    ]


async def test_read_2_every_column_the_app_selects_of_the_network(world: World) -> None:
    rows = await world.sql(
        "SELECT l.id, l.name, l.address, l.city, l.country, l.latitude, l.longitude, l.status, l.stations_count, "
        "l.connectors_count, s.id, s.serial_number, s.model, s.manufacturer, s.location_id, s.power_capacity, "
        "s.connector_types, s.status, s.connectors_count, s.price_per_kwh, s.session_fee, s.currency, "
        "s.firmware_version, s.is_available, s.last_heartbeat_at, c.status, c.connector_number "
        "FROM locations l JOIN stations s ON s.location_id = l.id JOIN connectors c ON c.station_id = s.id"
    )
    assert [(row["serial_number"], row["connector_types"]) for row in rows] == [("EVPCS-001", ["GBT", "GBT"])] * 2


async def test_read_3_a_clients_history_newest_first(world: World) -> None:
    await play(world, today_at(6))
    rows = await world.sql(
        "SELECT cs.*, s.model, l.name AS location_name, l.address FROM charging_sessions cs "
        "JOIN stations s ON s.id = cs.station_id JOIN locations l ON l.id = s.location_id "
        "WHERE cs.user_id = %s ORDER BY cs.created_at DESC, cs.id DESC LIMIT 20",
        CLIENT,
    )
    assert [(row["status"], row["energy"], row["amount"]) for row in rows] == [
        ("started", 2, None),
        ("stopped", 15, Decimal("202.5")),
    ]


async def test_read_4_top_ups_with_the_transaction_they_made(world: World) -> None:
    await play(world, today_at(6))
    rows = await world.sql(
        "SELECT b.*, p.balance_before, p.balance_after, p.amount, p.transaction_type FROM balance_topups b "
        "JOIN payment_transactions_odengi p ON p.balance_topup_id = b.id WHERE b.client_id = %s",
        CLIENT,
    )
    assert [(r["balance_before"], r["balance_after"], r["amount"], r["transaction_type"]) for r in rows] == [
        (0, 500, 500, "balance_topup")
    ]


async def test_read_5_the_statement_by_its_original_name_newest_first(world: World) -> None:
    await play(world, today_at(6))
    rows = await world.sql(
        "SELECT * FROM payment_transactions_odengi WHERE client_id = %s ORDER BY created_at DESC, id DESC", CLIENT
    )
    assert [(row["transaction_type"], row["amount"], row["balance_after"]) for row in rows] == [
        ("charge_refund", Decimal("67.5"), Decimal("197.5")),
        ("charge_reserve", -100, 130),
        ("charge_reserve", -270, 230),
        ("balance_topup", 500, 500),
    ]


async def test_read_6_money_and_energy_are_json_numbers(world: World) -> None:
    await play(world, today_at(6))
    (client,) = await world.sql("SELECT row_to_json(c)::text AS body FROM clients c WHERE id = %s", CLIENT)
    assert json.loads(client["body"])["balance"] == 197.5
    sessions = await world.sql("SELECT row_to_json(s)::text AS body FROM charging_sessions s ORDER BY created_at, id")
    assert [json.loads(row["body"])["energy"] for row in sessions] == [15, 2]


async def test_a_direct_reader_gets_times_with_an_offset(world: World) -> None:
    (row,) = await world.sql("SELECT to_json(last_heartbeat_at)::text AS at FROM stations")
    assert json.loads(row["at"]) == "2026-11-23T06:00:00+00:00"


FOREIGN_KEYS = """
SELECT conname AS name, conrelid::regclass::text AS "from", confrelid::regclass::text AS to
FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace
"""


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        ("stations", "locations"),
        ("connectors", "stations"),
        ("charging_sessions", "stations"),
        ("charging_sessions", "clients"),
        ("payment_transactions", "clients"),
        ("payment_transactions", "charging_sessions"),
        ("balance_topups", "clients"),
        ("user_favorites", "clients"),
    ],
)
async def test_nested_reads_have_their_foreign_key(schema: Pool, child: str, parent: str) -> None:
    async with by_hand(schema) as conn:
        found = await (await conn.execute(FOREIGN_KEYS)).fetchall()
    assert (child, parent) in {(row["from"], row["to"]) for row in found}


async def test_the_key_that_the_apps_embedding_hint_names_exists(schema: Pool) -> None:
    async with by_hand(schema) as conn:
        found = await (await conn.execute(FOREIGN_KEYS)).fetchall()
    hinted = {"name": "payment_transactions_odengi_balance_topup_id_fkey"}
    assert hinted | {"from": "payment_transactions", "to": "balance_topups"} in found


async def test_the_view_has_every_column_of_its_table(schema: Pool) -> None:
    async with by_hand(schema) as conn:
        table = await (await conn.execute(COLUMNS, ("payment_transactions",))).fetchall()
        view = await (await conn.execute(COLUMNS, ("payment_transactions_odengi",))).fetchall()
    assert [row["name"] for row in view] == [row["name"] for row in table]


async def test_a_row_can_be_written_through_the_view_by_the_column_type(world: World) -> None:
    """As the contract says: `transaction_type` follows `type` by itself."""
    await world.app.billing.balance(CLIENT)
    async with by_hand(world.pool) as conn:
        await conn.execute("BEGIN")
        cursor = await conn.execute(
            "INSERT INTO payment_transactions_odengi (client_id, type, amount, balance_before, balance_after) "
            "VALUES (%s, 'balance_topup', 1, 0, 1) RETURNING transaction_type",
            (CLIENT,),
        )
        row: dict[str, Any] | None = await cursor.fetchone()
        await conn.execute("ROLLBACK")
    assert row == {"transaction_type": "balance_topup"}


async def test_one_connector_runs_one_session(world: World) -> None:
    rows = await world.sql("SELECT indexdef FROM pg_indexes WHERE indexname = 'charging_sessions_one_running'")
    assert "UNIQUE" in rows[0]["indexdef"]
    assert "(station_id, connector_id) WHERE (status = 'started'" in rows[0]["indexdef"]
