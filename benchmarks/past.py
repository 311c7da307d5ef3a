"""Ninety days of a network behind it: readings, and charges that are paid, with all the rows that each leaves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg

from evpower.db.partitions import TABLES, maintain_partitions
from evpower.db.pool import open_pool

DAYS = 90
#: As many as 2,000 stations with an hour of charging a day send, one a minute and five in each hundred lost.
READINGS_A_DAY = 33_000
CHARGES = 100_000
#: Of people who do not charge in the benchmark. One start in twenty came to nothing.
CLIENTS, RELEASED_EVERY = 5_000, 20
READINGS = """
INSERT INTO evpower.ocpp_meter_values (station_id, connector_id, wire_transaction_id, measured_at, received_at,
    energy_wh, power_w, current_a, voltage_v, soc_percent, sampled_values)
SELECT format('BENCH-%%1$s', lpad((n %% 10000)::text, 5, '0')), 1, (n / 60)::text, moment, moment,
    n, 22000, 31.8, 230.4, 57, '[]'
FROM (SELECT n, %(day)s::timestamptz + n * interval '1 day' / %(readings)s AS moment
      FROM generate_series(0, %(readings)s - 1) n) AS each
"""
#: Without triggers: each would be told to everybody.
PAST = f"""
SET session_replication_role = replica;
INSERT INTO public.clients (id, name) SELECT 'old-' || n, 'Bench' FROM generate_series(0, {CLIENTS - 1}) n;
CREATE TEMPORARY TABLE old AS
SELECT n, 'old-charge-' || n AS id, 'old-' || n % {CLIENTS} AS client_id,
       'BENCH-' || lpad((n % 10000)::text, 5, '0') AS station_id, n % {RELEASED_EVERY} = 0 AS released,
       'OLD' || n % {CLIENTS} AS id_tag,
       now() - interval '{DAYS} days' + n * (interval '{DAYS} days' / {CHARGES + 1}) AS at
FROM generate_series(0, {CHARGES - 1}) n;
INSERT INTO public.charging_sessions (id, user_id, station_id, connector_id, start_time, stop_time, status, energy,
                                      amount, reserved_amount, settled_at, id_tag, created_at)
SELECT id, client_id, station_id, 1, at, at + interval '30 minutes', CASE WHEN released THEN 'error' ELSE 'stopped' END,
       CASE WHEN NOT released THEN 1 END, CASE WHEN NOT released THEN 13.5 END, 200, at + interval '30 minutes',
       id_tag, at FROM old;
INSERT INTO evpower.session_phases (session_id, phase, phase_at)
SELECT id, CASE WHEN released THEN 'released' ELSE 'settled' END, at + interval '30 minutes' FROM old;
INSERT INTO evpower.ocpp_transactions (station_id, wire_transaction_id, connector_id, id_tag, verdict, meter_start_wh,
    meter_last_wh, meter_stop_wh, started_at, stopped_at, received_at, stop_received_at, stop_reason, status,
    charging_session_id)
SELECT station_id, 'old-' || n, 1, id_tag, 'Accepted', n, n + 1000, n + 1000, at, at + interval '30 minutes', at,
       at + interval '30 minutes', 'Local', 'Stopped', id FROM old WHERE NOT released;
INSERT INTO evpower.ledger_entries (kind, key, session_id, actor, created_at)
SELECT kind, kind || ':' || id, id, 'bench', at FROM old, unnest(ARRAY['reserve', 'settle']) kind;
INSERT INTO evpower.ledger_postings (entry_id, account, client_id, amount_tyiyn, statement_type)
SELECT e.id, account, o.client_id, CASE WHEN (account = 'held') = (e.kind = 'reserve') THEN 20000 ELSE -20000 END,
       CASE account WHEN 'client' THEN 'charge_' || e.kind END
FROM evpower.ledger_entries e JOIN old o ON o.id = e.session_id, unnest(ARRAY['held', 'client']) account;
INSERT INTO public.payment_transactions (client_id, type, amount, balance_before, balance_after, charging_session_id,
                                         created_at)
SELECT client_id, type, 1, 0, 1, id, at FROM old, unnest(ARRAY['charge_reserve', 'charge_refund']) type;
INSERT INTO evpower.receipts (year, serial, session_id, revision, issued_at, energy_wh, minutes, amount_tyiyn)
SELECT 2025, n + 1, id, 1, at, 1000, 30, 1350 FROM old WHERE NOT released;
INSERT INTO evpower.start_attempts (attempted_at, client_id, station_id, connector_id, door, answer, session_id)
SELECT at, client_id, station_id, 1, 'card', 'accepted', id FROM old;
INSERT INTO evpower.plug_ins (station_id, connector_id, plugged_at, left_at)
SELECT station_id, 1, at, at + interval '40 minutes' FROM old;
SET session_replication_role = origin;
VACUUM ANALYZE
"""


async def grow_old(url: str) -> None:
    """Fill the days before today, in partitions as the product makes them."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    async with open_pool(url, size=1) as pool, pool.connection() as conn:
        await conn.set_read_only(False)
        await conn.execute("SET default_transaction_read_only = off")
        for ago in range(DAYS, 0, -1):
            day = today - timedelta(days=ago)
            await maintain_partitions(conn, day.date(), dict.fromkeys(TABLES, DAYS + 1))
            await conn.execute(READINGS, {"day": day, "readings": READINGS_A_DAY})
    with psycopg.connect(url, autocommit=True) as database:
        for statement in PAST.split(";\n"):
            database.execute(statement)
