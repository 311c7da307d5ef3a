"""Every fault of the sandbox as a client sees it on the wire, the payers' page, and the control interface."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx2
import pytest
import trio

from evpower.simulator.providers.running import run_sandbox
from evpower.simulator.providers.sandbox import Sandbox, SandboxSettings
from evpower.simulator.providers.surroundings.doors import NotLoopback
from evpower.simulator.providers.surroundings.faults import KINDS, Fault, WrongControl
from tests.simulator.providers.sandbox_client import NOW, Merchant, Point, Waits, compact, envelope, payment, signed

BROKEN = (httpx2.ReadError, httpx2.RemoteProtocolError, httpx2.WriteError)
CREATE: dict[str, Any] = {"order_id": "tu_1", "desc": "Пополнение", "amount": 10000}
STATUS_BODY = b'<request point="4354"><status id="1"/></request>'


def strike(sandbox: Sandbox, kind: str, **how: Any) -> None:
    how = {"provider": "odengi", "command": "createInvoice", **how}
    sandbox.faults.add(Fault(kind=kind, **how))


def happened(sandbox: Sandbox) -> bool:
    return sandbox.odengi.book.with_order("tu_1") is not None


@pytest.mark.parametrize(("kind", "done"), [("refuse", False), ("reset", True)])
async def test_a_reset_breaks_the_connection(merchant: Merchant, sandbox: Sandbox, kind: str, done: bool) -> None:
    strike(sandbox, kind)
    with pytest.raises(BROKEN):
        await merchant.odengi("createInvoice", **CREATE)
    assert happened(sandbox) is done
    assert (await merchant.status()).get("status") == ("processing" if done else None)


async def test_a_hang_lasts_until_the_caller_leaves(merchant: Merchant, sandbox: Sandbox) -> None:
    strike(sandbox, "hang")
    with trio.CancelScope() as call:
        async with trio.open_nursery() as calls:
            calls.start_soon(partial(merchant.odengi, "createInvoice", **CREATE))
            await sandbox.received.wait_until(lambda: happened(sandbox))
            call.cancel()
    assert call.cancelled_caught
    assert await merchant.status() == {"status": "processing"}


async def test_a_slow_reply_comes_a_byte_at_a_time(merchant: Merchant, sandbox: Sandbox, waits: Waits) -> None:
    strike(sandbox, "drip")
    waits.over.set()
    assert "invoice_id" in await merchant.odengi("createInvoice", **CREATE)
    assert len(waits.asked) > 100
    assert set(waits.asked) == {1.0}


async def test_a_truncated_reply_ends_in_the_middle(merchant: Merchant, sandbox: Sandbox) -> None:
    strike(sandbox, "truncated")
    with pytest.raises(httpx2.RemoteProtocolError):
        await merchant.odengi("createInvoice", **CREATE)
    assert happened(sandbox)


async def raw(merchant: Merchant, sandbox: Sandbox, kind: str, **how: Any) -> httpx2.Response:
    """The reply to a status query that the fault strikes."""
    strike(sandbox, kind, provider="odengi", command="*", **how)
    return await merchant.post(b"{}")


@pytest.mark.parametrize("kind", ["500", "502", "503"])
async def test_a_server_error_is_html_and_nothing_is_done(merchant: Merchant, sandbox: Sandbox, kind: str) -> None:
    strike(sandbox, kind)
    response = await merchant.post(signed(compact(envelope("createInvoice", CREATE))))
    assert not happened(sandbox)
    assert (response.status_code, response.headers["content-type"]) == (int(kind), "text/html; charset=utf-8")


async def test_replies_that_are_not_the_providers(merchant: Merchant, sandbox: Sandbox) -> None:
    html = await raw(merchant, sandbox, "html")
    assert (html.status_code, html.text.startswith("<!DOCTYPE html>")) == (200, True)
    empty = await raw(merchant, sandbox, "empty")
    assert (empty.status_code, empty.content) == (200, b"")
    wrong_type = await raw(merchant, sandbox, "wrong_type")
    assert (wrong_type.headers["content-type"], "data" in wrong_type.json()) == ("text/plain", True)


async def test_an_oversized_reply_is_still_json(merchant: Merchant, sandbox: Sandbox) -> None:
    response = await raw(merchant, sandbox, "oversized")
    assert len(response.content) == 4 * 1024 * 1024
    assert "data" in response.json()


async def test_a_dtd_bomb_defines_entities_of_entities(point: Point, sandbox: Sandbox) -> None:
    strike(sandbox, "dtd_bomb", provider="obank", command="status")
    response = await point.post(STATUS_BODY)
    assert b"<!DOCTYPE" in response.content
    assert b"&a8;&a8;" in response.content
    assert response.headers["content-type"] == "application/xml; charset=utf-8"


async def test_the_providers_own_error(merchant: Merchant, point: Point, sandbox: Sandbox) -> None:
    strike(sandbox, "error")
    assert "error" in await merchant.odengi("createInvoice", **CREATE)
    assert not happened(sandbox)
    strike(sandbox, "error", provider="obank", command="status")
    assert ET.fromstring((await point.post(STATUS_BODY)).content).tag == "error"


async def test_over_tls_too_a_payment_happens_although_its_reply_is_lost(point: Point, sandbox: Sandbox) -> None:
    strike(sandbox, "reset", provider="obank", command="payment")
    with pytest.raises(BROKEN):
        await point.pay()
    assert (await point.status())["state"] == "60"


@pytest.mark.parametrize("happens", [True, False])
async def test_whether_it_happens_can_be_said(merchant: Merchant, sandbox: Sandbox, happens: bool) -> None:
    strike(sandbox, "reset", happens=happens)
    with pytest.raises(BROKEN):
        await merchant.odengi("createInvoice", **CREATE)
    assert happened(sandbox) is happens


async def test_a_fault_strikes_its_command_so_many_times(merchant: Merchant, sandbox: Sandbox) -> None:
    strike(sandbox, "error", command="statusPayment", times=2)
    await merchant.invoice()
    assert ["error" in await merchant.status() for _ in range(3)] == [True, True, False]


async def test_faults_strike_in_the_order_they_were_asked_for(merchant: Merchant, sandbox: Sandbox) -> None:
    await merchant.invoice()
    strike(sandbox, "error", command="*")
    strike(sandbox, "reset", command="statusPayment")
    assert "error" in await merchant.status()
    with pytest.raises(BROKEN):
        await merchant.status()


async def test_an_outage_refuses_connections_and_ends(merchant: Merchant, point: Point, sandbox: Sandbox) -> None:
    await merchant.invoice()
    await sandbox.outage("odengi")
    with pytest.raises((httpx2.ConnectError, *BROKEN)):
        await merchant.status()
    with pytest.raises(httpx2.ConnectError):
        await merchant.status()
    assert (await point.status())["state"] == "-2"  # the other provider goes on
    await sandbox.outage("odengi")
    await sandbox.outage("odengi", on=False)
    assert await merchant.status() == {"status": "processing"}


async def test_a_skewed_clock_shows_in_both_wires(merchant: Merchant, point: Point, sandbox: Sandbox) -> None:
    sandbox.behave(skew_s=3600)
    assert (await point.pay())["server_time"] == "2025-09-30T19:00:00+0600"
    reply = (await merchant.post(b"{}")).json()
    assert int(reply["mktime"]) == (int(NOW.timestamp()) + 3600) * 1000


async def test_calls_are_counted_lost_ones_too(merchant: Merchant, point: Point, sandbox: Sandbox) -> None:
    strike(sandbox, "refuse")
    with pytest.raises(BROKEN):
        await merchant.invoice()
    await merchant.invoice()
    await merchant.invoice("tu_2")
    await point.ask(payment(77, {}))
    entries = sandbox.received.entries("odengi", "createInvoice", "tu_1")
    assert [each.fault for each in entries] == ["refuse", ""]
    assert len(sandbox.received.entries("obank", "payment", "77")) == 1


async def test_control_does_all_of_it_over_http(merchant: Merchant, sandbox: Sandbox) -> None:
    control = merchant.control
    await control("/faults", provider="odengi", command="createInvoice", kind="reset")
    with pytest.raises(BROKEN):
        await merchant.invoice()
    paid = await control("/odengi", action="pay", order_id="tu_1", amount=9000)
    assert (await merchant.status())["payments"][0]["trans_id"] == paid["trans_id"]
    await control("/odengi", action="refund", trans_id=paid["trans_id"])
    assert (await merchant.status())["status"] == "canceled"
    pending = await control("/webhook-faults", provider="odengi", kind="delay", delay_s=90)
    assert pending["webhook_faults"][0]["delay_s"] == 90
    assert (await control("/behaviour", progress=[0, 60]))["progress"] == [0, 60]
    await control("/outage", provider="odengi")
    with pytest.raises((httpx2.ConnectError, *BROKEN)):
        await merchant.post(b"{}")
    assert await control("/faults/clear") == {"faults": [], "webhook_faults": []}
    assert (await merchant.status())["status"] == "canceled"
    url = f"{sandbox.page_url}/control"
    assert (await merchant.http.get(url)).json()["invoices"][0]["order_id"] == "tu_1"
    received = await merchant.http.get(f"{url}/received?provider=odengi&command=createInvoice&order=tu_1")
    assert [each["fault"] for each in received.json()] == ["reset"]
    assert (await merchant.http.get(f"{url}/webhooks")).json() == []


async def test_control_acts_on_card_operations(merchant: Merchant, point: Point) -> None:
    await point.advanced("auth-acquiring", id="5", sum="2500", amount_currency="417")
    assert (await merchant.control("/obank", action="approve", id=5))["status"] == "completed"
    assert (await merchant.control("/obank", action="refund", id=5, sum=500))["returned"] == 500
    assert (await point.status(5))["cancelled-sum"] == "500"


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/faults", {"provider": "odengi", "kind": "rain"}),
        ("/faults", {"provider": "nobody", "kind": "reset"}),
        ("/faults", {"provider": "odengi", "kind": "reset", "times": 0}),
        ("/faults", {"provider": "odengi", "kind": "reset", "wish": 1}),
        ("/webhook-faults", {"provider": "odengi", "kind": "rain"}),
        ("/webhooks/again", {"number": 1}),
        ("/webhooks/again", {}),
        ("/outage", {"provider": "page"}),
        ("/behaviour", {"progress": [0]}),
        ("/behaviour", {"secret": "x"}),
        ("/odengi", {"action": "pay", "order_id": "unknown"}),
        ("/odengi", {"action": "pray"}),
        ("/obank", {"action": "approve", "id": 1}),
    ],
)
async def test_wrong_control_is_400_with_a_reason(merchant: Merchant, path: str, fields: dict[str, Any]) -> None:
    response = await merchant.http.post(f"{merchant.sandbox.page_url}/control{path}", json=fields)
    assert (response.status_code, bool(response.json()["error"])) == (400, True)


async def test_control_takes_nothing_a_web_page_could_post(merchant: Merchant) -> None:
    fields = json.dumps({"provider": "odengi", "kind": "reset"})
    url = f"{merchant.sandbox.page_url}/control/faults"
    response = await merchant.http.post(url, content=fields, headers={"Content-Type": "text/plain"})
    assert (response.status_code, merchant.sandbox.faults.pending) == (400, [])


async def test_the_provider_ports_have_no_control(merchant: Merchant, sandbox: Sandbox) -> None:
    base = sandbox.odengi_url.partition("/api")[0]
    assert (await merchant.http.get(f"{base}/control")).status_code == 404


async def test_a_person_pays_on_the_page(merchant: Merchant) -> None:
    invoice_id = (await merchant.invoice(desc="Пополнение <b>"))["invoice_id"]
    base = merchant.sandbox.page_url
    page = (await merchant.http.get(f"{base}/")).text
    assert f'action="/pay/{invoice_id}/approve"' in page
    assert "Пополнение &lt;b&gt;" in page
    assert "100.00 сом" in page
    answered = await merchant.http.post(f"{base}/pay/{invoice_id}/approve")
    assert (answered.status_code, answered.headers["location"]) == (303, f"/pay/{invoice_id}")
    assert (await merchant.status())["status"] == "approved"
    assert f'action="/pay/{invoice_id}/approve"' not in (await merchant.http.get(f"{base}/")).text


async def test_a_person_refuses_on_the_page(merchant: Merchant) -> None:
    invoice = await merchant.invoice()
    await merchant.http.post(f"{invoice['link_app']}/refuse")
    assert (await merchant.status())["payments"][0]["status"] == "canceled"


async def test_looking_at_a_page_pays_nothing(merchant: Merchant) -> None:
    invoice = await merchant.invoice()
    page = await merchant.http.get(invoice["link_app"])
    assert '<img src="/qr.php?type=emvQr&amp;data=' in page.text
    assert (await merchant.http.get(f"{invoice['link_app']}/approve")).status_code == 404
    assert (await merchant.http.get(f"{merchant.sandbox.page_url}/pay/000000000000")).status_code == 404
    assert await merchant.status() == {"status": "processing"}


async def test_a_picture_of_nothing_or_too_much_is_refused(merchant: Merchant) -> None:
    for text in ("", "1" * 513):
        assert (await merchant.http.get(f"{merchant.sandbox.page_url}/qr.php?data={text}")).status_code == 400


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "localhost", ""])
async def test_nothing_binds_beyond_loopback(tmp_path: Path, host: str) -> None:
    with pytest.raises(NotLoopback):
        await run_sandbox(SandboxSettings(directory=tmp_path, host=host))


async def test_every_address_is_on_loopback(sandbox: Sandbox) -> None:
    for url in (sandbox.odengi_url, sandbox.obank_url, sandbox.page_url):
        assert httpx2.URL(url).host == "127.0.0.1"


async def test_the_same_seed_makes_the_same_ids_and_secrets(tmp_path: Path) -> None:
    async def made(seed: int) -> tuple[str, str, str]:
        async with trio.open_nursery() as providers:
            settings = SandboxSettings(directory=tmp_path, seed=seed)
            sandbox: Sandbox = await providers.start(run_sandbox, settings)
            book = sandbox.odengi.book
            invoice = book.create("tu_1", 100, "x", is_test=False, result_url=None, expires_at=None)
            names = (sandbox.secret, sandbox.certificate_password, invoice.invoice_id + book.pay(invoice).trans_id)
            providers.cancel_scope.cancel()
        return names

    with trio.fail_after(20):
        first, again, other = [await made(seed) for seed in (1, 1, 2)]
    assert first == again
    assert not set(first) & set(other)


async def test_files_are_for_their_owner_alone(sandbox: Sandbox) -> None:
    folder = sandbox.settings.directory
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {
        "point.p12": "0o600",
        "ca.pem": "0o600",
    }
    assert oct(folder.stat().st_mode & 0o777) == "0o700"


async def test_a_port_that_is_taken_is_said(tmp_path: Path, sandbox: Sandbox) -> None:
    taken = httpx2.URL(sandbox.odengi_url).port
    assert taken is not None
    with pytest.raises(OSError, match="in use"):
        await run_sandbox(SandboxSettings(directory=tmp_path, odengi_port=taken))


async def test_it_ends_at_once_with_a_call_that_hangs(tmp_path: Path) -> None:
    with trio.fail_after(20):
        async with trio.open_nursery() as providers:
            sandbox: Sandbox = await providers.start(run_sandbox, SandboxSettings(directory=tmp_path))
            strike(sandbox, "hang", command="*")
            port = httpx2.URL(sandbox.odengi_url).port
            assert port is not None
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            await stream.send_all(b"POST /api/json/json.php HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            await sandbox.received.wait_until(lambda: bool(sandbox.received.entries("odengi")))
            providers.cancel_scope.cancel()
        async with stream:
            assert await stream.receive_some() == b""


async def test_every_kind_of_fault_is_in_the_documents() -> None:
    text = (Path(__file__).parents[3] / "docs/sandbox.md").read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f"`{kind}`" not in text] == []


async def test_a_wrong_fault_is_refused_in_python_too() -> None:
    with pytest.raises(WrongControl, match="rain"):
        Fault(provider="odengi", kind="rain")
