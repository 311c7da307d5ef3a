"""Two databases on one PostgreSQL, fsync on: ours migrated and seeded, the peer's with a table of the same columns."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

from benchmarks.processes import family_cpu_s, parent_of
from benchmarks.wire import REGISTER_START_WH
from evpower.db.embedded import embedded_postgres
from evpower.db.migrate import migrate
from evpower.db.pool import open_pool

OURS, PEER = "evpower_bench_ours", "evpower_bench_peer"

#: `stations` stations with a connector each; the first `charging` of them have a running session of 60 kWh.
SEED = """
INSERT INTO public.clients (id, name, balance) VALUES ('bench', 'Bench', 0);
INSERT INTO public.locations (id, name, address) VALUES ('BENCH', 'Bench', 'Bench');
INSERT INTO public.stations (id, serial_number, location_id, connectors_count)
SELECT format('BENCH-%1$s', lpad(n::text, 5, '0')), format('SN-%1$s', n), 'BENCH', 1
FROM generate_series(0, {stations} - 1) n;
INSERT INTO public.connectors (id, station_id, connector_number, power_kw) SELECT id || '-1', id, 1, 22 FROM stations;
INSERT INTO public.charging_sessions (id, user_id, station_id, connector_id, start_time, reserved_amount, limit_type,
                                      limit_value)
SELECT 'session-' || id, 'bench', id, 1, '{now}', 810, 'energy', 60 FROM stations ORDER BY id LIMIT {charging};
INSERT INTO evpower.session_phases (session_id, phase, phase_at)
SELECT id, 'charging', '{now}' FROM charging_sessions;
INSERT INTO evpower.ocpp_transactions (station_id, wire_transaction_id, connector_id, id_tag, verdict, meter_start_wh,
    meter_last_wh, started_at, received_at, charging_session_id)
SELECT station_id, row_number() OVER (ORDER BY station_id), 1, 'BENCH', 'Accepted', {register}, {register}, '{now}',
       '{now}', id
FROM charging_sessions;
"""
#: The stations are spread over the locations evenly; all are online and have two connectors.
NETWORK = """
INSERT INTO public.locations (id, name, address, city, country, latitude, longitude)
SELECT format('LOC-%1$s', n), format('Зарядка %1$s', n), format('Чуй %1$s', n), 'Бишкек', 'KG', 42.87, 74.59
FROM generate_series(0, {locations} - 1) n;
INSERT INTO public.stations (id, serial_number, location_id, connectors_count, model, manufacturer, power_capacity,
                             is_available, last_heartbeat_at)
SELECT format('BENCH-%1$s', lpad(n::text, 5, '0')), format('SN-%1$s', n), format('LOC-%1$s', n % {locations}), 2,
       'Fast', 'Bench', 60, true, '{now}'
FROM generate_series(0, {stations} - 1) n;
INSERT INTO public.connectors (id, station_id, connector_number, connector_type, power_kw, ocpp_status)
SELECT id || '-' || number, id, number, 'CCS2', 60, 'Available' FROM stations, generate_series(1, 2) number;
ANALYZE;
"""
#: A card with money at each of the first chargers.
CARDS = """
INSERT INTO public.clients (id, name, balance) SELECT format('client-%1$s', n), 'Bench', 1000000
FROM generate_series(0, {cards} - 1) n;
INSERT INTO evpower.ocpp_authorization (id_tag, status, client_id, created_at)
SELECT format('CARD%1$s', lpad(n::text, 5, '0')), 'Accepted', format('client-%1$s', n), '{now}'
FROM generate_series(0, {cards} - 1) n;
"""
PEER_TABLE = """
CREATE TABLE meter_values (station_id text NOT NULL, connector_id int NOT NULL, wire_transaction_id text,
    measured_at timestamptz NOT NULL, received_at timestamptz NOT NULL, energy_wh bigint, power_w float8,
    current_a float8, voltage_v float8, soc_percent float8, temperature_c float8, sampled_values json NOT NULL);
CREATE INDEX ON meter_values (station_id, wire_transaction_id, received_at);
CREATE TABLE station_status (station_id text, connector_id int, status text, error_code text, reported_at timestamptz,
    PRIMARY KEY (station_id, connector_id));
CREATE TABLE stations (station_id text PRIMARY KEY, vendor text, model text, booted_at timestamptz);
CREATE TABLE transactions (id serial PRIMARY KEY, station_id text NOT NULL, connector_id int NOT NULL, id_tag text,
    meter_start bigint NOT NULL, started_at timestamptz NOT NULL, meter_stop bigint, stopped_at timestamptz);
"""
CHECKPOINT = "CHECKPOINT"


@dataclass(frozen=True)
class Postgres:
    """The server both sides store to; `pid` is None when it runs elsewhere."""

    conninfo: str
    ours: str
    peer: str
    pid: int | None

    def cpu_s(self) -> float:
        """User and system time of all its processes; 0 when they are not ours to see."""
        return 0.0 if self.pid is None else family_cpu_s(self.pid)

    def settle(self) -> None:
        """Write out what the last measurement left, so that it is not billed to the next."""
        with psycopg.connect(self.conninfo, autocommit=True) as server:
            server.execute(CHECKPOINT)


@asynccontextmanager
async def open_postgres(*, stations: int, charging: int) -> AsyncIterator[Postgres]:
    """A throw-away embedded server, or the one EVPOWER_BENCH_DATABASE_URL names, with both databases made anew."""
    given = os.environ.get("EVPOWER_BENCH_DATABASE_URL")
    if given:
        yield await _prepared(given, None, stations, charging)
        return
    with tempfile.TemporaryDirectory(prefix="evpower-bench-") as directory:
        os.chmod(directory, 0o755)  # as root the server runs as `nobody`
        async with embedded_postgres(Path(directory) / "postgres") as conninfo:
            with psycopg.connect(conninfo) as server:
                backend = server.execute("SELECT pg_backend_pid()").fetchone()
                assert backend is not None
                postmaster = parent_of(backend[0])
            yield await _prepared(conninfo, postmaster, stations, charging)


async def _prepared(conninfo: str, pid: int | None, stations: int, charging: int) -> Postgres:
    with psycopg.connect(conninfo, autocommit=True) as server:
        for name in (OURS, PEER):
            server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            server.execute(f"CREATE DATABASE {name}")
    postgres = Postgres(conninfo, _url(conninfo, OURS), _url(conninfo, PEER), pid)
    now = datetime.now(UTC)
    async with open_pool(postgres.ours, size=1) as pool:
        await migrate(pool, now)
    seed = SEED.format(stations=stations, charging=charging, now=now.isoformat(), register=REGISTER_START_WH)
    with psycopg.connect(postgres.ours) as ours:
        ours.execute(seed)
    with psycopg.connect(postgres.peer) as peer:
        peer.execute(PEER_TABLE)
    return postgres


def copy_ours(postgres: Postgres, name: str) -> str:
    """A copy of our seeded database, which nobody may be connected to; its URL."""
    copy = f"{OURS}_{name}"
    with psycopg.connect(postgres.conninfo, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {copy} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {copy} TEMPLATE {OURS}")
    return _url(postgres.conninfo, copy)


async def make_network(postgres: Postgres, stations: int, locations: int, *, cards: int = 0, kind: str = "") -> str:
    """A migrated database of its own with so many online stations, and a card for each of the first; its URL.

    `kind` names one of several that are as large.
    """
    name = f"evpower_bench_network_{stations}_{locations}{kind}"
    with psycopg.connect(postgres.conninfo, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {name}")
    url, now = _url(postgres.conninfo, name), datetime.now(UTC)
    async with open_pool(url, size=1) as pool:
        await migrate(pool, now)
    with psycopg.connect(url) as database:
        database.execute(NETWORK.format(stations=stations, locations=locations, now=now.isoformat()))
        database.execute(CARDS.format(cards=cards, now=now.isoformat()))
    return url


def _url(conninfo: str, database: str) -> str:
    """The URL of another database on the same server, which both drivers understand."""
    words = {**conninfo_to_dict(conninfo), "dbname": database}
    return "postgresql://?" + urlencode({name: value for name, value in words.items() if value is not None})


def analyze(url: str) -> None:
    """What PostgreSQL does by itself within a minute: until then it plans as for the empty tables it knew."""
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("ANALYZE")


def count_rows(conninfo: str, table: str) -> int:
    with psycopg.connect(conninfo) as database:
        row = database.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])
