"""An SMS through a gateway: the exact bytes that leave, and what each answer is taken for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import trio

from evpower.identifiers import PhoneNumber
from evpower.settings.sign_in import SmsSettings
from evpower.sign_in.errors import SmsNotSent, SmsUnanswered
from evpower.sign_in.sms_gateway import ANSWER_BYTES_MAX, GatewaySms, open_gateway
from tests.payments.gateways.peer import Peer, Step, answer, gone, half_head, reset, truncated
from tests.worlds.sign_in import PHONE

TEXT = 'Код "1" & <2>: {secret} 100%'
SETTINGS = SmsSettings(transport="http")
XML = "<message><login>evp</login><pwd>{secret}</pwd><id>{id}</id><text>{text}</text><phone>{digits}</phone></message>"


@asynccontextmanager
async def gateway_at(*steps: Step, **settings: str) -> AsyncIterator[tuple[GatewaySms, Peer]]:
    """A gateway before a peer that takes these steps; `url` is behind the peer's address."""
    peer = Peer(*steps)
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, peer.serve, 0, host="127.0.0.1"))
        at = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        url = at + settings.pop("url", "/send")
        async with open_gateway(replace(SETTINGS, url=url, **settings), lambda size: b"\xab" * size) as gateway:
            yield gateway, peer
        nursery.cancel_scope.cancel()


async def sent(**settings: str) -> Any:
    async with gateway_at(answer("ok"), **settings) as (gateway, peer):
        await gateway.send(PHONE, TEXT)
    return peer.received[0]


async def test_json_is_escaped_as_json() -> None:
    body = '{"to": "{phone}", "text": "{text}", "key": "{secret}"}'
    request = await sent(authorization="Bearer token", body=body, secret="s\\")
    assert json.loads(request.body) == {"to": PHONE, "text": TEXT, "key": "s\\"}
    head = request.head.lower()
    assert head.startswith("post /send http/1.1\r\n")
    assert "content-type: application/json; charset=utf-8" in head
    assert "authorization: bearer token" in head
    assert "cookie" not in head


async def test_xml_is_escaped_as_xml_and_the_id_is_twelve_characters() -> None:
    request = await sent(content_type="application/xml", body=XML, secret="p&q")
    text = "Код &quot;1&quot; &amp; &lt;2&gt;: {secret} 100%"
    assert request.body.decode() == (
        f"<message><login>evp</login><pwd>p&amp;q</pwd><id>abababababab</id><text>{text}</text>"
        "<phone>996700123456</phone></message>"
    )


async def test_a_form_is_percent_encoded() -> None:
    request = await sent(content_type="application/x-www-form-urlencoded", body="to={phone}&text={text}")
    assert request.body.startswith(b"to=%2B996700123456&text=%D0%9A%D0%BE%D0%B4%20%221%22%20%26")


async def test_an_address_is_percent_encoded() -> None:
    request = await sent(url="/send?to={digits}&text={text}&key={secret}", secret="a&b", body="to {phone}: {text}")
    assert request.head.split(" ")[1].startswith("/send?to=996700123456&text=%D0%9A%D0%BE%D0%B4%20%221%22%20%26%20")
    assert "&key=a%26b" in request.head


OUTCOMES: list[tuple[str, Step, type[SmsNotSent] | None]] = [
    ("200", answer("ok"), None),
    ("202", answer("", status="202 Accepted"), None),
    ("a refusal", answer("no", status="401 Unauthorized"), SmsNotSent),
    ("a redirect", answer("", status="302 Found", headers="Location: https://elsewhere.example/\r\n"), SmsNotSent),
    ("a fault of theirs", answer("", status="502 Bad Gateway"), SmsUnanswered),
    ("half an answer", truncated("ok"), SmsUnanswered),
    ("half a head", half_head, SmsUnanswered),
    ("no answer", gone, SmsUnanswered),
    ("a reset", reset, SmsUnanswered),
    ("an endless answer", answer("a" * (ANSWER_BYTES_MAX * 3)), None),
]


@pytest.mark.parametrize(("step", "failure"), [case[1:] for case in OUTCOMES], ids=[case[0] for case in OUTCOMES])
async def test_what_an_answer_is_taken_for(step: Step, failure: type[SmsNotSent] | None) -> None:
    async with gateway_at(step) as (gateway, _):
        if failure is None:
            await gateway.send(PHONE, TEXT)
            return
        with pytest.raises(SmsNotSent) as failed:
            await gateway.send(PHONE, TEXT)
        assert type(failed.value) is failure


async def test_a_gateway_that_answers_200_to_everything_must_say_that_it_took_it() -> None:
    async with gateway_at(answer("<status>0</status>"), answer("<status>9</status>"), accepted="<status>0<") as (
        gateway,
        _,
    ):
        await gateway.send(PHONE, TEXT)
        with pytest.raises(SmsNotSent):
            await gateway.send(PHONE, TEXT)


async def test_a_gateway_that_is_not_there_has_sent_nothing() -> None:
    socket = trio.socket.socket()
    await socket.bind(("127.0.0.1", 0))  # and does not listen
    url = f"http://127.0.0.1:{socket.getsockname()[1]}/"
    with socket:
        async with open_gateway(replace(SETTINGS, url=url), lambda size: b"1" * size) as gateway:
            with pytest.raises(SmsNotSent) as failed:
                await gateway.send(PHONE, TEXT)
    assert type(failed.value) is SmsNotSent


async def test_the_log_has_neither_text_nor_phone_nor_secrets(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    settings = {"secret": "canary-secret", "authorization": "Bearer canary", "url": "/send?key={secret}"}
    async with gateway_at(gone, answer("", status="403 Forbidden"), **settings) as (gateway, _):
        for _again in range(2):
            with pytest.raises(SmsNotSent):
                await gateway.send(PhoneNumber("+996700999888"), "EvPower: 424242")
    ours = "\n".join(line.getMessage() for line in caplog.records if line.name == "security")
    assert "SMS gateway" in ours
    for secret in ("424242", "700999888", "canary"):
        assert secret not in ours


def test_secrets_are_not_in_the_settings_repr() -> None:
    settings = SmsSettings(secret="canary", authorization="canary", url="https://a/canary", body="canary")
    assert "canary" not in repr(settings)
