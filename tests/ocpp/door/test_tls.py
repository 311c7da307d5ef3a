"""The TLS door over real sockets (security profiles 2 and 3; design §9.9): handshakes, certificates, reloads."""

from __future__ import annotations

import datetime
import logging
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from evpower.errors import ConfigError
from evpower.identifiers import StationId
from evpower.network.station import Admission
from evpower.ocpp.dialect import known_actions, usual
from evpower.ocpp.dialects import DIALECTS
from evpower.ocpp.door.doors import Door
from evpower.ocpp.door.passwords import PasswordChecker, hash_password
from evpower.ocpp.door.server import StationServer, serve_stations
from evpower.ocpp.door.tls import TlsFiles, TlsIdentity, load_context
from evpower.ocpp.registry import StationRegistry
from evpower.ocpp.settings import OcppSettings
from evpower.ocpp.watch.traffic import Traffic
from evpower.ocpp.wire.transport import SocketLimits
from evpower.security.certificate_requests import read_request
from evpower.security.station_ca import StationCa, new_station_ca, pem_of
from tests.ocpp.authority import Authority, Pair
from tests.ocpp.fakes import CountingIds, FakeReports, TrioClock
from tests.ocpp.peer import Peer
from tests.worlds.certificate_requests import ec_key, names_of, signing_request, write_key

HOST = "csms.test"
PASSWORD = "a-password-of-16"
HASH = hash_password(PASSWORD, b"0123456789abcdef")
LOOPBACK = [("127.0.0.1", 0)]


class TlsCsms:
    """Our server with a plain and a TLS door."""

    def __init__(
        self, authority: Authority, nursery: trio.Nursery, *, client_ca: bool, station_ca: Path | None = None
    ) -> None:
        self.authority = authority
        self._nursery = nursery
        self.own = authority.issue(HOST, HOST, file="server")
        files = TlsFiles(self.own.certificate, self.own.key, authority.file if client_ca else None, station_ca)
        self.tls = TlsIdentity(files)
        self.reports = FakeReports()
        self.reports.stations = {
            "CP-1": Admission("CP-1", "active", None, serial_number="SN-1"),
            "CP-2": Admission("CP-2", "active", HASH),
        }
        self.open_timeout_s = 5.0
        self.doors: list[Door] = []

    async def start(self) -> None:
        limits = SocketLimits(close_timeout_s=0.2, open_timeout_s=self.open_timeout_s)
        server = StationServer(
            reports=self.reports,
            registry=StationRegistry(usual(DIALECTS)),
            clock=TrioClock(),
            ids=CountingIds(),
            passwords=PasswordChecker(b"test"),
            settings=OcppSettings(limits=limits, allow_anonymous=False),
            dialects=DIALECTS,
            traffic=Traffic(known_actions(DIALECTS)),
        )

        async def serve(*, task_status: trio.TaskStatus[list[Door]]) -> None:
            await serve_stations(server, LOOPBACK, tls_binds=LOOPBACK, tls=self.tls, task_status=task_status)

        self.doors = await self._nursery.start(serve)

    @asynccontextmanager
    async def charger(self, own: Pair | None = None, context: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
        """A charger at the TLS door, nothing sent yet."""
        context = context or self.authority.client_context(own)
        async with await trio.open_tcp_stream(*self.doors[1].address) as tcp:
            yield Peer(trio.SSLStream(tcp, context, server_hostname=HOST, https_compatible=True))


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
async def csms(authority: Authority, nursery: trio.Nursery) -> AsyncIterator[TlsCsms]:
    with trio.fail_after(20):
        yield TlsCsms(authority, nursery, client_ca=True)
        nursery.cancel_scope.cancel()


def basic(user: str, password: str) -> tuple[tuple[str, str], ...]:
    return (("Authorization", "Basic " + b64encode(f"{user}:{password}".encode()).decode()),)


async def test_plain_and_tls_doors_stand_side_by_side_on_one_server(csms: TlsCsms) -> None:
    await csms.start()
    assert [door.url.partition(":")[0] for door in csms.doors] == ["ws", "wss"]
    async with await trio.open_tcp_stream(*csms.doors[0].address) as plain, csms.charger() as tls:
        for peer in (Peer(plain), tls):
            assert (await peer.open("/ws/CP-2", headers=basic("CP-2", PASSWORD))).status_code == 101
            assert (await peer.call("Heartbeat"))[0] == 3


async def test_tc_086_a_charger_verifies_our_certificate_and_logs_in_by_password(csms: TlsCsms) -> None:
    await csms.start()
    async with csms.charger() as peer:
        assert (await peer.open("/ws/CP-2", headers=basic("CP-2", PASSWORD))).status_code == 101


async def test_a_wrong_password_is_refused_over_tls_too(csms: TlsCsms) -> None:
    await csms.start()
    async with csms.charger() as peer:
        assert (await peer.open("/ws/CP-2", headers=basic("CP-2", "wrong"))).status_code == 401


@pytest.mark.parametrize("names", [("CP-1",), ("SN-1",), ("something else", "CP-1")])
async def test_tc_087_a_certificate_of_the_station_opens(csms: TlsCsms, names: tuple[str, ...]) -> None:
    """By common name, by serial number (as the white paper has it), or by a further name."""
    await csms.start()
    async with csms.charger(csms.authority.issue(*names)) as peer:
        assert (await peer.open("/ws/CP-1")).status_code == 101
        assert (await peer.call("Heartbeat"))[0] == 3


async def test_tc_087_a_certificate_replaces_the_password(csms: TlsCsms) -> None:
    await csms.start()
    async with csms.charger(csms.authority.issue("CP-2")) as peer:
        assert (await peer.open("/ws/CP-2")).status_code == 101


async def test_a_certificate_of_another_station_is_refused_even_with_the_password(csms: TlsCsms) -> None:
    await csms.start()
    async with csms.charger(csms.authority.issue("CP-1")) as peer:
        assert (await peer.open("/ws/CP-2", headers=basic("CP-2", PASSWORD))).status_code == 401


async def test_a_station_without_certificate_and_password_is_refused(csms: TlsCsms) -> None:
    await csms.start()
    async with csms.charger() as peer:
        assert (await peer.open("/ws/CP-1")).status_code == 401


async def _is_shut_out(csms: TlsCsms, own: Pair) -> bool:
    context = csms.authority.client_context(own)
    async with csms.charger(context=context) as peer:
        with trio.fail_after(5):
            try:
                await peer.open("/ws/CP-1")
            except (trio.BrokenResourceError, EOFError):
                return True
    return False


async def test_a_certificate_of_an_authority_we_do_not_trust_ends_the_handshake(csms: TlsCsms, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    await csms.start()
    assert await _is_shut_out(csms, Authority(tmp_path / "other", "Other CA").issue("CP-1"))
    assert not csms.reports.told


async def test_an_expired_certificate_ends_the_handshake(csms: TlsCsms) -> None:
    await csms.start()
    expired = csms.authority.issue("CP-1", not_after=datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC))
    assert await _is_shut_out(csms, expired)


async def test_without_client_authorities_no_certificate_is_asked_for(
    authority: Authority, nursery: trio.Nursery
) -> None:
    csms = TlsCsms(authority, nursery, client_ca=False)
    with trio.fail_after(10):
        await csms.start()
        async with csms.charger(authority.issue("CP-1")) as peer:
            assert (await peer.open("/ws/CP-1")).status_code == 401
        nursery.cancel_scope.cancel()


def issued(ca: StationCa, station_id: str, folder: Path) -> Pair:
    """A station's certificate as CertificateSigned brings it, and its key."""
    key = ec_key()
    signed = ca.sign(read_request(signing_request(station_id, key=key)), 5, datetime.datetime.now(datetime.UTC), 30)
    certificate = folder / f"{station_id}.pem"
    certificate.write_text(signed.chain)
    return Pair(certificate, write_key(key, folder / f"{station_id}.key"))


def station_ca() -> StationCa:
    return new_station_ca("Station CA", 7, datetime.datetime.now(datetime.UTC), years=1)


@asynccontextmanager
async def csms_with_station_ca(authority: Authority, nursery: trio.Nursery, path: Path) -> AsyncIterator[TlsCsms]:
    csms = TlsCsms(authority, nursery, client_ca=False, station_ca=path)
    with trio.fail_after(10):
        await csms.start()
        yield csms
        nursery.cancel_scope.cancel()


async def test_tc_087_a_certificate_of_the_station_ca_opens_for_its_station_alone(
    authority: Authority, nursery: trio.Nursery, tmp_path: Path
) -> None:
    ca, path = station_ca(), tmp_path / "station-ca.pem"
    path.write_text(pem_of(ca.certificate))
    async with csms_with_station_ca(authority, nursery, path) as csms:
        own = issued(ca, "CP-1", tmp_path)
        async with csms.charger(own) as peer:
            assert (await peer.open("/ws/CP-1")).status_code == 101
        async with csms.charger(own) as peer:
            assert (await peer.open("/ws/CP-2", headers=basic("CP-2", PASSWORD))).status_code == 401
        async with csms.charger() as peer:  # security profile 2 stays open beside it
            assert (await peer.open("/ws/CP-2", headers=basic("CP-2", PASSWORD))).status_code == 101


async def test_a_station_ca_made_while_we_run_counts_from_the_next_reload(
    authority: Authority, nursery: trio.Nursery, tmp_path: Path
) -> None:
    ca, path = station_ca(), tmp_path / "station-ca.pem"
    async with csms_with_station_ca(authority, nursery, path) as csms:
        path.write_text(pem_of(ca.certificate))
        own = issued(ca, "CP-1", tmp_path)
        async with csms.charger(own) as peer:
            assert (await peer.open("/ws/CP-1")).status_code == 401
        assert csms.tls.reload()
        async with csms.charger(own) as peer:
            assert (await peer.open("/ws/CP-1")).status_code == 101


async def test_a_station_ca_below_a_root_nobody_here_knows_is_trusted(
    authority: Authority, nursery: trio.Nursery, tmp_path: Path
) -> None:
    now = datetime.datetime.now(datetime.UTC)
    root, key, path = station_ca(), ec_key(), tmp_path / "sub-ca.pem"
    builder = x509.CertificateBuilder(
        root.certificate.subject, names_of("Sub CA"), key.public_key(), 9, now, now + datetime.timedelta(days=30)
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    sub = builder.sign(root.key, hashes.SHA256())
    path.write_text(pem_of(sub))
    own = issued(StationCa(sub, key, (sub,)), "CP-1", tmp_path)
    async with csms_with_station_ca(authority, nursery, path) as csms, csms.charger(own) as peer:
        assert (await peer.open("/ws/CP-1")).status_code == 101


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_tls_1_1_is_refused_and_1_2_is_not(csms: TlsCsms) -> None:
    await csms.start()
    old, enough = csms.authority.client_context(), csms.authority.client_context()
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    async with csms.charger(context=old) as peer:
        with pytest.raises(trio.BrokenResourceError):
            await peer.open("/ws/CP-2")
    enough.maximum_version = ssl.TLSVersion.TLSv1_2
    async with csms.charger(context=enough) as peer:
        assert (await peer.open("/ws/CP-2", headers=basic("CP-2", PASSWORD))).status_code == 101


async def test_a_handshake_that_never_comes_is_ended_by_the_open_timeout(csms: TlsCsms) -> None:
    csms.open_timeout_s = 0.05
    await csms.start()
    async with await trio.open_tcp_stream(*csms.doors[1].address) as silent:
        assert await silent.receive_some() == b""


async def test_plain_words_at_the_tls_door_cost_that_socket_alone(csms: TlsCsms) -> None:
    await csms.start()
    async with await trio.open_tcp_stream(*csms.doors[1].address) as lost, csms.charger() as peer:
        await lost.send_all(b"GET /ws/CP-2 HTTP/1.1\r\n\r\n")
        while await lost.receive_some():
            pass
        assert (await peer.open("/ws/CP-2", headers=basic("CP-2", PASSWORD))).status_code == 101


def _shown_serial(peer: Peer) -> int:
    assert isinstance(peer.wire, trio.SSLStream)
    certificate = peer.wire.getpeercert(binary_form=True)
    assert certificate is not None
    return x509.load_der_x509_certificate(certificate).serial_number


async def test_a_reload_is_for_new_connections_and_drops_none(csms: TlsCsms) -> None:
    await csms.start()
    async with csms.charger() as old:
        await old.open("/ws/CP-2", headers=basic("CP-2", PASSWORD))
        csms.authority.issue(HOST, HOST, file="server")
        assert csms.tls.reload()
        async with csms.charger() as new:
            await new.open("/ws/CP-1")
            assert _shown_serial(new) != _shown_serial(old)
        assert (await old.call("Heartbeat"))[0] == 3


async def test_a_broken_new_file_keeps_the_old_certificate_and_says_so(
    csms: TlsCsms, caplog: pytest.LogCaptureFixture
) -> None:
    await csms.start()
    csms.own.key.write_text("not a key")
    assert not csms.tls.reload()
    assert "the old one stays" in caplog.text
    async with csms.charger() as peer:
        assert (await peer.open("/ws/CP-2", headers=basic("CP-2", PASSWORD))).status_code == 101


def test_files_that_cannot_be_used_are_named_by_their_settings(authority: Authority, tmp_path: Path) -> None:
    own, other = authority.issue("a"), authority.issue("b")
    for files, named in (
        (TlsFiles(tmp_path / "absent", own.key), "ocpp.tls_certificate"),
        (TlsFiles(own.certificate, other.key), "ocpp.tls_key"),
        (TlsFiles(own.certificate, own.key, tmp_path / "absent"), "ocpp.tls_client_ca"),
        (TlsFiles(own.certificate, own.key, own.key), "ocpp.tls_client_ca"),
        (TlsFiles(own.certificate, own.key, station_ca=own.key), "ocpp.station_ca_certificate"),
    ):
        with pytest.raises(ConfigError, match=named):
            load_context(files)


async def test_duty_07_a_refused_certificate_is_in_the_log(csms: TlsCsms, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await csms.start()
    async with csms.charger(csms.authority.issue("CP-1")) as peer:
        await peer.open("/ws/CP-2")
    assert "login refused: station=CP-2" in caplog.text


async def test_a_station_once_on_a_profile_with_tls_is_refused_below_it(csms: TlsCsms) -> None:
    """Safe by default 2: a downgrade is how a thief of the password alone, or a listener, comes in."""
    await csms.start()
    own = csms.authority.issue("CP-2")
    async with csms.charger() as peer:
        assert (await peer.open("/ws/CP-2", headers=basic("CP-2", PASSWORD))).status_code == 101
    async with csms.charger(own) as peer:
        assert (await peer.open("/ws/CP-2")).status_code == 101
    assert [told for told in csms.reports.told if told[0].startswith("profile")] == [
        ("profile 2", "CP-2"),
        ("profile 3", "CP-2"),
    ]
    for seen, over_tls, plain in ((1, 101, 101), (2, 101, 401), (3, 401, 401)):
        csms.reports.stations["CP-2"] = Admission("CP-2", "active", HASH, profile_seen=seen)
        async with csms.charger() as peer:
            assert (await peer.open("/ws/CP-2", headers=basic("CP-2", PASSWORD))).status_code == over_tls
        async with await trio.open_tcp_stream(*csms.doors[0].address) as tcp:
            assert (await Peer(tcp).open("/ws/CP-2", headers=basic("CP-2", PASSWORD))).status_code == plain
        async with csms.charger(own) as peer:
            assert (await peer.open("/ws/CP-2")).status_code == 101


async def test_an_ended_certificate_opens_nothing_and_its_open_socket_is_closed(
    csms: TlsCsms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Safe by default 2: `evpower station revoke`."""
    monkeypatch.setattr("evpower.ocpp.door.server.END_CERTIFIED_EVERY_S", 0.05)
    await csms.start()
    own = csms.authority.issue("CP-1")
    async with csms.charger(own) as peer:
        assert (await peer.open("/ws/CP-1")).status_code == 101
        csms.reports.ended.add(StationId("CP-1"))
        csms.reports.stations["CP-1"] = Admission("CP-1", "active", None, some_ended=True)
        assert await peer.ended() == 1008
    async with csms.charger(own) as peer:
        assert (await peer.open("/ws/CP-1")).status_code == 401


@pytest.mark.parametrize(("proto", "proven"), [("https", True), ("http", False), (None, False)])
async def test_tls_that_a_proxy_of_ours_ends_counts_for_a_certificate(
    csms: TlsCsms, proto: str | None, proven: bool
) -> None:
    """Safe by default 2: a password that came in clear may have been heard."""
    await csms.start()
    headers = basic("CP-2", PASSWORD) + (() if proto is None else (("X-Forwarded-Proto", proto),))
    async with await trio.open_tcp_stream(*csms.doors[0].address) as tcp:
        peer = Peer(tcp)
        assert (await peer.open("/ws/CP-2", headers=headers)).status_code == 101
        await peer.call("SignCertificate", {"csr": "x"})
    assert csms.reports.proven == [proven]
