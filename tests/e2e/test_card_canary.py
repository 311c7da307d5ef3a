"""A card leaves no trace of a started server, whatever happens to its payment (contract/payments §7).

The canary is a card whose number, code and holder stand nowhere else. After every ending of a payment, and a kill -9
in the middle of one, it is looked for in all that the server wrote, answered and shows, down to PostgreSQL's own files.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import stat
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
import trio
from psycopg import sql

from evpower.simulator.providers.obank.cards import MONTH, YEAR, PayerCard
from evpower.simulator.providers.sandbox import Sandbox
from evpower.simulator.providers.surroundings.faults import Fault
from tests.e2e.crash import TIME_PASSES
from tests.e2e.money_in import Payer, banked_server, seen
from tests.e2e.process import Server
from tests.e2e.street import CLIENT, WITHIN_S
from tests.ports import free_port

pytestmark = pytest.mark.external
PAN, OTHER_PAN, CVV, HOLDER = "5312047719386025", "6771830925514708", "7391", "ZARINA KANAREIKOVA"
CARD = {"card_pan": PAN, "card_name": HOLDER, "card_cvv": CVV, "card_year": YEAR, "card_month": MONTH}
BODY = {"client_id": CLIENT, "amount": 100, "email": "payer@example.org", **CARD}
TOP_UP = "balance/topup-card"
#: Alone, not as a part of a longer number, an id or a fraction.
CVV_ALONE = re.compile(rf"(?<![0-9A-Za-z.-]){CVV}(?![0-9A-Za-z-]|\.[0-9])".encode())
TABLES = """
SELECT table_schema, table_name FROM information_schema.tables
WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'
"""
CUT = json.dumps(BODY)[:-9].encode()
MALFORMED: list[bytes] = [
    json.dumps(BODY | {"amount": "100"}).encode(),
    json.dumps(BODY | {"amount": PAN}).encode(),
    json.dumps(BODY | {"card_pan": int(PAN)}).encode(),
    json.dumps(BODY | {"card_pan": f"{PAN}x"}).encode(),
    json.dumps(BODY | {"card_cvv": f"{CVV}0"}).encode(),
    json.dumps(BODY | {"card_cvv": int(CVV)}).encode(),
    json.dumps(BODY | {"card_name": f"{HOLDER}\n{PAN}"}).encode(),
    json.dumps(BODY | {"client_id": f"{PAN} {CVV}"}).encode(),
    json.dumps(BODY | {"email": f"{PAN} {CVV}"}).encode(),
    json.dumps([CARD]).encode(),
    CUT,
    f"card_pan={PAN}&card_cvv={CVV}&card_name={HOLDER}".encode(),
]


def forms_of(pan: str) -> list[bytes]:
    """A number as it might be written down, whole or in the parts a program could cut it into, or hidden badly."""
    plain = pan.encode()
    grouped = [sign.join(pan[at : at + 4] for at in range(0, 16, 4)).encode() for sign in (" ", "-")]
    hashed = [hashlib.new(name, plain).hexdigest().encode() for name in ("md5", "sha1", "sha256")]
    disguised = [plain.hex().encode(), base64.b64encode(plain)[:20], int(pan).to_bytes(8, "little")]
    return [plain, plain[:12], plain[4:], *grouped, *hashed, *disguised]


NEEDLES = [*forms_of(PAN), *forms_of(OTHER_PAN), HOLDER.encode(), HOLDER.split()[1].encode()]


def found(content: bytes, *, is_text: bool = True) -> list[bytes]:
    """What of the card is there; the short code means something in text only."""
    codes = CVV_ALONE.findall(content) if is_text else []
    return [needle for needle in NEEDLES if needle in content] + codes


@pytest.mark.parametrize("form", [*NEEDLES, CVV.encode(), f'"card_cvv":{CVV}}}'.encode(), f"({CVV},".encode()])
def test_the_search_finds_the_canary(form: bytes) -> None:
    assert found(b"[2026-11-25 10:00:00] INFO - " + form + b"\n")
    assert not found(b"12:00:01.7391+00 87391 7391a 531204******6025 ob-7391-1")


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """As open as a checkout."""
    with tempfile.TemporaryDirectory(prefix="evpower-canary-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.fixture
async def bank(state_dir: Path) -> AsyncIterator[tuple[Server, Sandbox]]:
    """A server with its private PostgreSQL that logs all it can; the bank knows the canary for a good card."""
    settings = {"payments_poll_interval_s": 0.2, "payments_max_checks": 1000, "log_level": "DEBUG"}
    async with banked_server("", state_dir, free_port(), **settings) as (server, sandbox):
        sandbox.obank.book.issued.append(PayerCard(PAN, YEAR, MONTH, CVV, HOLDER))
        yield server, sandbox


class CardHolder(Payer):
    """Pays with the canary, and keeps all that is answered."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self.answers = b""

    async def send(self, path: str, body: bytes, key: str | None = None) -> Any:
        headers = {"Content-Type": "application/json"} | ({} if key is None else {"Idempotency-Key": key})
        async with httpx2.AsyncClient(base_url=self._server.http_url, timeout=WITHIN_S, verify=False) as client:
            answer = await client.post(f"/api/v1/{path}", content=body, headers=headers)
        self.answers += repr(answer.headers).encode() + answer.content
        return answer

    async def pay(self, key: str, **fields: object) -> Any:
        """The answer's status and, in it, the machine word."""
        answer = await self.send(TOP_UP, json.dumps(BODY | fields).encode(), key)
        body = answer.json()
        return answer.status_code, body.get("error") or body["status"], body


async def live_through_everything(server: Server, sandbox: Sandbox, holder: CardHolder) -> None:
    """Every way a payment ends. Each ending is checked: a request that went nowhere would prove nothing."""
    async with trio.open_nursery() as nursery:
        sandbox.faults.add(Fault(provider="obank", kind="hang", command="payment"))
        nursery.start_soon(time_out, holder, "hang")
        await seen(lambda: not sandbox.faults.pending)
        await pay_and_be_refused(holder)
        for kind in ("reset", "truncated", "html", "dtd_bomb"):
            sandbox.faults.add(Fault(provider="obank", kind=kind, command="payment"))
            await time_out(holder, kind)
        await say_it_wrongly(holder)
        await be_called_with_the_card(sandbox)
    await die_in_the_middle(server, sandbox, holder)


async def pay_and_be_refused(holder: CardHolder) -> None:
    """Success, its repeat, a key used for something else, another way to write the number, a declined card."""
    assert (await holder.pay("paid"))[:2] == (200, "approved")
    assert (await holder.pay("paid"))[:2] == (200, "approved")
    assert (await holder.pay("paid", amount=200))[0] == 409
    assert (await holder.pay("paid", card_pan=OTHER_PAN))[0] == 409
    assert (await holder.pay("spaced", card_pan="5312-0477 1938-6025"))[:2] == (200, "approved")
    assert (await holder.pay("declined", card_pan=OTHER_PAN))[:2] == (400, "payment_failed")


async def time_out(holder: CardHolder, key: str) -> None:
    """The bank charges the card and its answer does not come, or is none; the poll finds out."""
    _, error, body = await holder.pay(key)
    assert error == "provider_timeout"
    await holder.payment_is(body["order_id"], 1)


async def say_it_wrongly(holder: CardHolder) -> None:
    """The card where it does not belong, and in bodies nobody can read."""
    token = json.dumps({"client_id": CLIENT, "amount": 100, "email": "p@example.org", "card_token": PAN}).encode()
    assert (await holder.send("payment/token-payment", token, "token")).json()["error"] == "payment_failed"
    for body in MALFORMED:
        assert (await holder.send(TOP_UP, body)).status_code == 400
    assert (await holder.send("cards/nowhere", json.dumps(BODY).encode())).status_code == 404


async def be_called_with_the_card(sandbox: Sandbox) -> None:
    """The bank's notice names the card, which ours must not keep."""
    operation = next(iter(sandbox.obank.book.by_number.values()))
    told = {"order.id": str(operation.number), "state": "60", "account": PAN, "card_cvv": CVV, "card_name": HOLDER}
    async with httpx2.AsyncClient(timeout=WITHIN_S, verify=False) as client:
        answer = await client.post(operation.addresses.notify_url or "", data=told | {"note": f"card {PAN}"})
    assert answer.status_code == 200


async def die_in_the_middle(server: Server, sandbox: Sandbox, holder: CardHolder) -> None:
    """The bank has charged the card and not answered when the server is killed."""
    sandbox.faults.add(Fault(provider="obank", kind="hang", command="payment"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pay_in_vain, holder)
        await seen(lambda: not sandbox.faults.pending)
        await server.kill()
    await server.start()
    let_time_pass(server.state_dir)  # a check that died with the server has its order for a minute
    _, error, body = await holder.pay("killed")
    if error != "approved":  # the poll may have been faster than the phone
        assert error == "provider_timeout"
        await holder.payment_is(body["order_id"], 1)


async def pay_in_vain(holder: CardHolder) -> None:
    with pytest.raises(httpx2.TransportError):
        await holder.pay("killed")


def let_time_pass(state_dir: Path) -> None:
    """Longer than the lease of a check."""
    with psycopg.connect(host=str(state_dir / "postgres"), user="postgres", dbname="postgres") as database:
        for statement in TIME_PASSES:
            database.execute(statement)


def rows_of(state_dir: Path) -> bytes:
    """Every row of every table, all columns, as text; and PostgreSQL writes what it has to its files."""
    host = state_dir / "postgres"
    with psycopg.connect(host=str(host), user="postgres", dbname="postgres", autocommit=True) as database:
        rows: list[str] = []
        for schema, table in database.execute(TABLES).fetchall():
            query = sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(schema, table))
            rows += [row[0] for row in database.execute(query).fetchall()]
        database.execute("CHECKPOINT")
    return "\n".join(rows).encode()


def files_below(state_dir: Path) -> dict[Path, bytes]:
    """All regular files: the log, PostgreSQL's own log, its tables, its write-ahead log."""
    paths = (path for path in state_dir.rglob("*") if stat.S_ISREG(path.lstat().st_mode))
    return {path.relative_to(state_dir): path.read_bytes() for path in paths}


async def shown_to_operators(server: Server) -> bytes:
    """What the commands print, and what both doors count."""
    paths = ("payments", "payments?parked=1&all=1", "payments/providers", "status", "sessions", "ledger")
    shown = [json.dumps(await server.control("GET", path)) for path in paths]
    async with httpx2.AsyncClient(base_url=server.http_url, timeout=WITHIN_S, verify=False) as client:
        shown += [(await client.get(path)).text for path in ("/metrics", "/health", f"/api/v1/balance/{CLIENT}")]
    return "\n".join(shown).encode()


async def test_a_card_is_nowhere_after_success_failure_time_out_and_death(
    bank: tuple[Server, Sandbox], state_dir: Path
) -> None:
    server, sandbox = bank
    holder = CardHolder(server)
    with trio.fail_after(4 * WITHIN_S):
        await live_through_everything(server, sandbox, holder)
        shown = await shown_to_operators(server)
    rows, files = rows_of(state_dir), files_below(state_dir)
    assert b"531204******6025" in rows, "the search sees the tables"
    assert b"POST /api/v1/balance/topup-card - 409" in files[Path("evpower.log")], "the search sees the log"
    for part in ("postgres/base", "postgres/pg_wal"):
        contents = (content for path, content in files.items() if path.is_relative_to(part))
        assert any(b"531204******6025" in content for content in contents), f"the search sees {part}"
    assert not found(holder.answers), "an answer"
    assert not found(shown), "what operators see"
    assert not found(rows), "a row"
    for path, content in files.items():
        assert not found(content, is_text=path.suffix == ".log"), path
