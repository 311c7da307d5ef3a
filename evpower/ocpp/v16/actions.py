"""What an OCPP 1.6 station may send and gets an answer to.

Adding an action is one message, one handler, one line here, one test.
"""

from __future__ import annotations

from evpower.ocpp.dispatch import Action
from evpower.ocpp.v16 import handlers, messages, security

ACTIONS = {
    "BootNotification": Action(messages.BootNotification, handlers.boot_notification),
    "Heartbeat": Action(messages.Heartbeat, handlers.heartbeat, bounds_itself=True),
    "StatusNotification": Action(messages.StatusNotification, handlers.status_notification, bounds_itself=True),
    "Authorize": Action(messages.Authorize, handlers.authorize),
    "StartTransaction": Action(messages.StartTransaction, handlers.start_transaction),
    "MeterValues": Action(messages.MeterValues, handlers.meter_values, bounds_itself=True),
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
