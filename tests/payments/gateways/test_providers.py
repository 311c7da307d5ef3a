"""Which gateways are on, and what is refused at start: certificates over real TLS, files, signatures."""

from __future__ import annotations

import hmac
import ssl
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    NoEncryption,
    load_pem_private_key,
    pkcs12,
)
from trio.testing import MockClock

from evpower.errors import ConfigError, ProviderTimeout, ProviderUnavailable
from evpower.payments.gateway import CardGateway, OrderState
from evpower.payments.gateways.pkcs12 import client_context
from evpower.payments.gateways.providers import open_gateways
from evpower.settings.config import Config
from evpower.settings.http import HttpSettings
from evpower.settings.payments import ObankSettings, PaymentsSettings
from tests.ocpp.authority import Authority, Pair
from tests.payments.gateways.parties import AT, CARD, NOTIFY_KEY, ODENGI, ORDER, PAYER
from tests.payments.gateways.peer import Peer, answer, serving
from tests.worlds.fakes import SetClock

PASSWORD = "p12-password-4"
FINE = f'<response><result id="{ORDER.number}" state="60" code="0" trans="7" sum="10000"/></response>'


def bundle(pair: Pair | None, file: Path, password: str = PASSWORD, *, key: bool = True) -> Path:
    """A PKCS#12 file of the pair, as a bank hands it out."""
    assert pair is not None
    certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    private = load_pem_private_key(pair.key.read_bytes(), None) if key else None
    lock = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    file.write_bytes(pkcs12.serialize_key_and_certificates(b"point", private, certificate, None, lock))  # type: ignore[arg-type]
    return file


class Bank:
    """A peer whose TLS wants a certificate of `authority`."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        own = authority.issue("localhost", "localhost", file="bank")
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(own.certificate, own.key)
        self.tls.load_verify_locations(authority.file)
        self.tls.verify_mode = ssl.CERT_REQUIRED


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def bank(authority: Authority) -> Bank:
    return Bank(authority)


@pytest.fixture
def settings(authority: Authority, tmp_path: Path) -> ObankSettings:
    """A point whose certificate the bank accepts; the url is the peer's, once it has one."""
    return ObankSettings(
        url="https://localhost/",
        point="4354",
        service="1331",
        certificate=str(bundle(authority.issue("point-4354"), tmp_path / "point.p12")),
        certificate_password=PASSWORD,
        ca_certificate=str(authority.file),
        h2h=True,
        notify_key=NOTIFY_KEY,
    )


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of its own for temporary files."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory


async def pay_at(peer: Peer, settings: ObankSettings) -> OrderState:
    config = Config(obank=replace(settings, url=peer.url))
    async with open_gateways(config, SetClock(AT)) as gateways:
        assert gateways.card is not None
        return (await gateways.card.pay(ORDER, CARD, PAYER)).status.state


async def test_nothing_set_is_nothing_on() -> None:
    async with open_gateways(Config(), SetClock(AT)) as gateways:
        assert (gateways.qr, gateways.card) == (None, None)
        assert "ODENGI" not in gateways.by_name


async def test_each_provider_is_found_by_its_stored_name(settings: ObankSettings) -> None:
    async with open_gateways(Config(odengi=ODENGI, obank=settings), SetClock(AT)) as gateways:
        assert gateways.by_name["ODENGI"] is gateways.qr
        assert gateways.by_name["OBANK"] is gateways.card
        assert "PAYPAL" not in gateways.by_name


async def test_the_bank_is_spoken_to_over_mutual_tls(bank: Bank, settings: ObankSettings) -> None:
    async with serving(Peer(answer(FINE)), bank.tls) as peer:
        assert await pay_at(peer, settings) is OrderState.APPROVED
    assert peer.received[0].body.startswith(b"<?xml")


async def test_addresses_come_from_the_public_url_of_payments_or_of_phones(bank: Bank, settings: ObankSettings) -> None:
    async with serving(Peer(answer(FINE), answer(FINE)), bank.tls) as peer:
        config = Config(obank=replace(settings, url=peer.url), http=HttpSettings(public_url="https://phones.example/"))
        for both in (config, replace(config, payments=PaymentsSettings(public_url="https://pay.example"))):
            async with open_gateways(both, SetClock(AT)) as gateways:
                assert gateways.card is not None
                await gateways.card.pay(ORDER, CARD, PAYER)
    assert b'"https://phones.example/api/v1/payment/webhook/obank/' in peer.received[0].body
    assert b'"https://pay.example/api/v1/payment/webhook/obank/' in peer.received[1].body


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("shown", ["a stranger's", "an expired one"])
async def test_a_certificate_the_bank_refuses_pays_nothing(
    bank: Bank, settings: ObankSettings, tmp_path: Path, version: ssl.TLSVersion, shown: str
) -> None:
    """TLS 1.2 says so before the request is sent; in 1.3 it may already have left, so the outcome is unknown."""
    (tmp_path / "other").mkdir()
    pair = (
        Authority(tmp_path / "other").issue("point-4354")
        if shown == "a stranger's"
        else bank.authority.issue("point-4354", not_after=datetime(2021, 1, 1, tzinfo=UTC))
    )
    refused = replace(settings, certificate=str(bundle(pair, tmp_path / "refused.p12")))
    bank.tls.maximum_version = version
    async with serving(Peer(), bank.tls) as peer:
        failure = ProviderUnavailable if version is ssl.TLSVersion.TLSv1_2 else ProviderTimeout
        with pytest.raises(failure):
            await pay_at(peer, refused)
    assert peer.received == []


async def test_a_bank_whose_certificate_is_not_trusted_is_sent_nothing(
    bank: Bank, settings: ObankSettings, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    distrusted = replace(settings, ca_certificate=str(Authority(tmp_path / "other").file))
    async with serving(Peer(), bank.tls) as peer:
        with pytest.raises(ProviderUnavailable):
            await pay_at(peer, distrusted)
    assert peer.received == []


async def test_why_tls_failed_is_logged_and_kept_for_operators(
    bank: Bank, settings: ObankSettings, caplog: pytest.LogCaptureFixture
) -> None:
    why = "TLS: certificate verify failed: certificate has expired"
    old = bank.authority.issue("localhost", "localhost", not_after=datetime(2021, 1, 1, tzinfo=UTC))
    bank.tls.load_cert_chain(old.certificate, old.key)
    async with serving(Peer(), bank.tls) as peer:
        with pytest.raises(ProviderUnavailable) as caught:
            await pay_at(peer, settings)
    assert (caught.value.last_word, caught.value.details) == (f"provider_unavailable ({why})", {})
    assert f"OBANK: no usable answer (provider_unavailable): ConnectError, {why}" in caplog.messages


async def test_a_bank_under_another_name_is_sent_nothing(bank: Bank, settings: ObankSettings) -> None:
    async with serving(Peer(), bank.tls) as peer:
        config = Config(obank=replace(settings, url=f"https://127.0.0.1:{peer.port}/"))
        async with open_gateways(config, SetClock(AT)) as gateways:
            assert gateways.card is not None
            with pytest.raises(ProviderUnavailable):
                await gateways.card.pay(ORDER, CARD, PAYER)
    assert peer.received == []


async def test_a_bank_that_speaks_no_tls_is_sent_nothing(settings: ObankSettings, autojump_clock: MockClock) -> None:
    autojump_clock.autojump_threshold = 0.05  # nothing moves any more: the time-out of connecting is due
    async with serving(Peer()) as peer:
        peer.scheme = "https"
        with pytest.raises(ProviderUnavailable):
            await pay_at(peer, settings)
    assert peer.received == []


async def test_a_file_without_a_password_needs_none(bank: Bank, settings: ObankSettings, tmp_path: Path) -> None:
    file = bundle(bank.authority.issue("point-4354"), tmp_path / "open.p12", password="")
    unlocked = replace(settings, certificate=str(file), certificate_password="")
    async with serving(Peer(answer(FINE)), bank.tls) as peer:
        assert await pay_at(peer, unlocked) is OrderState.APPROVED


def refused(settings: ObankSettings) -> str:
    """What is said of a certificate at start."""
    with pytest.raises(ConfigError) as caught:
        client_context(Path(settings.certificate), settings.certificate_password, Path(settings.ca_certificate), AT)
    return str(caught.value)


def test_a_wrong_password_is_named_and_not_shown(settings: ObankSettings) -> None:
    said = refused(replace(settings, certificate_password="canary-password"))
    assert said == "obank.certificate, obank.certificate_password: the file is no PKCS#12, or the password is wrong"


def test_a_file_that_is_no_pkcs12_is_named(settings: ObankSettings, authority: Authority) -> None:
    assert "obank.certificate" in refused(replace(settings, certificate=str(authority.file)))


def test_a_missing_file_is_named(settings: ObankSettings) -> None:
    said = refused(replace(settings, certificate="/nowhere/point.p12"))
    assert said == "obank.certificate: cannot be read: No such file or directory"


def test_a_file_without_a_key_is_named(settings: ObankSettings, authority: Authority, tmp_path: Path) -> None:
    keyless = bundle(authority.issue("point-4354"), tmp_path / "keyless.p12", key=False)
    assert refused(replace(settings, certificate=str(keyless))) == (
        "obank.certificate: the file must hold a certificate and its key"
    )


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_authority_that_cannot_be_read_is_named(
    settings: ObankSettings, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "authority.pem"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    assert refused(replace(settings, ca_certificate=str(file))).startswith("obank.ca_certificate: cannot be used: ")


def test_the_key_leaves_no_file_behind(settings: ObankSettings, temporary: Path) -> None:
    client_context(Path(settings.certificate), PASSWORD, None, AT)
    assert list(temporary.iterdir()) == []


def test_while_it_is_read_the_keys_file_is_ours_alone_and_locked(
    settings: ObankSettings, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, bool]] = []
    load = ssl.SSLContext.load_cert_chain

    def spy(context: ssl.SSLContext, certfile: str, keyfile: None = None, password: str | None = None) -> None:
        [file] = temporary.iterdir()
        seen.append((file.stat().st_mode & 0o777, b"BEGIN ENCRYPTED PRIVATE KEY" in file.read_bytes()))
        load(context, certfile, keyfile, password)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", spy)
    client_context(Path(settings.certificate), PASSWORD, None, AT)
    assert seen == [(0o600, True)]


def test_the_context_verifies_the_bank_and_begins_at_tls_1_2(settings: ObankSettings) -> None:
    context = client_context(Path(settings.certificate), PASSWORD, None, AT)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(("days", "spoken_of"), [(-1, True), (29, True), (31, False)])
def test_a_certificate_near_its_end_is_a_warning_at_start(
    settings: ObankSettings,
    authority: Authority,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    days: int,
    spoken_of: bool,
) -> None:
    pair = authority.issue("point-4354", not_after=AT + timedelta(days=days))
    client_context(bundle(pair, tmp_path / "ending.p12"), PASSWORD, None, AT)
    assert any("obank.certificate: ends at" in message for message in caplog.messages) is spoken_of


async def test_a_system_without_md5_is_told_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bytes:
        raise ValueError("unsupported")

    monkeypatch.setattr(hmac, "digest", refuse)
    with pytest.raises(ConfigError, match="odengi: its signatures need MD5"):
        async with open_gateways(Config(odengi=ODENGI), SetClock(AT)):
            pass


async def test_clients_are_closed_with_the_gateways(bank: Bank, settings: ObankSettings) -> None:
    async with serving(Peer(), bank.tls) as peer:
        kept: CardGateway | None = None
        async with open_gateways(Config(obank=replace(settings, url=peer.url)), SetClock(AT)) as gateways:
            kept = gateways.card
        assert kept is not None
        with pytest.raises(RuntimeError, match="closed"):
            await kept.status(ORDER)


async def test_a_transport_stands_for_the_net(settings: ObankSettings) -> None:
    """Both providers are asked through it, and nothing listens at their addresses."""
    asked: list[str] = []

    def hand_over(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.host)
        return httpx2.Response(503)

    odengi, obank = replace(ODENGI, url="http://dengi.test/"), replace(settings, url="https://bank.test/")
    config = Config(odengi=odengi, obank=obank)
    async with open_gateways(config, SetClock(AT), httpx2.MockTransport(hand_over)) as gateways:
        assert gateways.qr is not None
        assert gateways.card is not None
        for gateway in (gateways.qr, gateways.card):
            with pytest.raises(ProviderTimeout):
                await gateway.status(ORDER)
    assert asked == ["dengi.test", "bank.test"]
