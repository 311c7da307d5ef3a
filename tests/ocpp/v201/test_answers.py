"""What an OCPP 2.0.1 station answers to an operator's command, and how that ended; each row names its cases of the
independent suite."""

from __future__ import annotations

from typing import Any

import pytest

from evpower.identifiers import ConnectorId
from evpower.link import commands, device_commands
from evpower.link.commands import Ending, ListAnswer, ListVersion, Reply, Trusted, Upload
from evpower.link.device_commands import Reported
from evpower.ocpp.dialect import Request, Send
from evpower.ocpp.v201.commands.schemas import SCHEMAS
from evpower.ocpp.v201.dialect import OCPP_201
from tests.ocpp.v201.test_messages import NETWORK, NOON, PROFILE

ONE = ConnectorId(1)
DONE, LATER, REFUSED = Ending.DONE, Ending.LATER, Ending.REFUSED
HELD = {"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "bb", "serialNumber": "1"}
ROOT = commands.HeldCertificate("SHA256", "aa", "bb", "1")
SIGNED = {"location": "https://x/y", "retrieveDateTime": "2026-01-01T00:00:00Z", "signature": "s"}
SET_PROFILE = commands.SetProfile(ONE, OCPP_201.read_profile(ONE, PROFILE))
RESERVE = commands.Reserve(1, ONE, "TAG", NOON, None)
OUT = commands.SetAvailability(ONE, operative=False)
KEY = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
LOG = commands.UploadLog(1, "ftp://x/y", "SecurityLog", None, None)
MESSAGE = device_commands.ShowMessage(1, "text", "InFront", "UTF8", None, None, None, None, None)
MONITOR = device_commands.SetMonitors(
    (device_commands.WantedMonitor("EVSE.Power", "Delta", 1.0, 8, None, False, None),)
)
SET = {"type": "Delta", "severity": 8, "component": {"name": "EVSE"}, "variable": {"name": "Power"}}

CASES: list[tuple[str, commands.Command[Any], str, Ending]] = [
    ("B_20 B_22", commands.Restart("hard"), "Accepted", DONE),
    ("B_21", commands.Restart("soft"), "Scheduled", LATER),
    ("B_25 B_27", commands.Restart("hard", ONE), "Accepted", DONE),
    ("B_26", commands.Restart("soft", ONE), "Scheduled", LATER),
    ("B_20 refused", commands.Restart("hard"), "Rejected", REFUSED),
    ("B_42", device_commands.SetNetworkProfile(1, NETWORK), "Accepted", DONE),
    ("B_44", device_commands.SetNetworkProfile(1, NETWORK), "Failed", REFUSED),
    ("C_37", commands.ForgetCards(), "Accepted", DONE),
    ("C_38", commands.ForgetCards(), "Rejected", REFUSED),
    ("F_06", commands.Unlock(ONE), "Unlocked", DONE),
    ("F_06 failed", commands.Unlock(ONE), "UnlockFailed", REFUSED),
    ("F_06 charging", commands.Unlock(ONE), "OngoingAuthorizedTransaction", REFUSED),
    ("F_11 F_15 F_18", commands.Trigger("Heartbeat", None), "Accepted", DONE),
    ("F_20 F_23", commands.Trigger("MeterValues", ONE), "Rejected", REFUSED),
    ("F_24", commands.Trigger("FirmwareStatusNotification", None), "NotImplemented", REFUSED),
    ("G_03 G_05", OUT, "Accepted", DONE),
    ("G_11", OUT, "Scheduled", LATER),
    ("G_03 refused", OUT, "Rejected", REFUSED),
    ("H_01 H_07 H_08", RESERVE, "Accepted", DONE),
    ("H_22", RESERVE, "Rejected", REFUSED),
    ("H_22 taken", RESERVE, "Occupied", REFUSED),
    ("H_17", commands.EndReservation(1), "Accepted", DONE),
    ("H_17 unknown", commands.EndReservation(1), "Rejected", REFUSED),
    ("K_01", SET_PROFILE, "Accepted", DONE),
    ("K_15", SET_PROFILE, "Rejected", REFUSED),
    ("K_05 K_08", commands.ClearProfiles(1, None, None, None), "Accepted", DONE),
    ("K_06", commands.ClearProfiles(1, None, None, None), "Unknown", DONE),
    ("K_43 K_44", commands.ReadSchedule(ONE, 60, None), "Accepted", DONE),
    ("K_43 refused", commands.ReadSchedule(ONE, 60, None), "Rejected", REFUSED),
    ("L_01", commands.FetchSignedFirmware(1, SIGNED), "Accepted", DONE),
    ("L_11", commands.FetchSignedFirmware(1, SIGNED), "AcceptedCanceled", DONE),
    ("L_05", commands.FetchSignedFirmware(1, SIGNED), "InvalidCertificate", REFUSED),
    ("L_05 revoked", commands.FetchSignedFirmware(1, SIGNED), "RevokedCertificate", REFUSED),
    ("L_17", device_commands.PublishFirmware(1, "https://x/y", "abc"), "Accepted", DONE),
    ("L_21", device_commands.UnpublishFirmware("abc"), "Unpublished", DONE),
    ("L_22", device_commands.UnpublishFirmware("abc"), "NoFirmware", DONE),
    ("L_23", device_commands.UnpublishFirmware("abc"), "DownloadOngoing", REFUSED),
    ("M_01", commands.Trust("CentralSystemRootCertificate", "PEM"), "Accepted", DONE),
    ("M_02", commands.Trust("CentralSystemRootCertificate", "PEM"), "Failed", REFUSED),
    ("M_05", commands.Trust("ManufacturerRootCertificate", "PEM"), "Rejected", REFUSED),
    ("M_20", commands.Distrust(ROOT), "Accepted", DONE),
    ("M_21", commands.Distrust(ROOT), "Failed", REFUSED),
    ("M_21 unknown", commands.Distrust(ROOT), "NotFound", REFUSED),
    ("A_11", commands.DeliverCertificate("PEM"), "Accepted", DONE),
    ("A_14", commands.DeliverCertificate("PEM"), "Rejected", REFUSED),
    ("N_05", device_commands.SetMonitoringBase("All"), "Accepted", DONE),
    ("N_05 refused", device_commands.SetMonitoringBase("All"), "Rejected", REFUSED),
    ("N_16", device_commands.SetMonitoringLevel(4), "Accepted", DONE),
    ("O_01", MESSAGE, "Accepted", DONE),
    ("O_25", MESSAGE, "NotSupportedPriority", REFUSED),
    ("O_27", MESSAGE, "UnknownTransaction", REFUSED),
    ("O_28", MESSAGE, "Rejected", REFUSED),
    ("O_04", device_commands.HideMessage(1), "Accepted", DONE),
    ("O_05", device_commands.HideMessage(1), "Unknown", DONE),
]


async def answered(command: commands.Command[Any], answer: dict[str, Any]) -> Any:
    """What becomes of an answer that the standard allows."""

    async def send(request: Request) -> dict[str, Any]:
        SCHEMAS.check_command(request.action, request.payload)
        assert not SCHEMAS.wrong_in_answer(request.action, answer)
        return dict(answer)

    return await OCPP_201.perform(Send(send), command)


@pytest.mark.parametrize(("cases", "command", "status", "ending"), CASES, ids=[each[0] for each in CASES])
async def test_what_a_station_answers_is_how_it_ended(
    cases: str, command: commands.Command[Any], status: str, ending: Ending
) -> None:
    reply = await answered(command, {"status": status})
    assert isinstance(reply, Reply)
    assert (reply.ending, reply.status) == (ending, status)


@pytest.mark.parametrize(
    ("status", "ending"), [("Accepted", DONE), ("RebootRequired", LATER), ("Rejected", REFUSED)], ids=str
)
async def test_a_password_is_a_variable_of_which_the_result_counts(status: str, ending: Ending) -> None:
    """A_09, A_10, B_09, B_10."""
    reply = await answered(commands.SetPassword("s" * 16), {"setVariableResult": [{"attributeStatus": status, **KEY}]})
    assert (reply.ending, reply.status) == (ending, status)


@pytest.mark.parametrize(("status", "ending"), [("Accepted", DONE), ("Rejected", REFUSED), ("Duplicate", REFUSED)])
async def test_a_monitor_is_set_or_it_is_not(status: str, ending: Ending) -> None:
    """N_08, N_09, N_24."""
    reply = await answered(MONITOR, {"setMonitoringResult": [{"status": status, **SET}]})
    assert (reply.ending, reply.status) == (ending, status)


@pytest.mark.parametrize(("status", "ending"), [("Accepted", DONE), ("NotFound", DONE), ("Rejected", REFUSED)])
async def test_a_monitor_that_is_not_there_is_cleared(status: str, ending: Ending) -> None:
    """N_18, N_44."""
    answer = {"clearMonitoringResult": [{"status": status, "id": 1}]}
    assert (await answered(device_commands.ClearMonitors((1,)), answer)).ending is ending


@pytest.mark.parametrize(
    ("status", "taken", "repairable"),
    [("Accepted", True, False), ("Failed", False, True), ("VersionMismatch", False, True)],
)
async def test_a_list_that_was_not_taken_can_be_repaired(status: str, taken: bool, repairable: bool) -> None:
    """D_01 to D_04: an empty list is one without entries, for an array of none is no message of 2.0.1."""
    for entries in ({}, {"A": commands.ListEntry("Accepted", None, None)}):
        reply = await answered(commands.SendList(3, full=True, entries=entries), {"status": status})
        assert reply == ListAnswer(taken=taken, status=status, repairable=repairable)


async def test_a_station_without_a_list_has_version_0() -> None:
    """D_08, D_09."""
    for version in (7, 0):
        assert await answered(commands.ReadListVersion(), {"versionNumber": version}) == ListVersion(
            version, {"versionNumber": version}
        )


async def test_roots_are_listed_and_none_are_found() -> None:
    """M_12, M_13, M_17, M_19."""
    wanted = commands.ListTrusted("CentralSystemRootCertificate")
    assert await answered(wanted, {"status": "NotFound"}) == Trusted((), ())
    chain = {"certificateType": "CSMSRootCertificate", "certificateHashData": HELD}
    found = await answered(wanted, {"status": "Accepted", "certificateHashDataChain": [chain]})
    assert found == Trusted((ROOT,), ({"certificateType": "CentralSystemRootCertificate", **HELD},))


@pytest.mark.parametrize(
    ("status", "ending"), [("Accepted", DONE), ("AcceptedCanceled", DONE), ("Rejected", REFUSED)], ids=str
)
async def test_a_log_is_sent_under_a_name_or_not(status: str, ending: Ending) -> None:
    """N_25, N_34, N_35, N_36."""
    upload = await answered(LOG, {"status": status, "filename": "x.log"})
    assert isinstance(upload, Upload)
    assert (upload.reply.ending, upload.file_name) == (ending, "x.log")


@pytest.mark.parametrize(
    ("cases", "command", "status", "ending"),
    [
        ("K_31", device_commands.ReadProfiles(1, None, 2, None, None), "NoProfiles", DONE),
        ("N_31", device_commands.AskCustomerData(1, True, False, "TAG", None), "Invalid", REFUSED),
        ("N_32", device_commands.AskCustomerData(1, True, False, "TAG", None), "Rejected", REFUSED),
        ("N_60", device_commands.ReadMonitors(1, (), ()), "EmptyResultSet", DONE),
        ("N_47", device_commands.ReadMonitors(1, (), ()), "NotSupported", REFUSED),
        ("O_02", device_commands.ReadMessages(1, (9,), None, None), "Unknown", DONE),
        ("B_18", device_commands.ReadDevice(1, "FullInventory", ("EVSE",)), "EmptyResultSet", DONE),
        ("B_12", device_commands.ReadDevice(1, "SummaryInventory", ()), "Rejected", REFUSED),
    ],
)
async def test_a_report_of_nothing_has_no_parts(
    cases: str, command: commands.Command[Any], status: str, ending: Ending
) -> None:
    assert await answered(command, {"status": status}) == Reported(Reply(ending, status, {"status": status}), ())
