"""The compliance cases of certificates and security profiles (OCPP 1.6 security white paper; TC_074 to TC_087)."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from evpower.command_line.new_station_ca import make_station_ca
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.errors import InvalidRequest
from evpower.link.errors import CommandRejected
from evpower.ocpp.door.passwords import SaltedPasswords
from evpower.security.errors import NoStationCa
from evpower.security.rows import certificates, credentials, trust
from evpower.security.station_access import StationAccess
from evpower.settings.addresses import Bind
from evpower.settings.config import Config
from tests.compliance.site import OK, Site, open_site
from tests.worlds.certificate_requests import ec_key, signing_request, with_broken_signature
from tests.worlds.charging import STATION
from tests.worlds.fakes import NOON

SERIAL_NUMBER = "EVPCS-001"
REJECTED = {"status": "Rejected"}


def settings(tmp_path: Path) -> Config:
    """A state directory of its own, and a TLS door in word, which nothing here opens."""
    config = Config()
    tls = replace(config.ocpp, tls_bind=(Bind("127.0.0.1", 0),))
    return replace(config, server=replace(config.server, state_dir=str(tmp_path)), ocpp=tls)


def make_ca(tmp_path: Path) -> str:
    """The station CA; its certificate."""
    made = make_station_ca(settings(tmp_path), "Test station CA", 20, now=NOON, random_bytes=bytes)
    return Path(made.certificate).read_text()


@pytest.fixture
async def bare_site(pool: Pool, tmp_path: Path) -> AsyncIterator[Site]:
    """No station CA yet."""
    async with open_site(pool, settings(tmp_path)) as site:
        yield site


@pytest.fixture
def ca(tmp_path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(make_ca(tmp_path).encode())


@pytest.fixture
async def site(ca: x509.Certificate, bare_site: Site) -> Site:
    return bare_site


async def asked(site: Site, csr: str) -> object:
    """The station's SignCertificate, after an operator's renewal: its socket here has no TLS."""
    async with unit_of_work(site.world.pool) as uow:
        await trust.ask_renewal(uow.conn, STATION, site.world.clock.now())
    return await site.say("SignCertificate", csr=csr)


async def rows(site: Site) -> list[tuple[str, str | None]]:
    found = await site.world.sql("SELECT state, reason FROM evpower.station_certificates ORDER BY id")
    return [(row["state"], row["reason"]) for row in found]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Each look is a query, and gives the others their turn."""
    with trio.fail_after(10):
        while True:
            if await condition():
                return


async def rows_become(site: Site, *expected: tuple[str, str | None]) -> None:
    """The answer of the charger has been read, and what it means is stored."""

    async def have_become() -> bool:
        return await rows(site) == list(expected)

    await until(have_become)


async def receive_certificate(site: Site, reply: Any = OK) -> x509.Certificate:
    """The charger gets its certificate and answers."""
    with trio.fail_after(10):
        await site.reply(reply)
    action, payload = site.heard[-1]
    assert action == "CertificateSigned"
    return x509.load_pem_x509_certificate(payload["certificateChain"].encode())


async def certify(site: Site, name: str = STATION) -> x509.Certificate:
    """The whole way to a delivered certificate."""
    assert await asked(site, csr=signing_request(name)) == OK
    certificate = await receive_certificate(site)
    await until(partial(holds_certificate, site))
    return certificate


async def holds_certificate(site: Site) -> bool:
    async with unit_of_work(site.world.pool) as uow:
        return await certificates.holds_valid(uow.conn, STATION, site.world.clock.now())


async def refusals(site: Site) -> list[tuple[str, str | None, bool]]:
    access = StationAccess(site.world.pool, site.world.clock, site.world.link, SaltedPasswords())
    return [(row.type, row.detail, row.alarming) for row in await access.security_events(STATION)]


async def test_a_certificate_needs_a_proven_socket_or_an_operator(site: Site) -> None:
    """Safe by default 2: a peer on a plain socket that knew a station's name got a year's client certificate."""
    assert await site.say("SignCertificate", csr=signing_request(STATION)) == REJECTED
    reason = "its socket is not authenticated over TLS, and no operator asked for it"
    assert await refusals(site) == [("Rejected", reason, True)]
    assert await site.operate("renew-certificate", {}, OK) == OK
    assert await site.say("SignCertificate", csr=signing_request(STATION)) == OK
    await receive_certificate(site)
    # That was for once, and an hour.
    assert await site.say("SignCertificate", csr=signing_request(STATION)) == REJECTED
    assert await site.operate("renew-certificate", {}, OK) == OK
    site.world.clock.advance(3601)
    assert await site.say("SignCertificate", csr=signing_request(STATION)) == REJECTED


async def test_tc_074_a_charger_renews_its_certificate_when_it_is_asked_to(site: Site, ca: x509.Certificate) -> None:
    assert await site.operate("renew-certificate", {}, OK) == OK
    assert site.heard == [("ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"})]
    key = ec_key()
    assert await asked(site, csr=signing_request(STATION, key=key)) == OK
    certificate = await receive_certificate(site)
    certificate.verify_directly_issued_by(ca)
    assert certificate.public_key() == key.public_key()
    await rows_become(site, ("delivered", None))


async def test_tc_074_the_common_name_may_be_the_serial_number_too(site: Site) -> None:
    certificate = await certify(site, SERIAL_NUMBER)
    assert certificate.subject.rfc4514_string() == f"CN={SERIAL_NUMBER}"


async def test_tc_074_the_answer_comes_before_the_certificate(site: Site) -> None:
    async with unit_of_work(site.world.pool) as uow:
        await trust.ask_renewal(uow.conn, STATION, site.world.clock.now())
    await site.peer.send(2, "m", "SignCertificate", {"csr": signing_request(STATION)})
    with trio.fail_after(10):
        assert await site.peer.receive() == [3, "m", OK]
        assert (await site.peer.next_call())[2] == "CertificateSigned"


@pytest.mark.parametrize("status", ["Rejected", "NotImplemented"])
async def test_tc_074_a_charger_that_will_not_renew_is_told(site: Site, status: str) -> None:
    with pytest.raises(CommandRejected):
        await site.operate("renew-certificate", {}, {"status": status})


async def test_without_a_station_ca_nothing_is_renewed(bare_site: Site) -> None:
    with pytest.raises(NoStationCa, match="evpower ca init"):
        await bare_site.operate("renew-certificate", {})
    assert bare_site.heard == []


async def test_tc_077_a_charger_that_rejects_its_certificate_is_stored_and_its_event_alarms(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    await asked(site, csr=signing_request(STATION))
    await receive_certificate(site, REJECTED)
    await rows_become(site, ("refused", "the charger: Rejected"))
    await site.say("SecurityEventNotification", type="InvalidChargePointCertificate", timestamp=site.now())
    assert await refusals(site) == [("InvalidChargePointCertificate", None, True)]
    assert "certificate refused: station=EVP-001-01, the charger: Rejected" in caplog.text


async def test_a_charger_that_knows_no_certificates_is_not_asked_again(site: Site) -> None:
    await asked(site, csr=signing_request(STATION))
    await receive_certificate(site, ("NotSupported", ""))
    await rows_become(site, ("refused", "the charger: NotSupported"))


async def test_tc_078_a_root_the_charger_finds_invalid_is_told_and_its_event_alarms(site: Site, tmp_path: Path) -> None:
    with pytest.raises(CommandRejected):
        await site.operate("install-certificate", {"certificate": root(tmp_path)}, {"status": "Rejected"})
    await site.say("SecurityEventNotification", type="InvalidCentralSystemCertificate", timestamp=site.now())
    assert await refusals(site) == [("InvalidCentralSystemCertificate", None, True)]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: signing_request("EVP-002-01"), "its common name 'EVP-002-01' is not this station's"),
        (
            lambda: signing_request(STATION, key=rsa.generate_private_key(65537, 1024)),
            "its RSA key has 1024 bits, not 2048 to 8192",
        ),
        (lambda: with_broken_signature(STATION), "its signature is not made with its key"),
    ],
    ids=["another's name", "a weak key", "a bad signature"],
)
async def test_a_request_that_is_not_worth_signing_is_rejected_and_alarms(
    site: Site, make: Any, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert await asked(site, csr=make()) == REJECTED
    assert await rows(site) == []
    assert await refusals(site) == [("Rejected", reason, True)]
    assert f"SignCertificate rejected: station=EVP-001-01, {reason}" in caplog.text


async def test_garbage_is_rejected(site: Site) -> None:
    assert await asked(site, csr="garbage") == REJECTED
    assert (await refusals(site))[0][1] is not None


async def test_a_request_longer_than_ocpp_allows_is_no_request(site: Site) -> None:
    answer = await site.peer.call("SignCertificate", {"csr": "x" * 5501})
    assert answer[:3] == [4, "m", "PropertyConstraintViolation"]
    assert await rows(site) == []


async def test_without_a_station_ca_requests_are_rejected_and_the_log_says_how_to_make_one(
    bare_site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    csr = signing_request(STATION)
    assert await asked(bare_site, csr=csr) == REJECTED
    assert "there is no station CA; make one with: evpower ca init" in caplog.text
    make_ca(tmp_path)
    assert await asked(bare_site, csr=csr) == OK  # at once, without a restart
    await receive_certificate(bare_site)


async def test_a_ca_that_broke_rejects_and_says_why(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "ca" / "station-ca.key").unlink()
    assert await asked(site, csr=signing_request(STATION)) == REJECTED
    assert "the station CA cannot be used: ocpp.station_ca_key" in caplog.text


async def test_a_repeated_request_is_accepted_and_signed_once(site: Site) -> None:
    csr = signing_request(STATION)
    assert await asked(site, csr=csr) == OK
    assert await asked(site, csr=csr) == OK
    await receive_certificate(site)
    await rows_become(site, ("delivered", None))
    assert len(await rows(site)) == 1


async def test_a_newer_request_takes_the_place_of_one_under_way(site: Site) -> None:
    first, second = signing_request(STATION), signing_request(STATION, key=(key := ec_key()))
    await asked(site, csr=first)
    await asked(site, csr=second)
    # The charger may hear of the first, whose certificate was on its way; it has thrown that key away.
    while (await receive_certificate(site)).public_key() != key.public_key():
        site.heard.clear()
    await rows_become(site, ("refused", "a newer request took its place"), ("delivered", None))


async def test_a_certificate_that_was_not_answered_is_brought_again_after_a_reconnect(site: Site) -> None:
    await asked(site, csr=signing_request(STATION))
    with trio.fail_after(10):
        _, _, action, payload = await site.peer.next_call()
    assert action == "CertificateSigned"
    await site.reconnect()
    await receive_certificate(site)
    assert site.heard[-1][1] == payload
    await rows_become(site, ("delivered", None))


@pytest.mark.parametrize("left", ["requested", "signed"])
async def test_after_a_crash_the_next_process_goes_on_from_the_row(
    pool: Pool, tmp_path: Path, ca: x509.Certificate, left: str
) -> None:
    """Killed between the answer and the signature, or between the signature and the charger's answer."""
    async with open_site(pool, settings(tmp_path)) as site:
        await asked(site, csr=signing_request(STATION))
        with trio.fail_after(10):
            assert (await site.peer.next_call())[2] == "CertificateSigned"
    if left == "requested":
        async with unit_of_work(pool) as uow:
            await uow.conn.execute(
                "UPDATE evpower.station_certificates SET state = 'requested', chain = NULL, serial_number = NULL,"
                " fingerprint = NULL, not_before = NULL, not_after = NULL, signed_at = NULL"
            )
    async with open_site(pool, settings(tmp_path), again=True) as site:
        (await receive_certificate(site)).verify_directly_issued_by(ca)
        await rows_become(site, ("delivered", None))


async def test_a_request_during_the_boot_brings_one_certificate_once_the_charger_is_ready(site: Site) -> None:
    await site.hang_up()
    await site.say("BootNotification", chargePointVendor="EvPower", chargePointModel="Test")
    assert await asked(site, csr=signing_request(STATION)) == OK
    for connector_id in (0, 1, 2):
        await site.status("Available", connector_id)
    with trio.fail_after(10):
        for _ in range(3):
            await site.reply(OK)
    await rows_become(site, ("delivered", None))
    await site.operate("clear-cache", {}, OK)
    actions = ["ChangeConfiguration", "ChangeConfiguration", "CertificateSigned", "ClearCache"]
    assert [action for action, _ in site.heard] == actions


async def test_only_the_newest_requests_of_a_station_are_kept_and_the_certificate_it_has(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "KEPT_PER_STATION", 3)
    await certify(site)
    for _ in range(5):
        await asked(site, csr=signing_request(STATION))
        await receive_certificate(site, REJECTED)
        await until(partial(last_is_refused, site))
    assert [state for state, _ in await rows(site)] == ["delivered", "refused", "refused", "refused"]
    assert await holds_certificate(site)


async def last_is_refused(site: Site) -> bool:
    return (await rows(site))[-1][0] == "refused"


async def held(site: Site, within_days: int | None = None) -> list[tuple[str, str]]:
    return [(row["common_name"], row["state"]) for row in await site.world.app.certificates.held(within_days)]


async def test_expiring_certificates_are_listed_and_a_new_one_replaces_them(site: Site) -> None:
    await certify(site)
    assert await held(site) == [(STATION, "delivered")]
    assert await held(site, 364) == []
    assert await held(site, 365) == [(STATION, "delivered")]
    site.world.clock.advance(400 * 86_400)
    assert await held(site, 0) == [(STATION, "delivered")]  # one that has ended most of all
    site.heard.clear()
    await certify(site, SERIAL_NUMBER)
    assert await held(site, 30) == []
    assert await held(site) == [(SERIAL_NUMBER, "delivered")]


def root(tmp_path: Path) -> str:
    """A root certificate to trust: this CA's own."""
    return (tmp_path / "ca" / "station-ca.pem").read_text()


async def test_tc_075_1_a_manufacturers_root_is_installed(site: Site, tmp_path: Path) -> None:
    await install(site, root(tmp_path), "ManufacturerRootCertificate")


async def test_tc_075_2_a_central_systems_root_is_installed(site: Site, tmp_path: Path) -> None:
    await install(site, root(tmp_path), "CentralSystemRootCertificate")


async def install(site: Site, pem: str, use: str) -> None:
    assert await site.operate("install-certificate", {"certificate": pem, "certificate_type": use}, OK) == OK
    assert site.heard == [("InstallCertificate", {"certificateType": use, "certificate": pem})]


@pytest.mark.parametrize("status", ["Failed", "Rejected"])
async def test_tc_075_a_root_the_charger_does_not_take_is_told(site: Site, tmp_path: Path, status: str) -> None:
    with pytest.raises(CommandRejected):
        await site.operate("install-certificate", {"certificate": root(tmp_path)}, {"status": status})


async def test_what_is_no_certificate_is_never_installed(site: Site, tmp_path: Path) -> None:
    for text in ("garbage", root(tmp_path) * 2):
        with pytest.raises(InvalidRequest) as caught:
            await site.operate("install-certificate", {"certificate": text})
        assert caught.value.fields[0][0] == "certificate"
    assert site.heard == []


OTHER = {"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "bb", "serialNumber": "1"}


def hash_data(certificate: x509.Certificate, *, upper: bool = False) -> dict[str, str]:
    """As a charger names the CA, whose EC key's bits are a point (RFC 5480 §2.2)."""
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    point = key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    digits = [sha384(certificate.issuer.public_bytes()), sha384(point), f"0{certificate.serial_number:x}"]
    name_hash, key_hash, serial = (each.upper() if upper else each for each in digits)
    return {
        "hashAlgorithm": "SHA384",
        "issuerNameHash": name_hash,
        "issuerKeyHash": key_hash,
        "serialNumber": serial,
    }


def sha384(content: bytes) -> str:
    return hashlib.sha384(content).hexdigest()


def holding(*entries: dict[str, str]) -> dict[str, Any]:
    return {"status": "Accepted", "certificateHashData": list(entries)}


NONE_HELD = {"status": "NotFound"}


@pytest.mark.parametrize("upper", [False, True])
async def test_tc_076_a_root_is_deleted_by_the_name_the_charger_has_for_it(
    site: Site, tmp_path: Path, ca: x509.Certificate, upper: bool
) -> None:
    entry = hash_data(ca, upper=upper)
    answer = await site.operate(
        "delete-certificate", {"certificate": root(tmp_path)}, holding(OTHER, entry), NONE_HELD, OK
    )
    assert answer == OK
    assert site.heard == [
        ("GetInstalledCertificateIds", {"certificateType": "CentralSystemRootCertificate"}),
        ("GetInstalledCertificateIds", {"certificateType": "ManufacturerRootCertificate"}),
        ("DeleteCertificate", {"certificateHashData": entry}),
    ]


async def test_tc_076_a_root_is_deleted_by_its_serial_number(site: Site, ca: x509.Certificate) -> None:
    entry = hash_data(ca)
    serial = f"{ca.serial_number:X}"
    await site.operate("delete-certificate", {"serial_number": serial}, holding(entry), holding(entry), OK)
    assert site.heard[-1] == ("DeleteCertificate", {"certificateHashData": entry})


async def test_tc_076_a_root_the_charger_does_not_hold_is_not_deleted(site: Site, tmp_path: Path) -> None:
    with pytest.raises(CommandRejected) as caught:
        await site.operate("delete-certificate", {"certificate": root(tmp_path)}, holding(OTHER), NONE_HELD)
    assert caught.value.details["status"] == "NotFound"


async def test_a_serial_number_that_two_certificates_have_deletes_neither(site: Site, ca: x509.Certificate) -> None:
    entry = hash_data(ca)
    twin = {**entry, "issuerNameHash": "cc"}
    with pytest.raises(InvalidRequest, match="Некорректные"):
        serial = {"serial_number": entry["serialNumber"]}
        await site.operate("delete-certificate", serial, holding(entry, twin), NONE_HELD)
    assert "DeleteCertificate" not in [action for action, _ in site.heard]


@pytest.mark.parametrize("arguments", [{}, {"certificate": "x", "serial_number": "1"}, {"certificate": "x"}])
async def test_what_to_delete_is_named_in_one_way(site: Site, arguments: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        await site.operate("delete-certificate", arguments)


async def test_installed_certificates_are_listed(site: Site, ca: x509.Certificate) -> None:
    entry = hash_data(ca)
    answer = await site.operate("installed-certificates", {}, holding(entry), NONE_HELD)
    assert answer == {"certificates": [{"certificateType": "CentralSystemRootCertificate", **entry}]}
    use = "ManufacturerRootCertificate"
    answer = await site.operate("installed-certificates", {"certificate_type": use}, holding(entry))
    assert answer == {"certificates": [{"certificateType": use, **entry}]}


async def give_password(site: Site) -> None:
    async with unit_of_work(site.world.pool) as uow:
        await credentials.set_password(uow.conn, STATION, "a hash", NOON)


def has_profile(value: str | None) -> dict[str, Any]:
    if value is None:
        return {"configurationKey": [], "unknownKey": ["SecurityProfile"]}
    return {"configurationKey": [{"key": "SecurityProfile", "readonly": False, "value": value}]}


@pytest.mark.parametrize(("present", "wanted"), [("0", 1), ("1", 2), (None, 1), ("2", 3), ("9" * 5_000, 1), ("²", 1)])
async def test_tc_083_the_security_profile_is_raised(site: Site, present: str | None, wanted: int) -> None:
    await give_password(site)
    if wanted == 3:
        await certify(site)
        site.heard.clear()
    answer = await site.operate("set-security-profile", {"profile": wanted}, has_profile(present), OK)
    assert answer == {"statuses": {"SecurityProfile": "Accepted"}}
    assert site.heard == [
        ("GetConfiguration", {"key": ["SecurityProfile"]}),
        ("ChangeConfiguration", {"key": "SecurityProfile", "value": str(wanted)}),
    ]


async def test_tc_083_a_charger_that_refuses_is_told(site: Site) -> None:
    await give_password(site)
    with pytest.raises(CommandRejected):
        await site.operate("set-security-profile", {"profile": 2}, has_profile("1"), {"status": "Rejected"})


@pytest.mark.parametrize("present", ["2", "3"])
async def test_tc_083_a_security_profile_is_never_lowered(site: Site, present: str) -> None:
    await give_password(site)
    with pytest.raises(InvalidRequest) as caught:
        await site.operate("set-security-profile", {"profile": 2}, has_profile(present))
    assert caught.value.fields == (("profile", f"сейчас {present}, профиль можно только повысить"),)
    assert [action for action, _ in site.heard] == ["GetConfiguration"]


async def refused_profile(site: Site, profile: int) -> str:
    with pytest.raises(InvalidRequest) as caught:
        await site.operate("set-security-profile", {"profile": profile})
    assert site.heard == []
    return caught.value.fields[0][1]


async def test_a_station_is_not_raised_to_what_would_lock_it_out(site: Site) -> None:
    assert await refused_profile(site, 2) == "у станции нет пароля"
    assert "renew-certificate" in await refused_profile(site, 3)


async def test_an_expired_certificate_raises_nobody(site: Site) -> None:
    await certify(site)
    site.heard.clear()
    site.world.clock.advance(366 * 86_400)
    assert "renew-certificate" in await refused_profile(site, 3)


@pytest.mark.parametrize("profile", [2, 3])
async def test_without_a_tls_door_no_station_is_raised_to_tls(pool: Pool, tmp_path: Path, profile: int) -> None:
    config = settings(tmp_path)
    async with open_site(pool, replace(config, ocpp=replace(config.ocpp, tls_bind=()))) as site:
        assert await refused_profile(site, profile) == "нет TLS для станций: ocpp.tls_bind"


async def test_a_request_is_in_the_log(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await certify(site)
    assert "SignCertificate: station=EVP-001-01, accepted=True" in caplog.text
    assert "certificate delivered: station=EVP-001-01" in caplog.text
