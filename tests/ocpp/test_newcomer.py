"""A stranger's connection without a database: what is remembered, what is waited for, how it becomes a station's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import trio
from trio.testing import MockClock

from evpower.administration.strangers import Strangers
from evpower.network.station import Admission, Boot, BootVerdict
from evpower.ocpp.dialects import DIALECTS
from evpower.ocpp.door.failed_logins import FailedLogins
from evpower.ocpp.door.passwords import PasswordChecker
from evpower.ocpp.door.reception import Reception
from evpower.ocpp.door.tls import ShownCertificate
from evpower.ocpp.lobby import BOOT_WITHIN_S, Lobby, Stranger
from evpower.ocpp.newcomer import BOOTS_APART_S
from tests.ocpp.conftest import Csms
from tests.ocpp.peer import Peer

NEW = "EVP-NEW-1"


class FakeStrangers(Strangers):
    """Lets everybody in, and answers boots as a test says."""

    def __init__(self) -> None:
        self.answer: Admission | BootVerdict = self.pending
        self.boots = 0
        self.broken = False

    @property
    def pending(self) -> BootVerdict:
        return BootVerdict("Pending", 60)

    async def may_enter(self, identity: str, address: str) -> bool:
        return True

    async def boot(self, identity: str, address: str, boot: Boot) -> Admission | BootVerdict:
        if self.broken:
            raise OSError("the database is down")
        self.boots += 1
        return self.answer


@pytest.fixture
def strangers(csms: Csms) -> FakeStrangers:
    strangers = FakeStrangers()
    csms.lobby = Lobby(strangers)
    return strangers


async def boot(peer: Peer) -> str:
    answer = await peer.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
    return str(answer[2]["status"] if answer[0] == 3 else answer[2])


async def test_a_stranger_that_does_not_boot_is_let_go(
    autojump_clock: MockClock, csms: Csms, strangers: FakeStrangers
) -> None:
    peer = await csms.charger(f"/ws/{NEW}")
    began = trio.current_time()
    with trio.fail_after(2 * BOOT_WITHIN_S):
        while not peer.closed and peer.close_code is None:
            await peer._pump()
    assert (peer.close_code, trio.current_time() - began) == (1008, BOOT_WITHIN_S)


async def test_boots_in_a_row_are_answered_from_memory(
    autojump_clock: MockClock, csms: Csms, strangers: FakeStrangers
) -> None:
    peer = await csms.charger(f"/ws/{NEW}")
    assert [await boot(peer) for _ in range(20)] == ["Pending"] * 20
    assert strangers.boots == 1
    await trio.sleep(BOOTS_APART_S)
    assert await boot(peer) == "Pending"
    assert strangers.boots == 2


async def test_a_stranger_that_became_a_station_by_an_import_is_accepted_at_its_retry(
    autojump_clock: MockClock, csms: Csms, strangers: FakeStrangers
) -> None:
    peer = await csms.charger(f"/ws/{NEW}")
    await boot(peer)
    csms.reports.stations[NEW] = strangers.answer = Admission(NEW, "active", None)
    await trio.sleep(BOOTS_APART_S)
    assert await boot(peer) == "Accepted"
    assert csms.reports.count("connected") == 1


@pytest.mark.parametrize(
    "admission",
    [
        Admission(NEW, "active", "hash"),
        Admission(NEW, "active", None, pending_hash="hash"),
        Admission("OTHER", "active", None, serial_number=NEW),
    ],
)
async def test_one_that_must_show_credentials_or_has_another_name_comes_again(
    autojump_clock: MockClock, csms: Csms, strangers: FakeStrangers, admission: Admission
) -> None:
    peer = await csms.charger(f"/ws/{NEW}")
    strangers.answer = admission
    assert await boot(peer) == "Pending"
    with trio.fail_after(5):
        assert await peer.ended() == 1008
    assert csms.reports.told == []


async def test_duty_15_a_database_that_is_down_is_an_internal_error(
    autojump_clock: MockClock, csms: Csms, strangers: FakeStrangers
) -> None:
    strangers.broken = True
    assert await boot(await csms.charger(f"/ws/{NEW}")) == "InternalError"


async def test_nothing_is_sent_to_a_stranger(autojump_clock: MockClock, csms: Csms, strangers: FakeStrangers) -> None:
    peer = await csms.charger(f"/ws/{NEW}")
    await boot(peer)
    with trio.move_on_after(3600):
        while True:
            frame = await peer.frame()
            assert frame.opcode.name == "PING"


@pytest.mark.parametrize(
    ("names", "enters"), [(None, True), (frozenset({NEW}), True), (frozenset({"OTHER"}), False), (frozenset(), False)]
)
async def test_a_certificate_of_another_station_lets_no_stranger_in(
    autojump_clock: MockClock, csms: Csms, strangers: FakeStrangers, names: frozenset[str] | None, enters: bool
) -> None:
    reception = Reception(csms.reports, PasswordChecker(b"test"), FailedLogins(), csms.traffic, DIALECTS, csms.lobby)
    stranger = Stranger(NEW, "192.0.2.1")
    shown = None if names is None else ShownCertificate(names, "5", datetime(2026, 1, 1, tzinfo=UTC))
    assert (await reception._stranger(stranger, shown) is stranger) is enters
