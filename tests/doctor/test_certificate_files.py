"""The doctor reads certificates from real files: good ones, ended ones, keys that do not fit, files that are none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from evpower.doctor.certificate_files import STATION_CA, certificates
from evpower.doctor.outside import CertificateFacts, certificate
from evpower.settings.addresses import Bind
from evpower.settings.config import Config
from tests.doctor.english import english
from tests.ocpp.authority import NOT_AFTER, Authority, Pair
from tests.payments.gateways.test_providers import PASSWORD, bundle
from tests.worlds.fakes import NOON


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def listening(tmp_path: Path, pair: Pair, tls_client_ca: str = "") -> Config:
    ocpp = replace(
        Config().ocpp,
        tls_bind=(Bind("127.0.0.1", 9443),),
        tls_certificate=str(pair.certificate),
        tls_key=str(pair.key),
        tls_client_ca=tls_client_ca,
    )
    return replace(Config(), ocpp=ocpp, server=replace(Config().server, state_dir=str(tmp_path / "state")))


def read(config: Config) -> list[CertificateFacts]:
    return list(certificates(config, NOON))


def test_without_certificates_there_is_nothing_to_say() -> None:
    assert read(replace(Config(), server=replace(Config().server, state_dir="/nowhere"))) == []


def test_the_listeners_certificate_has_its_end(tmp_path: Path, authority: Authority) -> None:
    (found,) = read(listening(tmp_path, authority.issue("ours")))
    assert (found.what, found.ends_at, found.error) == ("ocpp.tls_certificate", NOT_AFTER, "")


def test_one_that_has_ended_is_wrong(tmp_path: Path, authority: Authority) -> None:
    (found,) = read(listening(tmp_path, authority.issue("ours", not_after=NOON - timedelta(days=1))))
    assert certificate(found, NOON).state == "wrong"


def test_a_key_of_another_certificate_is_named(tmp_path: Path, authority: Authority) -> None:
    mixed = Pair(authority.issue("ours").certificate, authority.issue("other").key)
    (found,) = read(listening(tmp_path, mixed))
    assert "cannot be used" in english(found.error)


def test_authorities_of_others_are_looked_at_too(tmp_path: Path, authority: Authority) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("none", encoding="utf-8")
    pair = authority.issue("ours")
    assert [each.error for each in read(listening(tmp_path, pair, tls_client_ca=str(authority.file)))] == ["", ""]
    assert "broken.pem" in english(read(listening(tmp_path, pair, tls_client_ca=str(broken)))[1].error)


def test_half_a_station_ca_is_named(tmp_path: Path, authority: Authority) -> None:
    """`evpower ca init` makes both; a key that was lost signs nothing."""
    folder = tmp_path / "state" / "ca"
    folder.mkdir(parents=True)
    (folder / "station-ca.pem").write_bytes(authority.file.read_bytes())
    config = replace(Config(), server=replace(Config().server, state_dir=str(tmp_path / "state")))
    (found,) = read(config)
    assert (found.what, "ocpp.station_ca_key" in english(found.error)) == (STATION_CA, True)


def test_obanks_certificate(tmp_path: Path, authority: Authority) -> None:
    """Its end, and a wrong password."""
    file = bundle(authority.issue("point-1", not_after=NOON + timedelta(days=40)), tmp_path / "point.p12")
    obank = replace(Config().obank, url="https://bank.example", point="1", service="2", certificate=str(file))
    nowhere = replace(Config().server, state_dir=str(tmp_path / "state"))
    for password, state in ((PASSWORD, "warning"), ("wrong", "wrong")):
        config = replace(Config(), obank=replace(obank, certificate_password=password), server=nowhere)
        (found,) = read(config)
        assert certificate(found, NOON).state == state, found
