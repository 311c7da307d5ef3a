"""Whose endpoints the server sends anything to: those of the configured services, and nobody else's."""

from __future__ import annotations

import pytest

from evpower.push.recipient import is_push_service

HOSTS = ("fcm.googleapis.com", "notify.windows.com")


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc:APA91",
        "https://FCM.googleapis.com/fcm/send/abc",
        "https://db5p.notify.windows.com/w/?token=x",
        "https://notify.windows.com:443/w/",
    ],
)
def test_an_endpoint_of_a_configured_service_is_one(endpoint: str) -> None:
    assert is_push_service(endpoint, HOSTS)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://127.0.0.1/x",
        "https://fcm.googleapis.com.evil.kg/",
        "https://evilfcm.googleapis.com/",
        "https://evil-notify.windows.com/",
        "http://fcm.googleapis.com/x",
        "ftp://fcm.googleapis.com/x",
        "https://fcm.googleapis.com@evil.kg/",
        "https://user:word@fcm.googleapis.com/",
        "https://evil.kg/fcm.googleapis.com",
        "https://evil.kg#.fcm.googleapis.com",
        "https://evil.kg\\.fcm.googleapis.com/",
        "https://fcm.googleapis.com./x",
        "https://[::1]/x",
        "https://[fcm.googleapis.com/x",
        "https://fcm.googleapis.com:99999/x",
        "https://fcm.googleapis.com/a b",
        "https:///x",
        "//fcm.googleapis.com/x",
        "",
    ],
)
def test_any_other_address_is_none(endpoint: str) -> None:
    """The host must be the service's or below it, with a dot between; the address says nothing else of a host."""
    assert not is_push_service(endpoint, HOSTS)
