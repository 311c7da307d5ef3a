"""By whom requests came: what tells an operator whether the proxy in front is the one that is trusted."""

from __future__ import annotations

from evpower.client_address import LOOPBACK, UNBELIEVED_MAX, SeenAddresses, client_address


def note(seen: SeenAddresses, peer: str, *forwarded_for: str) -> None:
    seen.note(peer, forwarded_for, client_address(peer, forwarded_for, LOOPBACK), LOOPBACK)


def test_who_a_trusted_proxy_names_is_counted_and_kept() -> None:
    seen = SeenAddresses()
    note(seen, "127.0.0.1", "203.0.113.7")
    assert (seen.named, seen.direct, dict(seen.unbelieved), seen.last_named) == (1, 0, {}, "203.0.113.7")


def test_a_request_without_the_header_is_direct() -> None:
    seen = SeenAddresses()
    note(seen, "127.0.0.1")
    note(seen, "203.0.113.7")
    assert (seen.named, seen.direct) == (0, 2)


def test_the_control_socket_is_no_address() -> None:
    seen = SeenAddresses()
    note(seen, "local")
    assert (seen.named, seen.direct, dict(seen.unbelieved)) == (0, 0, {})


def test_who_is_not_believed_is_counted_by_its_address() -> None:
    seen = SeenAddresses()
    for _ in range(3):
        note(seen, "10.0.0.5", "203.0.113.7")
    note(seen, "2001:db8::1", "203.0.113.7")
    note(seen, "2001:db8::2", "203.0.113.7")
    assert dict(seen.unbelieved) == {"10.0.0.5": 3, "2001:db8::/64": 2}


def test_strangers_who_send_the_header_are_bounded() -> None:
    seen = SeenAddresses()
    for number in range(UNBELIEVED_MAX + 50):
        note(seen, f"10.1.{number // 250}.{number % 250}", "203.0.113.7")
    note(seen, "10.1.0.0", "203.0.113.7")
    assert (len(seen.unbelieved), seen.unbelieved["10.1.0.0"]) == (UNBELIEVED_MAX, 2)
