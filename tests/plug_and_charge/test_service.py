"""Certificates of cars and contracts: others are asked when they are set, and nobody else is (ocpp201 §2)."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
import trio
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from trio.testing import MockClock

from evpower.plug_and_charge.ocsp import CertificateQuestion, is_about
from evpower.plug_and_charge.service import PlugAndCharge

RESPONDER = "http://ocsp.example"
PROVIDER = "https://contracts.example/ev"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())


def _certificate(name: str) -> x509.Certificate:
    names = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(names).issuer_name(ROOT_NAME).public_key(KEY.public_key())
    builder = builder.not_valid_before(NOON).not_valid_after(NOON + timedelta(days=9))
    return builder.serial_number(0x1F2E if name == "car" else 1).sign(KEY, SHA256())


ROOT_NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "root")])
ROOT, CAR = _certificate("root"), _certificate("car")
ASKED = ocsp.OCSPRequestBuilder().add_certificate(CAR, ROOT, SHA256()).build()
QUESTION = CertificateQuestion(
    "SHA256", ASKED.issuer_name_hash.hex(), ASKED.issuer_key_hash.hex(), "1F2E", f"{RESPONDER}/status"
)


def responders_answer() -> bytes:
    builder = ocsp.OCSPResponseBuilder().add_response(
        CAR, ROOT, SHA256(), ocsp.OCSPCertStatus.GOOD, NOON, NOON + timedelta(days=1), None, None
    )
    return builder.responder_id(ocsp.OCSPResponderEncoding.NAME, ROOT).sign(KEY, SHA256()).public_bytes(Encoding.DER)


class Net:
    """Everything outside; what was asked of it."""

    def __init__(self, answer: Callable[[httpx2.Request], httpx2.Response]) -> None:
        self.asked: list[httpx2.Request] = []
        self._answer = answer

    def service(self, responders: tuple[str, ...] = (RESPONDER,), provider: str = PROVIDER) -> PlugAndCharge:
        return PlugAndCharge(responders, provider, httpx2.MockTransport(self._take))

    def _take(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        answer = self._answer(request)
        return httpx2.Response(answer.status_code, headers=answer.headers, stream=httpx2.ByteStream(answer.content))


def good(_: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, content=responders_answer())


async def test_the_responders_answer_is_handed_on() -> None:
    net = Net(good)
    result = await net.service().certificate_status(QUESTION)
    assert result is not None
    assert is_about(b64decode(result), QUESTION)
    (request,) = net.asked
    assert (str(request.url), request.headers["Content-Type"]) == (QUESTION.responder_url, "application/ocsp-request")
    assert ocsp.load_der_ocsp_request(request.content).serial_number == 0x1F2E


@pytest.mark.parametrize(
    "question",
    [
        replace(QUESTION, responder_url="http://169.254.169.254/latest"),
        replace(QUESTION, responder_url="http://ocsp.example.attacker.example/"),
        replace(QUESTION, responder_url="http://ocsp.example@10.0.0.1/"),
        replace(QUESTION, responder_url="http://["),
        replace(QUESTION, issuer_key_hash="nothing"),
        replace(QUESTION, issuer_key_hash="aa"),
        replace(QUESTION, serial_number="-"),
    ],
)
async def test_a_station_sends_us_nowhere_else_and_nothing_that_is_no_question(question: CertificateQuestion) -> None:
    net = Net(good)
    assert await net.service().certificate_status(question) is None
    assert net.asked == []


async def test_without_a_responder_or_a_provider_nobody_is_asked() -> None:
    net = Net(good)
    service = net.service((), "")
    assert await service.certificate_status(QUESTION) is None
    assert await service.contract("urn:iso", "Install", "QQ==") is None
    assert net.asked == []


@pytest.mark.parametrize("answer", [b"", b"nonsense", responders_answer()[:-1], b"x" * 100_000])
async def test_what_is_no_answer_on_the_certificate_is_not_handed_on(answer: bytes) -> None:
    net = Net(lambda _: httpx2.Response(200, content=answer))
    assert await net.service().certificate_status(QUESTION) is None


async def test_an_answer_on_another_certificate_is_not_handed_on() -> None:
    assert await Net(good).service().certificate_status(replace(QUESTION, serial_number="1F2F")) is None


async def test_the_providers_answer_reaches_the_car() -> None:
    net = Net(lambda _: httpx2.Response(200, json={"exiResponse": "RVhJ"}))
    assert await net.service().contract("urn:iso:15118:2", "Install", "QQ==") == "RVhJ"
    (request,) = net.asked
    expected = {"iso15118SchemaVersion": "urn:iso:15118:2", "action": "Install", "exiRequest": "QQ=="}
    assert (str(request.url), json.loads(request.content)) == (PROVIDER, expected)


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(500, json={"exiResponse": "RVhJ"}),
        httpx2.Response(302, headers={"Location": "http://10.0.0.1"}),
        httpx2.Response(200, json={"exiResponse": 7}),
        httpx2.Response(200, json={"exiResponse": "x" * 5601}),
        httpx2.Response(200, content=b"no json"),
    ],
)
async def test_a_provider_that_gives_nothing_is_a_failure(answer: httpx2.Response) -> None:
    net = Net(lambda _: answer)
    assert await net.service().contract("urn:iso", "Update", "QQ==") is None
    assert len(net.asked) == 1


class Silent(httpx2.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await trio.sleep_forever()
        raise AssertionError


async def test_silence_ends_in_ten_seconds(autojump_clock: MockClock) -> None:
    began = trio.current_time()
    assert await PlugAndCharge((), PROVIDER, Silent()).contract("urn:iso", "Install", "QQ==") is None
    assert trio.current_time() - began == pytest.approx(10)
