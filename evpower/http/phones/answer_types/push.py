"""Answers of the doors for devices and messages (contract/rest-api §7.2)."""

from __future__ import annotations

from typing import TypedDict

from evpower.http.wire.described import Success


class DeviceBody(TypedDict):
    """It is as was asked."""

    success: Success


class PublicKeyDataBody(TypedDict):
    """What a browser subscribes with: base64url of an uncompressed point (RFC 8292)."""

    public_key: str


class VapidKeyBody(TypedDict):
    """The server's key of web push."""

    success: Success
    data: PublicKeyDataBody


class SubscribedBody(TypedDict):
    """The subscription is kept."""

    success: Success
    message: str
    subscription_id: str


class PreferencesBody(TypedDict):
    """Which messages the caller wants."""

    success: Success
    chargingUpdates: bool
    paymentAlerts: bool
    promotions: bool
    systemAlerts: bool


class TestSentBody(TypedDict):
    """To how many of the caller's devices a test is on its way."""

    success: Success
    sent_to: int
    message: str
