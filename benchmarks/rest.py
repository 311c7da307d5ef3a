"""What requests cost beside a bare Quart-Trio route: the list with Redis, a start until its answer, a push, a webhook.

`python -m benchmarks.rest`. CPU time of the servers, in turns. The list is measured where `redis-server` is installed.
For a start the station's answer is awaited, as a phone does; the bare route reads the same body and returns as much.
The webhook is a provider's word about an order that is paid already: it is checked, found, kept and answered after its
commit, and no provider is asked.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from pathlib import Path
from statistics import median

import psycopg
import trio

from benchmarks.chargers import Fleet
from benchmarks.cycles import NONE_FALLS_SILENT
from benchmarks.database import analyze, make_network, open_postgres
from benchmarks.http_client import KeptAlive
from benchmarks.network import LIST, charger_of, echo_at_once, phones_of
from benchmarks.processes import Server, serving, serving_ours
from benchmarks.results import Row, page
from benchmarks.wire import boot_and_status, station_id
from evpower.payments.gateways.odengi_notice import SEPARATOR
from evpower.payments.gateways.odengi_signature import signature

STATIONS, LOCATIONS = 1_000, 300
ROUNDS, GETS = 5, 40
STARTS = 60
PHONES, PUSHES = 1_000, 3
START = "/api/v1/charging/start"
WEBHOOK, WEBHOOKS = "/api/v1/payment/webhook/odengi", 100
SITE, SECRET = "bench", "bench-secret"
LIST_AT_MOST, START_AT_MOST, PUSH_AT_MOST, WEBHOOK_AT_MOST = 1.2, 3.0, 2.0, 3.0
UNLIMITED = {"HTTP_RATE_LIMIT_EXEMPT": "127.0.0.1", "PAYMENTS_WEBHOOK_PER_MINUTE": "0"}
#: Is never asked.
PROVIDER = {"ODENGI_URL": "https://odengi.invalid/", "ODENGI_SID": SITE, "ODENGI_SECRET": SECRET}
#: Orders that are paid, one for each webhook of a round.
ORDERS = f"""
WITH paid AS (
    INSERT INTO public.balance_topups (invoice_id, order_id, client_id, requested_amount, paid_amount, status,
                                       payment_provider)
    SELECT n, n, format('client-%1$s', n), 100, 100, 'approved', 'ODENGI' FROM generate_series(0, {WEBHOOKS - 1}) n
    RETURNING id, order_id)
INSERT INTO evpower.top_up_orders (topup_id, number, method, phase, phase_at, amount_tyiyn, paid_tyiyn)
SELECT id, order_id::bigint, 'qr', 'approved', now(), 10000, 10000 FROM paid
"""


async def main() -> None:
    async with open_postgres(stations=1, charging=0) as postgres:
        url = await make_network(postgres, STATIONS, LOCATIONS, cards=1 + ROUNDS * STARTS)
        with psycopg.connect(url) as database:
            database.execute(ORDERS)
        analyze(url)
        print(page(await trio.to_thread.run_sync(_compare, url)))


def _compare(url: str) -> list[Row]:
    settings = UNLIMITED | PROVIDER | NONE_FALLS_SILENT | {"HTTP_SOCKETS_PER_ADDRESS": str(2 * PHONES)}
    with ExitStack() as stack:
        if redis := stack.enter_context(running_redis()):
            settings["REDIS_URL"] = redis
        ours = stack.enter_context(serving_ours(url, **settings))
        body = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="evpower-bench-"))) / "list.json"
        with KeptAlive(ours.http_port) as client:
            client.get(LIST)
            body.write_bytes(client.get(LIST))
        bare = stack.enter_context(serving("benchmarks.bare_quart", str(body)))
        rows = [_lists(ours, bare)] if redis else []
        return [*rows, _webhooks(ours, bare), _pushes(ours, bare), _starts(ours, bare)]


def _lists(ours: Server, bare: Server) -> Row:
    def gets(port: int) -> None:
        with KeptAlive(port) as client:
            for _ in range(GETS):
                client.get(LIST)

    work = {"ours": (ours, lambda: gets(ours.http_port)), "bare": (bare, lambda: gets(bare.port))}
    return _row("the list, cached, with Redis", work, GETS, LIST_AT_MOST)


def _webhooks(ours: Server, bare: Server) -> Row:
    work = {"ours": (ours, lambda: report(ours.http_port)), "bare": (bare, lambda: report(bare.port))}
    return _row("a webhook, until its answer", work, WEBHOOKS, WEBHOOK_AT_MOST)


def report(port: int) -> None:
    """A word about each order, one after the other."""
    with KeptAlive(port) as provider:
        for number in range(WEBHOOKS):
            provider.ask(WEBHOOK, _notice(number))
            provider.answer()


def _notice(number: int) -> str:
    """Signed as the provider does; its state is that of a payment still on its way."""
    fields = {
        "trans_id": "",
        "status_pay": "0",
        "site_id": SITE,
        "order_id": str(number),
        "amount": "10000",
        "currency": "KGS",
        "mktime": "1700000000",
        "test": "0",
    }
    return json.dumps({**fields, "hash": signature(SECRET, SEPARATOR.join(fields.values()).encode())})


def _starts(ours: Server, bare: Server) -> Row:
    numbers = range(1, 1 + ROUNDS * STARTS)  # the first one's connector was reported in use
    left = iter(numbers)
    with booted(ours, numbers) as fleet:

        def start_bare() -> None:
            with KeptAlive(bare.port) as phone:
                for number in range(STARTS):
                    phone.ask(START, _order(number))
                    phone.answer()

        work = {"ours": (ours, lambda: start(ours, fleet, islice(left, STARTS))), "bare": (bare, start_bare)}
        return _row("a start, until its answer", work, STARTS, START_AT_MOST)


@contextmanager
def booted(ours: Server, numbers: Iterable[int]) -> Iterator[Fleet]:
    """Stations that are asked nothing any more."""
    with Fleet() as fleet:
        fleet.connect([station_id(number) for number in numbers], ours.port)
        fleet.drive(boot_and_status, upgrading=True)
        fleet.listen(quiet_s=1.0)
        yield fleet


def start(ours: Server, fleet: Fleet, numbers: Iterable[int]) -> None:
    """A charge at each of these, one after the other, each until its answer."""
    with KeptAlive(ours.http_port) as phone:
        for number in numbers:
            phone.ask(START, _order(number))
            (asked,) = fleet.arrivals(1)
            asked.charger.accept(asked.text)
            phone.answer()


def _order(number: int) -> str:
    return f'{{"client_id": "client-{number}", "station_id": "{station_id(number)}", "connector_id": 1}}'


def _pushes(ours: Server, bare: Server) -> Row:
    with ExitStack() as stack:
        charger = stack.enter_context(charger_of(ours))
        phones = stack.enter_context(phones_of(ours.http_port, PHONES, greeted=True))
        echoing = stack.enter_context(phones_of(bare.port, PHONES, greeted=False))
        text = charger.change(phones)[0]

        def push() -> None:
            for _ in range(PUSHES):
                charger.change(phones)

        def send_back() -> None:
            for _ in range(PUSHES):
                echo_at_once(echoing, text)

        name = f"a push to {PHONES:,} phones, beside as many echoes"
        return _row(name, {"ours": (ours, push), "bare": (bare, send_back)}, PUSHES, PUSH_AT_MOST)


def _row(name: str, work: dict[str, tuple[Server, Callable[[], None]]], times: int, at_most: float) -> Row:
    """The server's CPU for one of them: the median of rounds in turns."""
    costs: dict[str, list[float]] = {of: [] for of in work}
    for _ in range(ROUNDS):
        for of, (server, do) in work.items():
            cpu_s = server.cpu_s()
            do()
            costs[of].append((server.cpu_s() - cpu_s) * 1000 / times)
    return Row(f"{name}, server's CPU", "ms", {of: median(each) for of, each in costs.items()}, {"bare": at_most})


@contextmanager
def running_redis() -> Iterator[str | None]:
    """Its URL; None where it is not installed."""
    if (program := shutil.which("redis-server")) is None:
        yield None
        return
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([program, "--port", str(port), "--save", ""], stdout=subprocess.DEVNULL)
    try:
        time.sleep(1.0)  # until it listens
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    trio.run(main)
