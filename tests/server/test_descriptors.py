"""A server that may hold many sockets makes room for them at its start, or says that it cannot."""

from __future__ import annotations

import resource

import pytest

from evpower.server.descriptors import OTHERS, make_room

SOCKETS = 10_000


class FakeLimits:
    """A process with these limits."""

    RLIMIT_NOFILE = resource.RLIMIT_NOFILE

    def __init__(self, soft: int, hard: int, *, sandboxed: bool = False) -> None:
        self.soft = soft
        self.hard = hard
        self._sandboxed = sandboxed

    def getrlimit(self, number: int, /) -> tuple[int, int]:
        assert number == self.RLIMIT_NOFILE
        return self.soft, self.hard

    def setrlimit(self, number: int, limits: tuple[int, int], /) -> None:
        assert number == self.RLIMIT_NOFILE
        if self._sandboxed:
            raise PermissionError("not permitted")
        assert limits[1] == self.hard
        self.soft = limits[0]


@pytest.mark.parametrize("hard", [1_000_000, resource.RLIM_INFINITY])
def test_the_soft_limit_is_raised_to_what_is_needed(hard: int, caplog: pytest.LogCaptureFixture) -> None:
    limits = FakeLimits(1024, hard)
    make_room(SOCKETS, limits)
    assert limits.soft == SOCKETS + OTHERS
    assert caplog.messages == []


@pytest.mark.parametrize("soft", [1_000_000, resource.RLIM_INFINITY])
def test_a_limit_that_is_high_enough_stays(soft: int) -> None:
    limits = FakeLimits(soft, soft)
    make_room(SOCKETS, limits)
    assert limits.soft == soft


def test_a_hard_limit_below_the_need_is_reached_and_said(caplog: pytest.LogCaptureFixture) -> None:
    limits = FakeLimits(1024, 4096)
    make_room(SOCKETS, limits)
    assert limits.soft == 4096
    assert caplog.messages == [
        "4096 file descriptors are allowed and ocpp.max_connections may need 11024: raise the limit (LimitNOFILE)"
    ]


def test_a_sandbox_that_forbids_raising_does_not_stop_the_start(caplog: pytest.LogCaptureFixture) -> None:
    make_room(SOCKETS, FakeLimits(1024, 1_000_000, sandboxed=True))
    assert [message.partition(":")[0] for message in caplog.messages] == [
        "the limit of file descriptors cannot be raised",
        "1024 file descriptors are allowed and ocpp.max_connections may need 11024",
    ]
