"""The station CA without a server: which requests it signs, with what, and which files it refuses to be."""

from __future__ import annotations

from base64 import encodebytes
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from evpower.errors import ConfigError
from evpower.security.certificate_requests import read_request
from evpower.security.errors import Unsignable
from evpower.security.station_ca import (
    IssuedCertificate,
    StationCa,
    key_pem_of,
    load_station_ca,
    new_station_ca,
    pem_of,
    serial_number_of,
)
from tests.worlds.certificate_requests import ec_key, names_of, signing_request, with_broken_signature
from tests.worlds.fakes import NOON

STATION = "EVP-001-01"
GOOD = signing_request(STATION)


@pytest.fixture(scope="module")
def ca() -> StationCa:
    return new_station_ca("Test CA", 7, NOON, years=20)


def signed(
    ca: StationCa, csr: str, days: int = 365, now: datetime = NOON
) -> tuple[IssuedCertificate, x509.Certificate]:
    issued = ca.sign(read_request(csr), 5, now, days)
    return issued, x509.load_pem_x509_certificates(issued.chain.encode())[0]


def refusal(csr: str) -> str:
    with pytest.raises(Unsignable) as caught:
        read_request(csr)
    return caught.value.message


@pytest.mark.parametrize("curve", [ec.SECP224R1(), ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_elliptic_keys_from_224_bits_on_are_strong_enough(curve: ec.EllipticCurve) -> None:
    assert read_request(signing_request(STATION, key=ec.generate_private_key(curve))).common_name == STATION


def test_an_rsa_key_of_2048_bits_is_strong_enough_and_1024_are_not() -> None:
    for bits in (1024, 2048):
        csr = signing_request(STATION, key=rsa.generate_private_key(65537, bits))
        if bits == 2048:
            assert read_request(csr).common_name == STATION
        else:
            assert refusal(csr) == "its RSA key has 1024 bits, not 2048 to 8192"


def test_a_short_curve_is_refused() -> None:
    assert "192 bits" in refusal(signing_request(STATION, key=ec.generate_private_key(ec.SECP192R1())))


def test_other_kinds_of_keys_are_refused() -> None:
    by_dsa = signing_request(STATION, key=dsa.generate_private_key(2048))
    builder = x509.CertificateSigningRequestBuilder(names_of(STATION))
    by_ed25519 = builder.sign(ed25519.Ed25519PrivateKey.generate(), None).public_bytes(serialization.Encoding.PEM)
    for csr in (by_dsa, by_ed25519.decode()):
        assert refusal(csr) == "its key is neither RSA nor EC"


def test_a_signature_that_is_not_the_keys_is_refused() -> None:
    assert refusal(with_broken_signature(STATION)) == "its signature is not made with its key"


@pytest.mark.parametrize(
    ("names", "reason"),
    [((), "it has no common name"), ((STATION, "EVP-002-01"), "it has more than one common name")],
)
def test_there_is_exactly_one_common_name(names: tuple[str, ...], reason: str) -> None:
    assert refusal(signing_request(*names)) == reason


@pytest.mark.filterwarnings("ignore:Attribute's length must be:UserWarning")
@pytest.mark.parametrize("name", ["EVP\n001", "E" * 65])
def test_a_name_that_is_not_printable_or_too_long_is_refused(name: str) -> None:
    builder = x509.CertificateSigningRequestBuilder(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name, _validate=False)])
    )
    csr = builder.sign(ec_key(), hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    assert refusal(csr) == "its common name is not printable text of at most 64 characters"


@pytest.mark.parametrize("csr", ["", "garbage", "\x00", "\ud800", GOOD[:-60], GOOD.replace("REQUEST", "HOPE")])
def test_what_is_no_request_is_refused(csr: str) -> None:
    assert refusal(csr).startswith("the request cannot be read")


def der_of(csr: str) -> bytearray:
    return bytearray(x509.load_pem_x509_csr(csr.encode()).public_bytes(serialization.Encoding.DER))


def pem_of_der(der: bytearray) -> str:
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{encodebytes(bytes(der)).decode()}-----END CERTIFICATE REQUEST-----\n"


def test_a_version_nobody_knows_is_refused() -> None:
    der = der_of(GOOD)
    der[der.index(b"\x02\x01\x00") + 2] = 3
    assert refusal(pem_of_der(der)).startswith("the request cannot be read: ")


@given(st.data())
def test_a_damaged_request_is_read_or_refused_and_never_breaks(data: st.DataObject) -> None:
    der = der_of(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    with suppress(Unsignable):
        assert read_request(pem_of_der(der)).public_key.key_size >= 224


def test_a_certificate_is_for_its_station_as_a_client_and_nothing_else(ca: StationCa) -> None:
    key = ec_key()
    issued, certificate = signed(ca, signing_request(STATION, key=key, organisation="EvPower"))
    certificate.verify_directly_issued_by(ca.certificate)
    assert certificate.public_key() == key.public_key()
    assert {each.oid: each.value for each in certificate.subject} == {
        NameOID.COMMON_NAME: STATION,
        NameOID.ORGANIZATION_NAME: "EvPower",
    }
    extensions = certificate.extensions
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert (issued.common_name, issued.serial_number) == (STATION, "5")
    assert issued.fingerprint == certificate.fingerprint(hashes.SHA256()).hex()


def test_names_in_the_extensions_of_a_request_are_not_signed(ca: StationCa) -> None:
    """The TLS door lets a DNS name open too: signing one would hand out another station's certificate."""
    _, certificate = signed(ca, signing_request(STATION, dns_name="EVP-002-01"))
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)


def test_it_is_good_from_a_day_ago_for_as_long_as_was_set(ca: StationCa) -> None:
    issued, _ = signed(ca, GOOD, days=30)
    assert (issued.not_before, issued.not_after) == (NOON - timedelta(days=1), NOON + timedelta(days=30))


def test_no_certificate_outlives_the_ca(ca: StationCa) -> None:
    issued, _ = signed(ca, GOOD, days=3650, now=NOON + timedelta(days=365 * 19))
    assert issued.not_after == ca.certificate.not_valid_after_utc


def test_an_expired_ca_signs_nothing(ca: StationCa) -> None:
    with pytest.raises(Unsignable, match="own certificate is good from 2026-11-22 to 2046-11-23"):
        signed(ca, GOOD, now=NOON + timedelta(days=365 * 21))


def test_serial_numbers_are_positive_and_short_enough_for_every_charger() -> None:
    for byte in (b"\0", b"\xff"):
        number = serial_number_of(lambda size, byte=byte: byte * size)  # type: ignore[misc]
        assert number > 0
        assert len(f"{number:x}") <= 20


def test_a_root_is_not_told_to_stations_and_a_sub_ca_is(ca: StationCa, tmp_path: Path) -> None:
    sub_key = ec_key()
    builder = x509.CertificateBuilder(
        ca.certificate.subject, names_of("Sub"), sub_key.public_key(), 9, NOON, NOON + timedelta(days=9)
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    sub = StationCa(builder.sign(ca.key, hashes.SHA256()), sub_key)
    files = write(tmp_path, sub, pem_of(sub.certificate) + pem_of(ca.certificate))
    issued, certificate = signed(load_station_ca(*files, NOON), GOOD)
    assert issued.chain == pem_of(certificate) + pem_of(sub.certificate)
    assert signed(ca, GOOD)[0].chain.count("BEGIN CERTIFICATE") == 1


def write(folder: Path, ca: StationCa, certificates: str | None = None) -> tuple[Path, Path]:
    certificate, key = folder / "ca.pem", folder / "ca.key"
    certificate.write_text(certificates or pem_of(ca.certificate))
    key.write_bytes(key_pem_of(ca.key))
    return certificate, key


def problems_of(files: tuple[Path, Path], now: datetime = NOON) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_station_ca(*files, now)
    return [problem.replace(str(files[0].parent), "") for problem in caught.value.problems]


def test_what_was_written_is_read_again(ca: StationCa, tmp_path: Path) -> None:
    assert load_station_ca(*write(tmp_path, ca), NOON).certificate == ca.certificate


def test_everything_wrong_with_its_files_is_named(ca: StationCa, tmp_path: Path) -> None:
    assert problems_of((tmp_path / "absent", tmp_path / "absent")) == [
        "ocpp.station_ca_certificate: /absent: cannot be read: No such file or directory",
        "ocpp.station_ca_key: /absent: cannot be read: No such file or directory",
    ]
    files = write(tmp_path, ca)
    files[1].write_bytes(key_pem_of(ec_key()))
    late = datetime(2099, 1, 1, tzinfo=UTC)
    assert problems_of(files, late) == [
        f"ocpp.station_ca_key: /ca.key: is not the key of {files[0]}".replace(str(tmp_path), ""),
        "ocpp.station_ca_certificate: /ca.pem: is good from 2026-11-22 to 2046-11-23",
    ]


def test_a_certificate_that_may_not_sign_is_no_ca(ca: StationCa, tmp_path: Path) -> None:
    key = ec_key()
    _, leaf = signed(ca, signing_request(STATION, key=key))
    assert problems_of(write(tmp_path, StationCa(leaf, key))) == [
        "ocpp.station_ca_certificate: /ca.pem: is not the certificate of an authority"
    ]


def test_a_key_with_a_passphrase_is_refused(ca: StationCa, tmp_path: Path) -> None:
    files = write(tmp_path, ca)
    encryption = serialization.BestAvailableEncryption(b"secret")
    files[1].write_bytes(
        ca.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    )
    assert problems_of(files)[0].startswith("ocpp.station_ca_key: /ca.key: cannot be used")


def test_a_key_of_another_kind_is_refused(ca: StationCa, tmp_path: Path) -> None:
    files = write(tmp_path, ca)
    files[1].write_bytes(
        ed25519.Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    assert problems_of(files) == ["ocpp.station_ca_key: /ca.key: must be an RSA or EC key"]
