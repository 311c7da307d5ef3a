"""A report that a station sends after its answer, in parts, reaches who asked for it: whole and in order, or not at all
(contract/ocpp201 §2; N09, O03)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from evpower.identifiers import StationId
from evpower.link.commands import Command, Ending
from evpower.link.device_commands import AskCustomerData, ReadDevice, ReadMessages, ReadProfiles, Reported
from evpower.link.errors import ChargerOffline, CommandFailure, CommandTimedOut
from tests.ocpp.conftest import Csms
from tests.ocpp.peer import Peer
from tests.ocpp.v201.test_messages import PROFILE
from tests.ocpp.v201.test_station import AT, STATUS, charger, obey

CP = StationId("CP-1")
CUSTOMER = AskCustomerData(7, report=True, forget=False, id_tag="TAG", customer_identifier=None)
MESSAGES = ReadMessages(7, (), None, None)


def told(seq_no: int, data: str, *, more: bool, request_id: int = 7) -> dict[str, Any]:
    return {"requestId": request_id, "generatedAt": AT, "seqNo": seq_no, "data": data, "tbc": more}


class Asking:
    """An operator who waits."""

    def __init__(self, csms: Csms, nursery: trio.Nursery, command: Command[Reported]) -> None:
        self.reported: Reported | None = None
        self.failure: CommandFailure | None = None
        self._csms, self._command = csms, command
        nursery.start_soon(self._ask)

    @property
    def is_answered(self) -> bool:
        return self.reported is not None

    async def _ask(self) -> None:
        try:
            self.reported = await self._csms.registry.ask(CP, self._command)
        except CommandFailure as failure:
            self.failure = failure


async def asked(peer: Peer, status: str = "Accepted") -> None:
    _, message_id, _, payload = await peer.next_call()
    assert payload["requestId"] == 7
    await peer.send(3, message_id, {"status": status})


@pytest.fixture
async def peer(csms: Csms, autojump_clock: MockClock) -> Peer:
    peer = await charger(csms, 1)
    await peer.call("StatusNotification", STATUS)
    await obey(peer)
    return peer


async def test_parts_are_put_together_by_their_numbers(
    csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock, peer: Peer
) -> None:
    asking = Asking(csms, nursery, CUSTOMER)
    await asked(peer)
    await peer.call("NotifyCustomerInformation", told(1, "b", more=True))
    await peer.call("NotifyCustomerInformation", told(9, "another report", more=False, request_id=8))
    await peer.call("NotifyCustomerInformation", told(2, "c", more=False))
    await trio.testing.wait_all_tasks_blocked()
    assert not asking.is_answered
    assert (await peer.call("NotifyCustomerInformation", told(0, "a", more=True)))[2] == {}
    await trio.testing.wait_all_tasks_blocked()
    assert asking.reported is not None
    assert [part["data"] for part in asking.reported.parts] == ["a", "b", "c"]
    assert asking.reported.reply.as_sent == {"status": "Accepted"}


async def test_parts_without_numbers_come_in_their_order(
    csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock, peer: Peer
) -> None:
    asking = Asking(csms, nursery, MESSAGES)
    await asked(peer)
    message = {"id": 1, "priority": "InFront", "message": {"format": "UTF8", "content": "x"}}
    for more in (True, False):
        await peer.call("NotifyDisplayMessages", {"requestId": 7, "messageInfo": [message], "tbc": more})
    await trio.testing.wait_all_tasks_blocked()
    assert asking.reported is not None
    assert [part["messageInfo"] for part in asking.reported.parts] == [[message]] * 2


async def test_profiles_are_read_back(csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock, peer: Peer) -> None:
    """K09."""
    asking = Asking(csms, nursery, ReadProfiles(7, None, None, None, None))
    await asked(peer)
    part = {"requestId": 7, "chargingLimitSource": "CSO", "evseId": 1, "chargingProfile": [PROFILE]}
    for more in (True, False):
        await peer.call("ReportChargingProfiles", part | {"tbc": more})
    await trio.testing.wait_all_tasks_blocked()
    assert asking.reported is not None
    assert [each["chargingProfile"] for each in asking.reported.parts] == [[PROFILE]] * 2


async def test_a_report_of_variables_is_kept_too(
    csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock, peer: Peer
) -> None:
    asking = Asking(csms, nursery, ReadDevice(7, "FullInventory", ()))
    await asked(peer)
    await peer.call("NotifyReport", {"requestId": 7, "generatedAt": AT, "seqNo": 0})
    await trio.testing.wait_all_tasks_blocked()
    assert asking.reported is not None
    assert csms.reports.device_reports == [(7, 0, (), False)]


@pytest.mark.parametrize(("command", "ending"), [(CUSTOMER, Ending.REFUSED), (MESSAGES, Ending.DONE)])
async def test_a_station_that_reports_nothing_is_waited_for_no_longer(
    csms: Csms, nursery: trio.Nursery, autojump_clock: MockClock, peer: Peer, command: Command[Reported], ending: Ending
) -> None:
    """`Unknown` says of texts that there are none."""
    asking = Asking(csms, nursery, command)
    await asked(peer, "Invalid" if command is CUSTOMER else "Unknown")
    await trio.testing.wait_all_tasks_blocked()
    assert asking.reported is not None
    assert (asking.reported.reply.ending, asking.reported.parts) == (ending, ())


async def silence(peer: Peer) -> None:
    for _ in range(4):
        await trio.sleep(25)
        await peer.call("Heartbeat", {})


async def leaving(peer: Peer) -> None:
    await peer.wire.aclose()
    await trio.testing.wait_all_tasks_blocked()


@pytest.mark.parametrize(("then", "failure"), [(silence, CommandTimedOut), (leaving, ChargerOffline)])
async def test_a_report_that_does_not_come_whole_is_a_failure(
    csms: Csms,
    nursery: trio.Nursery,
    autojump_clock: MockClock,
    peer: Peer,
    then: Callable[[Peer], Any],
    failure: type[CommandFailure],
) -> None:
    asking = Asking(csms, nursery, CUSTOMER)
    await asked(peer)
    await peer.call("NotifyCustomerInformation", told(0, "a", more=True))
    await then(peer)
    assert isinstance(asking.failure, failure)


async def test_a_report_nobody_waits_for_is_answered(csms: Csms, autojump_clock: MockClock, peer: Peer) -> None:
    assert (await peer.call("NotifyCustomerInformation", told(0, "a", more=False)))[2] == {}
