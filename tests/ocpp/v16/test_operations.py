"""What a charger can be asked in our words has its way onto the wire of OCPP 1.6, every one of it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_type_hints

import pytest

from evpower.cluster.remote_commands import answer_type
from evpower.errors import InvalidRequest
from evpower.identifiers import ConnectorId, StationId
from evpower.link import device_commands
from evpower.link.commands import Command
from evpower.link.errors import NotInThisVersion
from evpower.ocpp.v16.commands.operations import OPERATIONS
from evpower.ocpp.v16.commands.profiles import read_profile
from tests.ocpp.conftest import Csms
from tests.ocpp.v16.test_raw_commands import PROFILE

CP = StationId("CP-1")


#: What OCPP 2.0.1 alone has.
OF_201 = [kind for kind in vars(device_commands).values() if isinstance(kind, type) and Command in kind.__bases__]


def test_every_command_has_its_operation() -> None:
    assert set(OPERATIONS) == set(Command.__subclasses__()) - set(OF_201)


async def test_what_2_0_1_alone_has_is_refused_and_nothing_is_sent(csms: Csms) -> None:
    """Whether the station is there or not."""
    assert len(OF_201) == 15
    for kind in OF_201:
        command = kind(*([None] * len(fields(kind))))
        with pytest.raises(NotInThisVersion) as caught:
            await csms.registry.ask(CP, command)
        assert caught.value.details == {"reason": "not_in_ocpp_1.6"}


@pytest.mark.parametrize("kind", OPERATIONS, ids=lambda kind: kind.__name__)
def test_an_operation_takes_its_command_and_returns_its_answer(kind: type[Command[Any]]) -> None:
    """The table says so to no type checker."""
    hints = get_type_hints(OPERATIONS[kind])
    answer = hints.pop("return")
    hints.pop("send")
    assert (list(hints.values()), answer) == ([kind], answer_type(kind))


@pytest.mark.parametrize("key", ["AuthorizationKey", "AUTHORIZATIONKEY"])
async def test_a_password_is_not_set_by_a_command_as_written(csms: Csms, key: str) -> None:
    """Whether the station is there or not."""
    with pytest.raises(InvalidRequest) as caught:
        await csms.registry.command(CP, "ChangeConfiguration", {"key": key, "value": "x" * 16})
    assert [field for field, _ in caught.value.fields] == ["AuthorizationKey"]


def test_a_profile_is_read_as_it_will_be_sent() -> None:
    profile = read_profile(ConnectorId(0), PROFILE)
    assert (profile.profile_id, profile.purpose, profile.stack_level) == (1, "TxDefaultProfile", 0)
    assert (profile.transaction_id, profile.is_passing, profile.as_written) == (None, False, PROFILE)
    passing = {**PROFILE, "chargingProfilePurpose": "TxProfile", "transactionId": 7}
    assert read_profile(ConnectorId(1), passing).transaction_id == "7"
    assert read_profile(ConnectorId(1), passing).is_passing
    with pytest.raises(InvalidRequest) as caught:
        read_profile(ConnectorId(0), passing)
    assert [field for field, _ in caught.value.fields] == ["connectorId"]
