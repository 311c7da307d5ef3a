"""The compliance cases of logs and signed firmware (OCPP 1.6 security white paper): followed by their request id."""

from __future__ import annotations

from typing import Any

import pytest

from evpower.link.errors import CommandRejected
from evpower.ocpp.door.failed_logins import FailedLogins
from evpower.server.operator import Operator
from tests.compliance.site import OK, Site

LOG = ("get-log", "LogStatusNotification")
FIRMWARE = ("update-signed-firmware", "SignedFirmwareStatusNotification")
SIGNED = {
    "location": "https://host/f",
    "retrieveDateTime": "2026-11-23T07:00:00Z",
    "signingCertificate": "PEM",
    "signature": "c2ln",
}


async def shown(site: Site) -> tuple[str, list[str], bool]:
    """What `evpower stations --json` shows of the last one: its status, the charger's words, whether it is over."""
    world = site.world
    operator = Operator(world.pool, world.clock, world.link, world.app, 300, FailedLogins())
    [station] = await operator.stations()
    [transfer] = station.facts.transfers
    return transfer.status, [step.status for step in transfer.steps], transfer.ended_at is not None


async def ask(site: Site, operation: str, reply: Any = OK) -> int:
    """The operator asks; the request id the charger was given."""
    arguments = {"location": "https://host/l", "log_type": "SecurityLog"} if operation == "get-log" else None
    answer = await site.operate(operation, arguments or {"firmware": SIGNED}, reply)
    return int(answer["transfer_id"])


async def follow(site: Site, action: str, request_id: int | None, *words: str) -> None:
    named = {} if request_id is None else {"requestId": request_id}
    for word in words:
        assert await site.say(action, status=word, **named) == {}


async def test_tc_079_a_security_log_is_followed_to_its_end(site: Site) -> None:
    request_id = await ask(site, "get-log", {"status": "Accepted", "filename": "l.zip"})
    where = {"remoteLocation": "https://host/l"}
    assert site.heard == [("GetLog", {"logType": "SecurityLog", "requestId": request_id, "log": where})]
    assert await shown(site) == ("Requested", [], False)
    await follow(site, "LogStatusNotification", request_id, "Uploading")
    assert await shown(site) == ("Uploading", ["Uploading"], False)
    await follow(site, "LogStatusNotification", request_id, "Uploaded")
    assert await shown(site) == ("Uploaded", ["Uploading", "Uploaded"], True)


@pytest.mark.parametrize("word", ["UploadFailure", "BadMessage", "NotSupportedOperation", "PermissionDenied"])
async def test_tc_079_a_security_log_that_fails_ends(word: str, site: Site) -> None:
    request_id = await ask(site, "get-log", {"status": "Accepted", "filename": "l.zip"})
    await follow(site, "LogStatusNotification", request_id, "Uploading", word)
    assert await shown(site) == (word, ["Uploading", word], True)


async def test_tc_079_a_log_the_charger_does_not_give_is_told(site: Site) -> None:
    with pytest.raises(CommandRejected):
        await ask(site, "get-log", {"status": "Rejected"})
    assert (await shown(site))[2]


async def test_tc_080_a_signed_firmware_update_is_followed_to_its_end(site: Site) -> None:
    request_id = await ask(site, "update-signed-firmware")
    assert site.heard == [("SignedUpdateFirmware", {"requestId": request_id, "firmware": SIGNED})]
    words = ["Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting"]
    await follow(site, FIRMWARE[1], request_id, *words)
    assert await shown(site) == ("InstallRebooting", words, False)
    await site.boot()
    await follow(site, FIRMWARE[1], request_id, "Installed")
    assert await shown(site) == ("Installed", [*words, "Installed"], True)


async def test_tc_081_firmware_with_an_invalid_signature_ends_and_is_alarming(site: Site) -> None:
    request_id = await ask(site, "update-signed-firmware")
    words = ["Downloading", "Downloaded", "InvalidSignature"]
    await follow(site, FIRMWARE[1], request_id, *words)
    await site.say("SecurityEventNotification", type="InvalidFirmwareSignature", timestamp=site.now())
    assert await shown(site) == ("InvalidSignature", words, True)
    events = [(row["type"], row["alarming"]) for row in await site.facts("ocpp_security_events")]
    assert events[-2:] == [("InvalidSignature", True), ("InvalidFirmwareSignature", True)]


@pytest.mark.parametrize("status", ["InvalidCertificate", "RevokedCertificate", "Rejected"])
async def test_tc_081_firmware_the_charger_refuses_at_once_is_told(status: str, site: Site) -> None:
    with pytest.raises(CommandRejected) as caught:
        await ask(site, "update-signed-firmware", {"status": status})
    assert caught.value.details["status"] == status
    assert (await shown(site))[2]


@pytest.mark.parametrize("how", [LOG, FIRMWARE], ids=str)
async def test_a_word_about_another_request_moves_nothing(how: tuple[str, str], site: Site) -> None:
    operation, action = how
    request_id = await ask(site, operation, {"status": "Accepted", "filename": "l.zip"})
    await follow(site, action, request_id + 1, "Installed" if how is FIRMWARE else "Uploaded")
    assert await shown(site) == ("Requested", [], False)


async def test_a_word_of_the_other_kind_with_its_number_moves_nothing(site: Site) -> None:
    request_id = await ask(site, "get-log", {"status": "Accepted", "filename": "l.zip"})
    await follow(site, FIRMWARE[1], request_id, "Installed")
    assert await shown(site) == ("Requested", [], False)


async def test_a_word_about_an_earlier_request_does_not_move_the_later_one(site: Site) -> None:
    first = await ask(site, "get-log", {"status": "Accepted", "filename": "1.zip"})
    await follow(site, LOG[1], first, "Uploading")
    await ask(site, "get-log", {"status": "AcceptedCanceled", "filename": "2.zip"})
    await follow(site, LOG[1], first, "UploadFailure")
    assert await shown(site) == ("Requested", [], False)
    assert [row["status"] for row in await site.facts("ocpp_transfers")] == ["Superseded", "Requested"]


async def test_idle_moves_nothing(site: Site) -> None:
    request_id = await ask(site, "get-log", {"status": "Accepted", "filename": "l.zip"})
    await follow(site, LOG[1], request_id, "Idle")
    await follow(site, LOG[1], None, "Idle")
    assert await shown(site) == ("Requested", [], False)


async def test_a_word_that_names_no_request_moves_the_one_under_way(site: Site) -> None:
    """The request id is optional in both notifications."""
    await ask(site, "get-log", {"status": "Accepted", "filename": "l.zip"})
    await follow(site, LOG[1], None, "Uploaded")
    assert await shown(site) == ("Uploaded", ["Uploaded"], True)


async def test_what_was_given_up_goes_on_when_the_charger_names_it(site: Site) -> None:
    """It gave no file name, so nothing was expected; it uploads all the same."""
    request_id = await ask(site, "get-log")
    assert await shown(site) == ("NothingToSend", [], True)
    await follow(site, LOG[1], request_id, "Uploading")
    assert await shown(site) == ("Uploading", ["Uploading"], False)


async def test_a_last_word_that_is_repeated_is_noted_once(site: Site) -> None:
    request_id = await ask(site, "get-log", {"status": "Accepted", "filename": "l.zip"})
    await follow(site, LOG[1], request_id, "Uploaded", "Uploaded")
    assert await shown(site) == ("Uploaded", ["Uploaded"], True)


async def test_a_request_id_beyond_32_bits_is_refused_and_not_repeated_for_ever(site: Site) -> None:
    await ask(site, "get-log", {"status": "Accepted", "filename": "l.zip"})
    answer = await site.peer.call("LogStatusNotification", {"status": "Uploaded", "requestId": 2**31}, "x")
    assert answer[:3] == [4, "x", "PropertyConstraintViolation"]
    assert await shown(site) == ("Requested", [], False)
