"""What is no device, or no one's (contract/rest-api §7.2)."""

from __future__ import annotations

from evpower.errors import InvalidRequest, Refusal


class FcmTokenInvalid(InvalidRequest):
    """No registration token of Firebase Cloud Messaging (contract/rest-api §7.2)."""

    code = "fcm_token_invalid"
    message = "Некорректный токен устройства"

    def __init__(self) -> None:
        super().__init__(("fcm_token", self.message))


class DeviceNotFound(Refusal):
    """No device of the caller's (contract/rest-api §7.2)."""

    code = "device_not_found"
    message = "Устройство не найдено"
