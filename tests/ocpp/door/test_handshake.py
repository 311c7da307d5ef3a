"""The upgrade: path, identity, subprotocol (OCPP-J §3; duties 1-3; design §9.8)."""

from __future__ import annotations

import pytest
from trio.testing import MockClock

from evpower.network.station import Admission
from evpower.ocpp.door.passwords import hash_password
from tests.ocpp.conftest import Csms
from tests.ocpp.peer import Peer


@pytest.mark.parametrize("target", ["/ws/CP-1", "/ocpp/CP-1", "/ws/CP-1/", "/ws/CP-1/any/tail", "/ws/CP-1?x=1"])
async def test_every_path_of_the_contract_leads_to_the_station(
    csms: Csms, autojump_clock: MockClock, target: str
) -> None:
    await csms.charger(target)


@pytest.mark.parametrize(
    "target",
    [
        "ws://csms:9000/ws/CP-1",
        "WSS://csms/ocpp/CP-1",
        "http://csms:9000/ws/CP-1?x=1",
        "https://user@csms/ws/CP-1/",
        "http://[::1]:9000//ws/CP-1",
    ],
)
async def test_a_whole_url_in_the_request_line_leads_to_the_station(
    csms: Csms, autojump_clock: MockClock, target: str
) -> None:
    """RFC 9112 3.2.2: a server accepts the absolute form of a request target; a charger may send what it was given."""
    await csms.charger(target)


@pytest.mark.parametrize("target", ["/ws//CP-1", "//ws/CP-1", "///ocpp///CP-1//", "/ws/CP-1//?x=1"])
async def test_doubled_and_trailing_slashes_are_one(csms: Csms, autojump_clock: MockClock, target: str) -> None:
    await csms.charger(target)


async def test_the_token_in_a_whole_url_is_its_password(csms: Csms) -> None:
    csms.reports.stations["CP-7"] = Admission("CP-7", "active", hash_password("secret", b"0123456789abcdef"))
    peer = Peer(await csms.connect())
    assert (await peer.open("ws://csms:9000/ws/CP-7?token=wrong")).status_code == 401
    await csms.charger("ws://csms:9000/ws/CP-7?token=secret")


@pytest.mark.parametrize(("target", "identity"), [("/ws/RDAM%20123", "RDAM 123"), ("/ws/CP%2F1", "CP/1")])
async def test_duty_03_the_identity_is_percent_decoded(
    csms: Csms, autojump_clock: MockClock, target: str, identity: str
) -> None:
    csms.reports.stations[identity] = Admission(identity, "active", None)
    await csms.charger(target)


@pytest.mark.parametrize(
    "target",
    [
        "/ws/unknown",
        "/ws/",
        "/ws",
        "/",
        "/other/CP-1",
        "/ws/%FF",
        "/ws/CP-1%00",
        "/ws/" + "x" * 300,
        "ws://csms/ws/unknown",
        "ws://csms",
        "ftp://csms/ws/CP-1",
        "//",
        "/ws//unknown",
        "/ws/%2FCP-1",
        "ws/CP-1",
    ],
)
async def test_duty_01_an_unknown_identity_is_404(csms: Csms, autojump_clock: MockClock, target: str) -> None:
    peer = Peer(await csms.connect())
    assert (await peer.open(target)).status_code == 404


@pytest.mark.parametrize("word", ["ocpp1.6", "OCPP1.6", "ocpp1.6j", "ocpp1.6-JSON"])
async def test_the_offered_spelling_of_ocpp_16_is_echoed(csms: Csms, autojump_clock: MockClock, word: str) -> None:
    peer = await csms.charger(subprotocols=("ocpp2.1", word))
    assert peer.response is not None
    assert peer.response.headers["Sec-WebSocket-Protocol"] == word


async def test_tc_088_the_offered_subprotocol_is_chosen_and_spoken(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger(subprotocols=("ocpp2.1", "ocpp1.6"))
    assert peer.response is not None
    assert peer.response.headers.get_all("Sec-WebSocket-Protocol") == ["ocpp1.6"]
    assert (await peer.call("Heartbeat"))[0] == 3


async def test_duty_02_without_any_offer_the_charger_is_accepted(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger(subprotocols=())
    assert peer.response is not None
    assert "Sec-WebSocket-Protocol" not in peer.response.headers
    assert (await peer.call("Heartbeat"))[0] == 3


async def test_duty_02_only_unknown_offers_are_shaken_hands_with_and_closed(
    csms: Csms, autojump_clock: MockClock
) -> None:
    peer = await csms.charger(subprotocols=("ocpp2.1",))
    assert peer.response is not None
    assert "Sec-WebSocket-Protocol" not in peer.response.headers
    assert await peer.ended() == 1002
    assert not csms.registry.seen()


async def test_a_database_that_is_down_is_503_so_the_charger_comes_again(csms: Csms, autojump_clock: MockClock) -> None:
    csms.reports.broken = True
    assert (await Peer(await csms.connect()).open()).status_code == 503


async def test_messages_pipelined_behind_the_request_are_answered(csms: Csms, autojump_clock: MockClock) -> None:
    text = b'[2,"m","Heartbeat",{}]'
    peer = await csms.charger(behind=b"\x81%c\0\0\0\0%b" % (0x80 | len(text), text))
    assert (await peer.answer())[0] == 3
