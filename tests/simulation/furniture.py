"""The rows with which a history begins."""

from __future__ import annotations

import psycopg

from tests.simulation.engine import Engine
from tests.simulation.plan import Plan

LOCATION = "LOC"
NETWORK = """
INSERT INTO locations (id, name, address, city, created_at, updated_at)
VALUES ('LOC', 'Street', 'a', 'Bishkek', '2026-01-01', '2026-01-01');
"""
STATION = """
INSERT INTO stations (id, serial_number, model, manufacturer, location_id, power_capacity, connector_types,
                      connectors_count, tariff_plan_id, created_at, updated_at)
VALUES (%(id)s, 'SN-' || %(id)s, 'm', 'v', 'LOC', %(kw)s, '{CCS}', 1, %(plan)s, '2026-01-01', '2026-01-01')
"""
CONNECTOR = """
INSERT INTO connectors (id, station_id, connector_number, connector_type, power_kw, created_at, updated_at)
VALUES (%(id)s || '-1', %(id)s, 1, 'CCS', %(kw)s, '2026-01-01', '2026-01-01')
"""
CARD = """
INSERT INTO evpower.ocpp_authorization (id_tag, status, client_id, created_at) VALUES (%s, 'Accepted', %s, %s)
"""
DISCOUNT = """
INSERT INTO client_tariffs (id, client_id, discount_percent, valid_from, created_at)
VALUES (%s, %s, %s, '2026-01-01', '2026-01-01')
"""


def furnish(engine: Engine, plan: Plan) -> None:
    """The network and its clients, with the money they come with."""
    conn = engine.monitor
    conn.execute(NETWORK)
    for tariff in dict.fromkeys(each.tariff for each in plan.stations):
        for statement, values in tariff.sql():
            conn.execute(statement, values)
    for each in plan.stations:
        plan_id = each.tariff.name if each.tariff.rules else None
        parameters = {"id": each.station_id, "kw": each.power_w / 1000, "plan": plan_id}
        conn.execute(STATION, parameters)
        conn.execute(CONNECTOR, parameters)
    for client in plan.clients:
        _furnish_client(conn, client.client_id, client.card, client.balance_tyiyn)
        if client.discount_percent:
            conn.execute(DISCOUNT, (client.client_id, client.client_id, client.discount_percent))


OPENING = """
WITH entry AS (
    INSERT INTO evpower.ledger_entries (kind, key, actor, description, created_at)
    VALUES ('admin_adjustment', 'opening:' || %(client)s, 'simulation', 'opening', '2026-11-23 05:00+00') RETURNING id)
INSERT INTO evpower.ledger_postings (entry_id, account, client_id, amount_tyiyn, statement_type)
SELECT id, 'client', %(client)s, %(tyiyn)s, 'admin_adjustment' FROM entry
UNION ALL SELECT id, 'adjustment', NULL, -%(tyiyn)s, NULL FROM entry
"""


def _furnish_client(conn: psycopg.Connection[tuple[object, ...]], client: str, card: str, tyiyn: int) -> None:
    conn.execute("INSERT INTO clients (id, created_at, updated_at) VALUES (%s, '2026-11-23', '2026-11-23')", [client])
    conn.execute(OPENING, {"client": client, "tyiyn": tyiyn})
    conn.execute(CARD, (card, client, "2026-11-23"))
