"""What an OCPP 2.0.1 station may send and gets an answer to.

Adding an action is one message, one handler, one line here, one test.
"""

from __future__ import annotations

from evpower.ocpp.dispatch import Action
from evpower.ocpp.v201 import charging_limits, device, device_messages, handlers, messages, security
from evpower.ocpp.v201.device_messages import Anything

ACTIONS = {
    "BootNotification": Action(messages.BootNotification, handlers.boot_notification),
    "Heartbeat": Action(messages.Heartbeat, handlers.heartbeat, bounds_itself=True),
    "StatusNotification": Action(messages.StatusNotification, handlers.status_notification),
    "Authorize": Action(messages.Authorize, handlers.authorize),
    "TransactionEvent": Action(messages.TransactionEvent, handlers.transaction_event, bounds_itself=True),
    "MeterValues": Action(messages.MeterValues, handlers.meter_values, bounds_itself=True),
    "DataTransfer": Action(messages.DataTransfer, handlers.data_transfer),
    "SecurityEventNotification": Action(
        device_messages.SecurityEventNotification, security.security_event_notification
    ),
    "SignCertificate": Action(device_messages.SignCertificate, security.sign_certificate),
    "LogStatusNotification": Action(device_messages.LogStatusNotification, security.log_status_notification),
    "FirmwareStatusNotification": Action(
        device_messages.FirmwareStatusNotification, security.firmware_status_notification
    ),
    "NotifyEvent": Action(device_messages.NotifyEvent, device.notify_event),
    "NotifyMonitoringReport": Action(device_messages.NotifyMonitoringReport, device.notify_monitoring_report),
    "NotifyReport": Action(device_messages.NotifyReport, device.notify_report),
    "ReservationStatusUpdate": Action(device_messages.ReservationStatusUpdate, device.reservation_status_update),
    "GetCertificateStatus": Action(device_messages.GetCertificateStatus, device.get_certificate_status),
    "Get15118EVCertificate": Action(device_messages.Get15118EVCertificate, device.get_15118_ev_certificate),
    "NotifyDisplayMessages": Action(device_messages.NotifyDisplayMessages, device.notify_display_messages),
    "NotifyCustomerInformation": Action(device_messages.NotifyCustomerInformation, device.notify_customer_information),
    "ReportChargingProfiles": Action(Anything, device.report_charging_profiles),
    "PublishFirmwareStatusNotification": Action(
        device_messages.PublishFirmwareStatusNotification, device.publish_firmware_status_notification
    ),
    "NotifyChargingLimit": Action(Anything, charging_limits.notify_charging_limit),
    "ClearedChargingLimit": Action(Anything, charging_limits.cleared_charging_limit),
    "NotifyEVChargingNeeds": Action(Anything, charging_limits.notify_ev_charging_needs),
    "NotifyEVChargingSchedule": Action(Anything, charging_limits.notify_ev_charging_schedule),
}
