"""From an incoming CALL to its answer: which handler, and which CALLERROR when there is none (OCPP-J §4.2.3).

`ACTIONS` is the table of what is offered; adding an action is one message, one handler, one line here, one test.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import trio
from ocpp.v16.enums import Action as StandardAction

from evpower.ocpp.v16 import handlers, messages, security
from evpower.ocpp.v16.charger import Charger
from evpower.ocpp.v16.reading import Unreadable, read
from evpower.ocpp.watch.oddities import shown
from evpower.ocpp.wire import frames

log = logging.getLogger("OCPP")

Handler = Callable[[Charger, Any, bytes], Awaitable[messages.Confirmation]]


@dataclass(frozen=True)
class Action:
    request: type[messages.Request]
    handle: Handler
    #: The journal bounds its own commits, so a report that goes nowhere else needs no time-out of its own (11 µs each).
    journalled: bool = False


ACTIONS = {
    "BootNotification": Action(messages.BootNotification, handlers.boot_notification),
    "Heartbeat": Action(messages.Heartbeat, handlers.heartbeat),
    "StatusNotification": Action(messages.StatusNotification, handlers.status_notification, journalled=True),
    "Authorize": Action(messages.Authorize, handlers.authorize),
    "StartTransaction": Action(messages.StartTransaction, handlers.start_transaction),
    "MeterValues": Action(messages.MeterValues, handlers.meter_values, journalled=True),
    "StopTransaction": Action(messages.StopTransaction, handlers.stop_transaction),
    "DataTransfer": Action(messages.DataTransfer, handlers.data_transfer),
    "DiagnosticsStatusNotification": Action(
        messages.DiagnosticsStatusNotification, handlers.diagnostics_status_notification
    ),
    "FirmwareStatusNotification": Action(messages.FirmwareStatusNotification, handlers.firmware_status_notification),
    "SecurityEventNotification": Action(messages.SecurityEventNotification, security.security_event_notification),
    "SignCertificate": Action(messages.SignCertificate, security.sign_certificate),
    "LogStatusNotification": Action(messages.LogStatusNotification, security.log_status_notification),
    "SignedFirmwareStatusNotification": Action(
        messages.SignedFirmwareStatusNotification, security.signed_firmware_status_notification
    ),
}
#: OCPP 1.6 and its security extension, both directions.
KNOWN = frozenset(str(action.value) for action in StandardAction)

_encode = msgspec.json.Encoder().encode


async def answer(charger: Charger, call: frames.Call) -> bytes:
    """The frame that answers the CALL. Never raises for what a charger or the database does."""
    began = trio.current_time()
    frame = await _answer(charger, call)
    charger.connection.traffic.call_answered(call.action, trio.current_time() - began)
    return frame


async def _answer(charger: Charger, call: frames.Call) -> bytes:
    action = ACTIONS.get(call.action)
    if action is None:
        return _refuse(charger, call, "NotSupported" if call.action in KNOWN else "NotImplemented", call.action)
    if charger.connection.registration != "Accepted" and call.action != "BootNotification":
        return _refuse(charger, call, "SecurityError", f"the boot is {charger.connection.registration}")
    payload = bytes(call.payload)
    try:
        request = read(action.request, payload, charger.connection.oddities)
    except Unreadable as exc:
        return _refuse(charger, call, exc.code, exc.problem)
    try:
        if action.journalled:
            confirmation = await action.handle(charger, request, payload)
        else:
            with trio.fail_after(charger.settings.handler_timeout_s):
                confirmation = await action.handle(charger, request, payload)
    except Exception:  # whatever failed on our side, the charger must hear it and repeat (duty 15)
        log.exception("station=%s: %s failed", charger.station_id, call.action)
        charger.connection.traffic.errors_sent["InternalError"] += 1
        return frames.call_error(call.message_id, "InternalError")
    return frames.call_result(call.message_id, _encode(confirmation))


def _refuse(charger: Charger, call: frames.Call, code: str, problem: str) -> bytes:
    log.warning("station=%s: %s: %s: %s", charger.station_id, shown(call.action), code, shown(problem))
    charger.connection.traffic.errors_sent[code] += 1
    return frames.call_error(call.message_id, code, problem)
