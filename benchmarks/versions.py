"""A reading by MeterValues of OCPP 1.6 and by TransactionEvent of 2.0.1: what each costs one server, A B A B.

`python -m benchmarks.versions [CHARGERS]`: so many speak each version, at one door; the contract wants 1,000
(contract/ocpp201 §8, 6).
"""

from __future__ import annotations

import sys
from contextlib import ExitStack

import psycopg
import trio

from benchmarks import table
from benchmarks.chargers import Fleet, NextCall
from benchmarks.database import Postgres, analyze, count_rows, open_postgres
from benchmarks.messages import Figures, measure, medians
from benchmarks.processes import Server, serving_ours
from benchmarks.wire import meter_values, occupied, station_id, status, transaction_events, transaction_id

CHARGERS = 200
MESSAGES = 10_000
WARM_UP = 2_000
ROUNDS = 3
#: One version may cost so much more than the other, the server and PostgreSQL together.
EXPECTED_RATIO = 1.3
#: The chargers of 2.0.1 go on with transactions that run already.
CLAIMED = """
WITH newer AS (
    UPDATE evpower.ocpp_transactions SET wire_transaction_id = '2.0.1:' || wire_transaction_id, ocpp_version = '2.0.1'
    WHERE wire_transaction_id::int >= %s RETURNING station_id, wire_transaction_id, connector_id)
INSERT INTO evpower.station_transactions (station_id, wire_transaction_id, connector_id, claimed, last_event_at)
SELECT station_id, wire_transaction_id, connector_id, true, now() FROM newer
"""


async def main(chargers: int = CHARGERS) -> None:
    async with open_postgres(stations=2 * chargers, charging=2 * chargers) as postgres:
        await trio.to_thread.run_sync(compare, postgres, chargers)


def compare(postgres: Postgres, chargers: int) -> None:
    """Print what both cost."""
    with psycopg.connect(postgres.ours) as ours:
        ours.execute(CLAIMED, [transaction_id(chargers)])
    analyze(postgres.ours)
    with ExitStack() as stack:
        server = stack.enter_context(serving_ours(postgres.ours))
        older = _connected(stack, server, range(chargers), "ocpp1.6", status("Charging"))
        newer = _connected(stack, server, range(chargers, 2 * chargers), "ocpp2.0.1", occupied())
        rounds: dict[str, list[Figures]] = {"1.6": [], "2.0.1": []}
        for number in range(ROUNDS + 1):
            messages = MESSAGES if number else WARM_UP
            for name, fleet in (("1.6", older), ("2.0.1", newer)):
                calls = meter_values(messages, chargers) if name == "1.6" else transaction_events(messages, chargers)
                figures = measure(server, postgres, fleet, calls, messages)
                if number:
                    rounds[name].append(figures)
        stored = 2 * (WARM_UP + ROUNDS * MESSAGES)
        assert count_rows(postgres.ours, "evpower.ocpp_meter_values") == stored
        assert count_rows(postgres.ours, "evpower.ocpp_meter_values WHERE seq_no IS NOT NULL") == stored // 2
    _print({name: medians(each) for name, each in rounds.items()}, chargers)


def _connected(stack: ExitStack, server: Server, numbers: range, subprotocol: str, says: NextCall) -> Fleet:
    fleet = stack.enter_context(Fleet())
    fleet.connect(map(station_id, numbers), server.port, subprotocol=subprotocol)
    fleet.drive(says, upgrading=True)
    fleet.listen(quiet_s=8.0)
    return fleet


def _print(figures: dict[str, Figures], chargers: int) -> None:
    older, newer = figures["1.6"], figures["2.0.1"]
    table.head(f"A reading of OCPP 2.0.1, {chargers:,} chargers of each version, {ROUNDS} x {MESSAGES:,}", "1.6")
    table.line("server CPU, us per message", newer.server_us, older.server_us, ".1f")
    table.line("PostgreSQL CPU, us per message", newer.postgres_us, older.postgres_us, ".1f")
    table.line("messages per second", newer.per_second, older.per_second, ",.0f")
    table.line("latency p99, ms", newer.p99_ms, older.p99_ms, ".1f")
    ratio = (newer.server_us + newer.postgres_us) / (older.server_us + older.postgres_us)
    table.verdict("  both CPUs together, of 1.6", ratio, at_most=EXPECTED_RATIO)


if __name__ == "__main__":
    trio.run(main, int(sys.argv[1]) if sys.argv[1:] else CHARGERS)
