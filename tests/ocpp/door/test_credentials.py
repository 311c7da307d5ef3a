"""Passwords at the chargers' door (duties 1, 7; design §9.9). These run on the real clock: scrypt is a thread."""

from __future__ import annotations

import logging
from base64 import b64encode

import pytest
import trio

from evpower.network.station import Admission
from evpower.ocpp.door.passwords import PasswordChecker, hash_password, verify_password
from evpower.ocpp.wire.transport import SocketLimits
from tests.ocpp.conftest import Csms
from tests.ocpp.peer import Peer

HASH = hash_password("s3cret:ё", b"0123456789abcdef")


def basic(user: str, password: str) -> tuple[tuple[str, str], ...]:
    return (("Authorization", "Basic " + b64encode(f"{user}:{password}".encode()).decode()),)


@pytest.fixture
def locked(csms: Csms) -> Csms:
    csms.reports.stations = {
        "CP-1": Admission("CP-1", "active", HASH),
        "a:b": Admission("a:b", "active", HASH),
        "SERIAL": Admission("CP-1", "active", HASH),
    }
    csms.set(limits=SocketLimits(close_timeout_s=0.05))
    return csms


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/ws/CP-1", basic("CP-1", "s3cret:ё")),
        ("/ws/a%3Ab", basic("a:b", "s3cret:ё")),
        ("/ws/SERIAL", basic("SERIAL", "s3cret:ё")),
        ("/ws/SERIAL", basic("CP-1", "s3cret:ё")),
        ("/ws/CP-1?token=s3cret%3A%D1%91", ()),
    ],
)
async def test_the_right_password_opens(locked: Csms, target: str, headers: tuple[tuple[str, str], ...]) -> None:
    await locked.charger(target, headers=headers)


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/ws/CP-1", ()),
        ("/ws/CP-1", basic("CP-1", "wrong")),
        ("/ws/CP-1", basic("CP-2", "s3cret:ё")),
        ("/ws/CP-1", (("Authorization", "Basic !!!"),)),
        ("/ws/CP-1", (("Authorization", "Basic"),)),
        ("/ws/CP-1", (("Authorization", "Digest x"),)),
        ("/ws/CP-1", (("Authorization", "Bearer wrong"),)),
        ("/ws/CP-1?token=wrong", ()),
        ("/ws/CP-1?token=" + "x" * 2000, ()),
    ],
)
async def test_duty_01_missing_or_wrong_credentials_are_401_and_nothing_else_leaks(
    locked: Csms, target: str, headers: tuple[tuple[str, str], ...]
) -> None:
    response = await Peer(await locked.connect()).open(target, headers=headers)
    assert (response.status_code, response.body) == (401, b"unauthorized\n")
    assert response.headers["WWW-Authenticate"] == 'Basic realm="ocpp"'


async def test_a_station_without_a_password_is_refused_where_anonymous_ones_are(csms: Csms) -> None:
    csms.anonymous = False
    assert (await Peer(await csms.connect()).open()).status_code == 401


async def test_a_station_with_a_password_needs_it_even_where_anonymous_ones_enter(locked: Csms) -> None:
    assert locked.anonymous
    assert (await Peer(await locked.connect()).open()).status_code == 401


async def test_duty_07_no_password_reaches_the_log(locked: Csms, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await Peer(await locked.connect()).open("/ws/CP-1?token=hunter2", headers=basic("CP-1", "hunter3"))
    await Peer(await locked.connect()).open("/ws/unknown?token=hunter4")
    ours = [record.getMessage() for record in caplog.records if record.name != "websockets.client"]
    assert ours
    assert not any("hunter" in message or "aHVudGVy" in message for message in ours)


def test_a_hash_is_salted_and_of_its_password_alone() -> None:
    assert hash_password("p", b"1" * 16) != hash_password("p", b"2" * 16)
    assert verify_password("s3cret:ё", HASH)
    assert not verify_password("s3cret", HASH)


@pytest.mark.parametrize("broken", ["", "scrypt", "scrypt$x$8$1$AAAA$AAAA", "scrypt$3$8$1$AAAA$AAAA", "md5$1$2$3$4$5"])
def test_an_unreadable_hash_matches_nothing(broken: str) -> None:
    assert not verify_password("p", broken)


async def test_a_reconnect_storm_costs_one_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = []

    def count(password: str, password_hash: str) -> bool:
        checked.append(password)
        return verify_password(password, password_hash)

    monkeypatch.setattr("evpower.ocpp.door.passwords.verify_password", count)
    checker = PasswordChecker(b"key")
    for _ in range(50):
        assert await checker.matches("s3cret:ё", HASH)
        assert not await checker.matches("wrong", HASH)
    assert len(checked) == 2


async def test_what_is_remembered_is_bounded() -> None:
    checker = PasswordChecker(b"key", max_remembered=2)
    async with trio.open_nursery() as nursery:
        for word in ("a", "b", "c"):
            nursery.start_soon(checker.matches, word, HASH)
    assert len(checker._verdicts) == 2


async def test_tc_085_basic_authentication_lets_the_right_pair_in_and_no_other(locked: Csms) -> None:
    await locked.charger("/ws/CP-1", headers=basic("CP-1", "s3cret:ё"))
    refused = await Peer(await locked.connect()).open("/ws/CP-1", headers=basic("CP-1", "s3cret"))
    assert refused.status_code == 401


PENDING = hash_password("the-password-to-be", b"fedcba9876543210")


async def test_a_pending_password_opens_beside_the_old_one_and_is_reported(locked: Csms) -> None:
    locked.reports.stations["CP-1"] = Admission("CP-1", "active", HASH, pending_hash=PENDING)
    await locked.charger(headers=basic("CP-1", "s3cret:ё"))
    assert not locked.reports.count(f"shown {PENDING}")
    await locked.charger(headers=basic("CP-1", "the-password-to-be"))
    assert locked.reports.count(f"shown {PENDING}") == 1


async def test_a_first_password_on_its_way_shuts_nobody_out(csms: Csms) -> None:
    csms.set(limits=SocketLimits(close_timeout_s=0.05))
    csms.reports.stations["CP-1"] = Admission("CP-1", "active", None, pending_hash=PENDING)
    await csms.charger()
    await csms.charger(headers=basic("CP-1", "the-password-to-be"))
    assert csms.reports.count(f"shown {PENDING}") == 1
