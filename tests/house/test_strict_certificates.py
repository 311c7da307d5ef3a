"""Every certificate that we make passes the strict checks of RFC 5280, which Python 3.13 does by default."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from evpower.security.certificate_requests import read_request
from evpower.security.station_ca import new_station_ca, pem_of
from evpower.simulator.providers.obank import certificates as sandbox
from tests.ocpp import authority as tests_own
from tests.worlds.certificate_requests import ec_key, signing_request
from tests.worlds.push_services import localhost_certificate

NOW = datetime.now(UTC)
Shown = tuple[str, bytes]


def strictly(context: ssl.SSLContext, trusted: str) -> ssl.SSLContext:
    context.load_verify_locations(cadata=trusted)
    context.check_hostname, context.verify_mode = False, ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def shows(context: ssl.SSLContext, shown: Shown, folder: Path) -> ssl.SSLContext:
    """With the certificate (PEM) and key of `shown`."""
    file = folder / "shown.pem"
    file.write_bytes(shown[0].encode() + shown[1])
    context.load_cert_chain(file)
    return context


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> None:
    """A whole handshake in memory; raises what either side finds wrong."""
    ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [server.wrap_bio(ours, theirs, server_side=True), client.wrap_bio(theirs, ours)]
    while sides:
        for side in list(sides):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            sides.remove(side)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def station(_folder: Path) -> tuple[str, Shown]:
    ca, key = new_station_ca("Stations", 7, NOW, years=2), ec_key()
    issued = ca.sign(read_request(signing_request("EVP-001-01", key=key)), 5, NOW, 30)
    return pem_of(ca.certificate), (issued.chain, key_pem(key))


def point(_folder: Path) -> tuple[str, Shown]:
    """The sandbox's client, from its PKCS#12 file."""
    authority = sandbox.Authority()
    bundle = serialization.pkcs12.load_pkcs12(authority.point("4354", "word"), b"word")
    assert bundle.cert is not None
    assert isinstance(bundle.key, ec.EllipticCurvePrivateKey)
    return authority.pem().decode(), (pem_of(bundle.cert.certificate), key_pem(bundle.key))


def of_tests(folder: Path) -> tuple[str, Shown]:
    authority = tests_own.Authority(folder)
    pair = authority.issue("localhost", "localhost")
    return authority.file.read_text(), (pair.certificate.read_text(), pair.key.read_bytes())


def self_signed(_folder: Path) -> tuple[str, Shown]:
    certificate, key = localhost_certificate()
    return certificate.decode(), (certificate.decode(), key)


CLIENTS: dict[str, Callable[[Path], tuple[str, Shown]]] = {
    "station": station,
    "sandbox's point": point,
    "test's station": of_tests,
}
SERVERS: dict[str, Callable[[Path], tuple[str, Shown]]] = {"test's server": of_tests, "push stand-in": self_signed}


@pytest.mark.parametrize("made", CLIENTS.values(), ids=CLIENTS)
def test_a_clients_certificate_is_strictly_right(made: Callable[[Path], tuple[str, Shown]], tmp_path: Path) -> None:
    trusted, shown = made(tmp_path)
    server = shows(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), of_tests(tmp_path)[1], tmp_path)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    shake_hands(strictly(server, trusted), shows(client, shown, tmp_path))


@pytest.mark.parametrize("made", SERVERS.values(), ids=SERVERS)
def test_a_servers_certificate_is_strictly_right(made: Callable[[Path], tuple[str, Shown]], tmp_path: Path) -> None:
    trusted, shown = made(tmp_path)
    server = shows(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), shown, tmp_path)
    shake_hands(server, strictly(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trusted))


def test_the_sandboxs_server_is_strictly_right(tmp_path: Path) -> None:
    authority = sandbox.Authority()
    server = authority.server_context(tmp_path)
    server.verify_mode = ssl.CERT_NONE
    shake_hands(server, strictly(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), authority.pem().decode()))


def test_the_check_is_strict(tmp_path: Path) -> None:
    """An authority without a key usage: what the checks are for."""
    key, name = ec.generate_private_key(ec.SECP256R1()), tests_own.named("Lax CA")
    public, period = key.public_key(), (tests_own.NOT_BEFORE, tests_own.NOT_AFTER)
    above = x509.CertificateBuilder(name, name, public, 1, *period)
    above = above.add_extension(x509.BasicConstraints(True, None), critical=True)
    below = x509.CertificateBuilder(name, tests_own.named("below"), public, 2, *period)
    below = tests_own.in_full(below, public, public, ca=False)
    lax, shown = (pem_of(each.sign(key, hashes.SHA256())) for each in (above, below))
    server = shows(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), (shown, key_pem(key)), tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError, match="CA cert does not include key usage extension"):
        shake_hands(server, strictly(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), lax))
