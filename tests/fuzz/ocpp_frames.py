"""Broken frames and messages at the chargers' door: sockets that were let in, and then say anything."""

from __future__ import annotations

import random
from typing import Any

import trio

from evpower.network.station import Admission
from tests.fuzz.oddities import bent, framed, odd_value, written
from tests.fuzz.storm import Duration, storm
from tests.ocpp.conftest import Csms
from tests.ocpp.peer import Peer

AT_ONCE = 30
#: For the answers of one charger.
WITHIN_S = 0.05
AT = "2026-01-01T00:00:00Z"
SAMPLE = {"value": "1000", "measurand": "Energy.Active.Import.Register", "unit": "Wh", "context": "Sample.Periodic"}
READINGS = [{"timestamp": AT, "sampledValue": [SAMPLE]}]
HASH = {"hashAlgorithm": "SHA256", "issuerNameHash": "a", "issuerKeyHash": "b", "serialNumber": "1"}
CALLS: dict[str, dict[str, Any]] = {
    "BootNotification": {"chargePointVendor": "V", "chargePointModel": "M", "firmwareVersion": "1", "iccid": "1"},
    "Heartbeat": {},
    "StatusNotification": {"connectorId": 1, "errorCode": "NoError", "status": "Charging", "timestamp": AT},
    "Authorize": {"idTag": "CARD"},
    "StartTransaction": {"connectorId": 1, "idTag": "CARD", "meterStart": 0, "timestamp": AT, "reservationId": 1},
    "MeterValues": {"connectorId": 1, "transactionId": 1, "meterValue": READINGS},
    "StopTransaction": {"transactionId": 1, "meterStop": 1000, "timestamp": AT, "transactionData": READINGS},
    "DataTransfer": {"vendorId": "V", "messageId": "M", "data": "{}"},
    "DiagnosticsStatusNotification": {"status": "Uploaded"},
    "FirmwareStatusNotification": {"status": "Installed"},
    "SignCertificate": {"csr": "-----BEGIN CERTIFICATE REQUEST-----"},
    "SecurityEventNotification": {"type": "T", "timestamp": AT, "techInfo": "x"},
    "LogStatusNotification": {"status": "Uploaded", "requestId": 1},
    "SignedFirmwareStatusNotification": {"status": "Installed", "requestId": 1},
    "InstallCertificate": {"hash": HASH},
}


def message(dice: random.Random) -> object:
    """A CALL that is nearly right, an answer to something, or nothing of OCPP."""
    number = str(dice.randrange(5))
    match dice.randrange(10):
        case 0:
            return bent(dice, [3, number, {"status": "Accepted", "configurationKey": []}])
        case 1:
            return bent(dice, [4, number, "NotSupported", "", {}])
        case 2:
            return odd_value(dice)
        case _:
            action, payload = dice.choice(tuple(CALLS.items()))
            return bent(dice, [2, number, action, bent(dice, payload)])


def conversation(dice: random.Random) -> bytes:
    """What one charger sends behind its upgrade."""
    boots = framed(dice, written(dice, [2, "b", "BootNotification", CALLS["BootNotification"]]))
    return boots + b"".join(framed(dice, written(dice, message(dice))) for _ in range(dice.randrange(8)))


async def charger(csms: Csms, name: str, raw: bytes) -> None:
    """Connects, sends it all, and looks at the answers for a moment."""
    peer = Peer(await csms.connect())
    try:
        with trio.move_on_after(WITHIN_S):
            await peer.open(f"/ws/{name}", behind=raw)
            await peer.ended()
    except (trio.BrokenResourceError, trio.ClosedResourceError, EOFError):
        pass
    finally:
        await trio.aclose_forcefully(peer.wire)


async def fuzz(duration: Duration, dice: random.Random) -> str:
    """What went wrong; empty when nothing did."""
    async with trio.open_nursery() as nursery:
        csms = Csms(nursery)
        names = [f"CP-{number}" for number in range(AT_ONCE)]
        csms.reports.stations = {name: Admission(name, "active", None) for name in names}
        await trio.aclose_forcefully(await csms.connect())

        async def volley() -> list[bytes]:
            sent = [conversation(dice) for _ in names]
            async with trio.open_nursery() as chargers:
                for name, raw in zip(names, sent, strict=True):
                    chargers.start_soon(charger, csms, name, raw)
            for notes in vars(csms.reports).values():
                if isinstance(notes, list):
                    notes.clear()  # the fake's memory is not ours
            return sent

        wrong = await storm(volley, duration)
        nursery.cancel_scope.cancel()
    return wrong
