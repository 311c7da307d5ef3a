"""OBANK's wire (contract/payments §3): mutual TLS, cards, states, 3-D Secure, pages, returns."""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import httpx2
import pytest

from evpower.simulator.providers.obank.certificates import Authority
from evpower.simulator.providers.sandbox import Sandbox
from tests.simulator.providers.sandbox_client import (
    CARD,
    Merchant,
    Point,
    SetClock,
    flat,
    payment,
    showing,
    trusting,
)

CHALLENGED = {**CARD, "card_pan": "4169585587654321", "redirect_url": "http://127.0.0.1:1/back"}
DECLINED = {**CARD, "card_pan": "4169585511111111"}
TYPED = {"pan": "4169 5855 1234 5678", "month": "12", "year": "25", "cvv": "123", "holder": "TEST CARD"}


async def is_shut_out(sandbox: Sandbox, context: ssl.SSLContext) -> bool:
    """Whether the handshake fails, so that not a byte of HTTP is answered."""
    async with Point(sandbox, context).http as http:
        try:
            await http.post(sandbox.obank_url)
        except (httpx2.ConnectError, httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError):
            return True
    return False


async def test_the_points_certificate_opens(sandbox: Sandbox, point: Point) -> None:
    assert not await is_shut_out(
        sandbox, showing(sandbox, sandbox.point_file.read_bytes(), sandbox.certificate_password)
    )
    assert (await point.status())["state"] == "-2"


async def test_no_certificate_is_refused(sandbox: Sandbox) -> None:
    assert await is_shut_out(sandbox, trusting(sandbox))


async def test_a_certificate_of_another_authority_is_refused(sandbox: Sandbox) -> None:
    assert await is_shut_out(sandbox, showing(sandbox, Authority().point("4354", "x"), "x"))


async def test_an_expired_certificate_is_refused(sandbox: Sandbox) -> None:
    expired = sandbox.authority.point("4354", "x", not_after=datetime(2020, 1, 2, tzinfo=UTC))
    assert await is_shut_out(sandbox, showing(sandbox, expired, "x"))


async def test_plain_http_is_not_answered(sandbox: Sandbox, merchant: Merchant) -> None:
    with pytest.raises(httpx2.TransportError):
        await merchant.http.post(sandbox.obank_url.replace("https:", "http:"))


async def test_a_client_that_does_not_know_the_authority_does_not_trust_us(sandbox: Sandbox) -> None:
    assert await is_shut_out(sandbox, ssl.create_default_context())


async def test_another_points_certificate_cannot_speak_for_this_one(sandbox: Sandbox) -> None:
    other = Point(sandbox, showing(sandbox, sandbox.authority.point("9999", "x"), "x"))
    async with other.http:
        assert (await other.ask(ET.Element("status", {"id": "1"}))).tag == "error"


async def test_the_success_card_is_done_at_once(point: Point) -> None:
    done = await point.pay()
    assert (done["id"], done["state"], done["code"], done["final"], done["sum"]) == ("1", "60", "0", "1", "10000")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0600", done["server_time"])
    assert (await point.status())["trans"] == done["trans"]


async def test_a_payment_passes_0_40_60_when_asked_to(point: Point, sandbox: Sandbox) -> None:
    sandbox.behave(progress=[0, 40, 60])
    seen = [await point.pay(), await point.status(), await point.status()]
    assert [(each["state"], each["final"]) for each in seen] == [("0", "0"), ("40", "0"), ("60", "1")]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"card_pan": "4169585511111111"}, "51"),
        ({"card_pan": "4242424242424242"}, "14"),
        ({"card_cvv": "124"}, "54"),
        ({"card_year": "26"}, "54"),
        ({"card_month": "11"}, "54"),
        ({"card_name": "SOMEBODY ELSE"}, "54"),
    ],
    ids=str,
)
async def test_another_card_is_declined(point: Point, change: dict[str, str], code: str) -> None:
    declined = await point.pay(1, {**CARD, **change})
    assert (declined["state"], declined["final"], declined["code"]) == ("80", "1", code)
    assert declined["provider-error-text"]


async def test_the_same_id_again_is_the_same_operation_whatever_the_card(point: Point) -> None:
    first = await point.pay()
    again = flat(await point.ask(payment(1, DECLINED, 99900)))
    assert [again[name] for name in ("state", "trans", "sum")] == ["60", first["trans"], "10000"]


async def test_an_unknown_id_is_minus_2_and_so_is_a_known_one_on_request(point: Point, sandbox: Sandbox) -> None:
    assert (await point.status(7))["state"] == "-2"
    await point.pay(7)
    sandbox.behave(status_misses=1)
    assert [(await point.status(7))["state"] for _ in range(2)] == ["-2", "60"]


async def test_several_statuses_are_answered_in_their_order(point: Point) -> None:
    await point.pay(1)
    body = b'<request point="4354"><status id="2"/><status id="1"/></request>'
    results = ET.fromstring((await point.post(body)).content).findall("result")
    assert [(each.get("id"), each.get("state")) for each in results] == [("2", "-2"), ("1", "60")]


async def test_a_point_without_funds_delays_and_does_not_decline(point: Point, sandbox: Sandbox) -> None:
    sandbox.behave(point_has_funds=False)
    waiting = await point.pay()
    assert (waiting["state"], waiting["code"], waiting["final"]) == ("0", "30", "0")
    sandbox.behave(point_has_funds=True)
    assert (await point.status())["state"] == "60"


async def test_the_challenged_card_is_paid_after_any_code(point: Point, merchant: Merchant) -> None:
    begun = await point.pay(1, CHALLENGED)
    assert (begun["state"], begun["final"]) == ("40", "0")
    posted = {"PaReq": begun["pa-req"], "MD": begun["md"], "TermUrl": begun["term-url"]}
    page = await merchant.http.post(begun["acs-url"], data=posted)
    assert (page.status_code, 'action="/acs/answer"' in page.text) == (200, True)
    assert (await point.status())["state"] == "40"
    answer = {"MD": begun["md"], "TermUrl": begun["term-url"], "code": "any", "act": "confirm"}
    page = await merchant.http.post(f"{merchant.sandbox.page_url}/acs/answer", data=answer)
    assert f'action="{CHALLENGED["redirect_url"]}"' in page.text
    assert 'name="PaRes"' in page.text
    assert f'name="MD" value="{begun["md"]}"' in page.text
    assert (await point.status())["state"] == "60"


async def test_a_browser_may_be_sent_to_the_challenge_and_refuse_there(point: Point, merchant: Merchant) -> None:
    begun = await point.pay(1, CHALLENGED)
    assert (await merchant.http.get(begun["acs-url"])).status_code == 200
    await merchant.http.post(f"{merchant.sandbox.page_url}/acs/answer", data={"MD": begun["md"], "act": "refuse"})
    assert (await point.status())["state"] == "80"


async def test_a_challenge_is_for_its_own_pareq_needs_a_code_and_ends(point: Point, merchant: Merchant) -> None:
    begun = await point.pay(1, CHALLENGED)
    wrong = await merchant.http.post(begun["acs-url"], data={"PaReq": "x", "MD": begun["md"]})
    assert wrong.status_code == 400
    answer = f"{merchant.sandbox.page_url}/acs/answer"
    assert (await merchant.http.post(answer, data={"MD": begun["md"], "code": " "})).status_code == 400
    assert (await point.status())["state"] == "40"
    assert (await merchant.http.post(answer, data={"MD": begun["md"], "code": "1"})).status_code == 200
    assert (await merchant.http.post(answer, data={"MD": begun["md"], "act": "refuse"})).status_code == 404
    assert (await point.status())["state"] == "60"


async def opened_page(point: Point, number: int = 5) -> dict[str, str]:
    return await point.advanced(
        "auth-acquiring",
        id=str(number),
        sum="2500",
        amount_currency="417",
        redirect_success_url="http://127.0.0.1:1/good",
        redirect_fail_url="http://127.0.0.1:1/bad",
    )


async def test_a_hosted_page_takes_the_card_and_sends_the_payer_back(point: Point, merchant: Merchant) -> None:
    opened = await opened_page(point)
    assert (opened["state"], opened["final"]) == ("0", "0")
    assert "25.00 сом" in (await merchant.http.get(opened["pay-url"])).text
    paid = await merchant.http.post(opened["pay-url"], data=TYPED)
    assert (paid.status_code, paid.headers["location"]) == (303, "http://127.0.0.1:1/good")
    fetched = await point.advanced("fetch-operation", key=opened["auth-key"])
    assert (fetched["status"], fetched["sum"], fetched["state"]) == ("completed", "2500", "60")
    assert (await point.status(5))["state"] == "60"


async def test_a_hosted_page_sends_a_declined_payer_to_the_other_address(point: Point, merchant: Merchant) -> None:
    opened = await opened_page(point)
    declined = await merchant.http.post(opened["pay-url"], data={**TYPED, "pan": DECLINED["card_pan"]})
    assert declined.headers["location"] == "http://127.0.0.1:1/bad"
    assert (await point.advanced("fetch-operation", key=opened["auth-key"]))["status"] == "failed"
    assert (await merchant.http.post(opened["pay-url"], data=TYPED)).status_code == 404


async def test_a_hosted_page_leads_to_the_challenge(point: Point, merchant: Merchant) -> None:
    opened = await opened_page(point)
    challenged = await merchant.http.post(opened["pay-url"], data={**TYPED, "pan": CHALLENGED["card_pan"]})
    assert challenged.headers["location"].startswith("/acs?MD=")
    assert (await point.advanced("fetch-operation", key=opened["auth-key"]))["status"] == "processing"


async def test_a_hosted_page_asked_for_twice_is_one_operation(point: Point) -> None:
    assert (await opened_page(point))["auth-key"] == (await opened_page(point))["auth-key"]


async def test_a_stored_card_pays_by_its_token_until_it_lapses(
    point: Point, merchant: Merchant, set_clock: SetClock
) -> None:
    stored = await point.advanced("stored-cards", days="14")
    assert (await point.pay(1, {"card-token": stored["token"]}))["state"] == "80"  # nobody has typed a card
    page = await merchant.http.post(stored["url"], data={**TYPED, "pan": CHALLENGED["card_pan"]})
    assert stored["token"] in page.text
    assert (await point.pay(2, {"card-token": stored["token"]}))["state"] == "60"
    set_clock.time += timedelta(days=14, seconds=1)
    assert (await point.pay(3, {"card_token": stored["token"]}))["state"] == "80"


async def test_a_return_in_parts_ends_in_80(point: Point) -> None:
    await point.pay()
    part = flat(await point.cancel(1, sum="4000"))
    assert (part["state"], part["cancelled-sum"]) == ("60", "4000")
    assert (await point.cancel(1, sum="6001")).find("error-detail") is not None
    assert flat(await point.cancel(1))["state"] == "80"
    assert (await point.status())["cancelled-sum"] == "10000"
    assert (await point.cancel(1)).find("error-detail") is not None
    assert flat(await point.cancel(2))["state"] == "-2"


async def test_a_payment_that_waits_can_be_canceled_whole(point: Point) -> None:
    await point.pay(1, CHALLENGED)
    assert (await point.cancel(1, sum="1")).find("error-detail") is not None
    assert flat(await point.cancel(1))["state"] == "80"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<request",
        b'<request point="4354"/>',
        b'<request point="4355"><status id="1"/></request>',
        b'<request><status id="1"/></request>',
        b'<response point="4354"><status id="1"/></response>',
        b'<request point="4354"><status/></request>',
        b'<request point="4354"><status id="-1"/></request>',
        b'<request point="4354"><status id="9223372036854775808"/></request>',
        b'<request point="4354"><balance/></request>',
        b'<request point="4354"><status id="1"/><cancel id="1"/></request>',
        b'<request point="4354"><advanced service="1330" function="stored-cards"/></request>',
        b'<request point="4354"><advanced service="1331" function="rob"/></request>',
        b'<!DOCTYPE request [<!ENTITY a "1">]><request point="4354"><status id="&a;"/></request>',
    ],
)
async def test_what_cannot_be_read_is_a_root_error(point: Point, body: bytes) -> None:
    response = await point.post(body)
    assert (response.status_code, ET.fromstring(response.content).tag) == (200, "error")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "0"),
        ("sum", "0"),
        ("sum", "100.00"),
        ("check", "1"),
        ("service", "1330"),
        ("date", "2025-09-30T18:00:00+06:00"),
        ("account", "x" * 101),
    ],
)
async def test_a_payment_with_a_wrong_field_is_not_done(point: Point, name: str, value: str) -> None:
    element = payment(1, CARD)
    element.set(name, value)
    assert (await point.ask(element)).tag == "error"
    assert point.sandbox.obank.book.by_number == {}


async def test_an_attribute_that_is_missing_or_too_long_is_refused(point: Point) -> None:
    without_cvv = {name: value for name, value in CARD.items() if name != "card_cvv"}
    for attributes in (
        without_cvv,
        {**CARD, "notify_url": "http://x/" + "y" * 100},
        {**CARD, "amount_currency": "840"},
    ):
        assert (await point.ask(payment(1, attributes))).tag == "error"
    assert point.sandbox.obank.book.by_number == {}


async def test_text_is_escaped_both_ways(point: Point, merchant: Merchant) -> None:
    back = "http://127.0.0.1:1/?a=1&b=<\">'"
    begun = await point.pay(1, {**CHALLENGED, "redirect_url": back})
    assert begun["term-url"] == back
    assert back not in (await merchant.http.get(begun["acs-url"])).text


async def test_wrong_addresses_and_types_are_http_errors(point: Point) -> None:
    assert (await point.http.post(point.sandbox.obank_url + "/status")).status_code == 404
    assert (await point.http.get(point.sandbox.obank_url)).status_code == 405
    assert (await point.post(b"<request/>", "application/json")).status_code == 415
    assert (await point.post(b"<request/>", "text/xml")).status_code == 200


async def test_no_card_is_kept_anywhere(point: Point, merchant: Merchant) -> None:
    await point.pay(1, CHALLENGED)
    stored = await point.advanced("stored-cards")
    await merchant.http.post(stored["url"], data=TYPED)
    shown = str(point.sandbox.shown()) + str(point.sandbox.received.entries()) + repr(vars(point.sandbox.obank.book))
    for secret in (CHALLENGED["card_pan"], CARD["card_pan"], "'123'"):
        assert secret not in shown
    assert "416958******4321" in shown
