"""Coming, going, twins and the drain (duties 4, 6; design §2)."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from evpower.identifiers import StationId
from tests.ocpp.conftest import Csms
from tests.ocpp.peer import Peer

CP = StationId("CP-1")


async def test_a_charger_that_leaves_is_told_to_the_service_once(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    assert csms.registry.is_connected(CP)
    await peer.wire.aclose()
    await trio.testing.wait_all_tasks_blocked()
    assert not csms.registry.is_connected(CP)
    assert csms.registry.last_seen_at(CP) is None
    assert csms.reports.told == [("connected", CP), ("disconnected", CP)]
    assert csms.reports.close_codes == [1006]


async def test_a_charger_that_was_silent_too_long_and_speaks_is_announced_at_once(
    csms: Csms, autojump_clock: MockClock
) -> None:
    csms.set(heartbeat_timeout_s=10)
    peer = await csms.charger()
    await trio.sleep(9)
    await peer.call("Heartbeat")
    assert csms.reports.count("returned") == 0
    await trio.sleep(11)
    await peer.call("Heartbeat")
    await peer.call("Heartbeat")
    assert csms.reports.count("returned") == 1


async def test_duty_04_a_twin_replaces_the_first_which_is_closed_with_1000(
    csms: Csms, autojump_clock: MockClock
) -> None:
    first = await csms.charger()
    second = await csms.charger()
    assert await first.ended() == 1000
    assert (await second.call("Heartbeat"))[0] == 3


async def test_duty_04_the_end_of_the_replaced_socket_never_marks_the_charger_offline(
    csms: Csms, autojump_clock: MockClock
) -> None:
    first = await csms.charger()
    second = await csms.charger()
    await first.ended()
    await second.call("Heartbeat")
    assert csms.reports.count("disconnected") == 0
    assert csms.registry.is_connected(CP)


@pytest.mark.parametrize("is_alive", [True, False])
async def test_a_twin_of_a_live_station_is_reported_and_one_of_a_dead_line_is_not(
    autojump_clock: MockClock, csms: Csms, is_alive: bool
) -> None:
    """Safe by default 2: the one that is replaced answers our Close when somebody is there."""
    first = await csms.charger()
    async with trio.open_nursery() as nursery:
        if is_alive:
            nursery.start_soon(first.ended)
        await csms.charger()
        await trio.sleep(10)
        nursery.cancel_scope.cancel()
    assert csms.reports.count("replaced alive") == is_alive


async def test_duty_04_a_goodbye_being_written_ends_before_the_twin_is_told(
    csms: Csms, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = trio.Event()

    async def slowly(station_id: StationId, last_seen_at: object, close_code: int) -> None:
        await written.wait()
        csms.reports.told.append(("disconnected", station_id))

    monkeypatch.setattr(csms.reports, "disconnected", slowly)
    first = await csms.charger()
    await first.wire.aclose()
    await trio.testing.wait_all_tasks_blocked()
    second = await csms.charger()
    written.set()
    await second.call("Heartbeat")
    assert [what for what, _ in csms.reports.told] == ["connected", "disconnected", "connected"]


async def test_duty_04_a_twin_while_the_first_is_in_a_commit_lets_it_finish(
    csms: Csms, autojump_clock: MockClock
) -> None:
    first = await csms.charger()
    csms.reports.commit = trio.Event()
    await first.send(2, "m", "Authorize", {"idTag": "A"})
    await trio.testing.wait_all_tasks_blocked()
    await csms.charger()
    csms.reports.commit.set()
    assert (await first.answer("m"))[0] == 3
    assert await first.ended() == 1000
    assert csms.reports.count("authorize") == 1


async def test_a_drain_closes_every_charger_with_1001(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    csms.scope.cancel()
    assert await peer.ended() == 1001
    await csms.stopped.wait()
    assert csms.reports.told[-1] == ("disconnected", CP)
    assert csms.reports.close_codes == [1001]


async def test_a_drain_answers_the_call_in_progress_first(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    csms.reports.commit = trio.Event()
    await peer.send(2, "m", "Authorize", {"idTag": "A"})
    await trio.testing.wait_all_tasks_blocked()
    csms.scope.cancel()
    await trio.testing.wait_all_tasks_blocked()
    csms.reports.commit.set()
    assert (await peer.answer("m"))[0] == 3
    assert await peer.ended() == 1001


async def test_a_drain_is_bounded_whatever_hangs(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    csms.reports.commit = trio.Event()  # never set
    await peer.send(2, "m", "Authorize", {"idTag": "A"})
    await csms.connect()  # and a handshake that never comes
    await trio.testing.wait_all_tasks_blocked()
    began = trio.current_time()
    csms.scope.cancel()
    await csms.stopped.wait()
    assert trio.current_time() - began < 10


async def test_a_drain_takes_no_new_chargers(csms: Csms, autojump_clock: MockClock) -> None:
    late = Peer(await csms.connect())
    await trio.testing.wait_all_tasks_blocked()
    csms.scope.cancel()
    await csms.stopped.wait()
    with pytest.raises((trio.BrokenResourceError, EOFError)):
        await late.open()
    assert not csms.registry.seen()
