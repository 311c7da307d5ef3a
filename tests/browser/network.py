"""Networks of a size, as rows: a browser looks at them, no charger does."""

from __future__ import annotations

import psycopg

LOCATIONS = """
INSERT INTO locations (id, name, address, city, latitude, longitude)
SELECT format('LOC-%%s', lpad(n::text, 4, '0')), format('Площадка %%s', n), 'ул. Чуй',
       (ARRAY['Бишкек', 'Ош', 'Каракол'])[n %% 3 + 1],
       (ARRAY[42.87, 40.53, 42.49])[n %% 3 + 1] + (hashtext('a' || n) & 255) / 1000.0,
       CASE WHEN n %% 10 > 0 THEN (ARRAY[74.59, 72.80, 78.39])[n %% 3 + 1] + (hashtext('o' || n) & 255) / 1000.0 END
FROM generate_series(1, %(locations)s) n
"""
STATIONS = """
INSERT INTO stations (id, serial_number, location_id, connectors_count, last_heartbeat_at)
SELECT format('EVP-%%s', lpad(n::text, 4, '0')), format('SN-%%s', n),
       format('LOC-%%s', lpad(((n - 1) %% %(locations)s + 1)::text, 4, '0')), 2,
       CASE WHEN n %% 40 = 0 THEN now() - interval '10 minutes' ELSE now() + interval '1 day' END
FROM generate_series(1, %(stations)s) n
"""
CONNECTORS = """
INSERT INTO connectors (id, station_id, connector_number, connector_type, power_kw, ocpp_status, error_code,
                        last_status_update)
SELECT s.id || '-' || c, s.id, c, 'GBT', 60,
       (ARRAY['Available', 'Available', 'Preparing', 'Available', 'Unavailable'])[((hashtext(s.id) + c) & 3) + 1],
       CASE WHEN s.id LIKE '%%33' AND c = 1 THEN 'GroundFailure' ELSE 'NoError' END, now() - interval '5 minutes'
FROM stations s CROSS JOIN generate_series(1, 2) c
"""
#: Whom the pages of one driver and of one charge are of.
DRIVER, CHARGE, PHONE = "browser", "1703a9f7-browser", "+996700000002"
DRIVEN = "INSERT INTO clients (id, name, phone, balance) VALUES (%(driver)s, 'Айгүл', %(phone)s, 0)"
CHARGED = """
INSERT INTO charging_sessions (id, user_id, station_id, connector_id, start_time, stop_time, settled_at, status, energy,
                               amount, reserved_amount, limit_type, limit_value)
VALUES (%(charge)s, %(driver)s, 'EVP-0001', 1, now() - interval '2 hours', now() - interval '1 hour',
        now() - interval '1 hour', 'stopped', 10, 135, 200, 'energy', 20)
"""
SETTLED = """
INSERT INTO evpower.session_phases (session_id, phase, phase_at, end_cause)
VALUES (%(charge)s, 'settled', now() - interval '1 hour', 'charger')
"""
#: A site with a limit: the connectors of one location, two of which charge.
GROUP = 1
GROUPED = """
INSERT INTO evpower.power_groups (id, location_id, name, limit_a, failsafe_a, created_at)
OVERRIDING SYSTEM VALUE VALUES (1, 'LOC-0001', 'Ввод', 40, 5, now())
"""
MEMBERS = """
INSERT INTO evpower.power_group_members (station_id, connector_id, group_id, max_a)
SELECT c.station_id, c.connector_number, 1, 32 FROM connectors c JOIN stations s ON s.id = c.station_id
WHERE s.location_id = 'LOC-0001'
"""
MOMENTS = """
INSERT INTO evpower.power_history (group_id, at, limit_da, granted_da, possible_da, measured_da)
SELECT 1, now() - n * interval '1 minute', 400, 200 + n, 300, 190 + n FROM generate_series(1, 90) n
"""
#: Those that another needs last.
TABLES = (
    *("evpower.power_group_members", "evpower.power_groups", "evpower.session_phases", "charging_sessions"),
    *("evpower.device_variables", "evpower.ocpp_station_status", "clients", "connectors", "stations", "locations"),
)
#: The station that is looked at speaks OCPP 2.0.1, and has reported of itself.
SPOKEN = """
INSERT INTO evpower.ocpp_station_status (station_id, vendor, model, ocpp_version, booted_at)
VALUES ('EVP-0001', 'Maker', 'Two', '2.0.1', now() - interval '3 hours')
"""
REPORTED = """
INSERT INTO evpower.device_variables (station_id, component, component_instance, evse_id, connector_id, variable,
                                      variable_instance, attribute, value, mutability, persistent, reported_at)
SELECT 'EVP-0001', 'EVSE', '', n, 0, 'Power', '', 'MaxSet', '22000', 'ReadOnly', true, now() - interval '2 hours'
FROM generate_series(1, 2) n
"""


def make_network(database: psycopg.Connection, stations: int) -> None:
    """Replace what there is by so many stations of two connectors each, three of a location."""
    for table in TABLES:
        database.execute(f"DELETE FROM {table}")
    if stations:
        names = {"driver": DRIVER, "charge": CHARGE, "phone": PHONE}
        parameters = {"stations": stations, "locations": max(1, stations // 3), **names}
        for statement in (
            LOCATIONS,
            STATIONS,
            CONNECTORS,
            DRIVEN,
            CHARGED,
            SETTLED,
            GROUPED,
            MEMBERS,
            MOMENTS,
            SPOKEN,
            REPORTED,
        ):
            database.execute(statement, parameters)
    database.execute("SELECT evpower.tell('prices -')")
