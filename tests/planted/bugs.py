"""The bugs: for each line of safe by default one rule that is gone, and a test that then must fail.

A rule is taken away by putting something else in the place of a name, so that no file is touched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Bug:
    """`place` is `module:name` or `module:Class.name`; `instead` stands there, or is made of what stood there."""

    what: str
    place: str
    test: str
    instead: Any = None
    made_of: Callable[[Any], Any] | None = None

    def plant(self) -> None:
        """For the rest of this process."""
        module, _, path = self.place.partition(":")
        *owners, name = path.split(".")
        owner: Any = import_module(module)
        for each in owners:
            owner = getattr(owner, each)
        setattr(owner, name, self.instead if self.made_of is None else self.made_of(getattr(owner, name)))


async def _nothing(*_: object, **__: object) -> None:
    pass


async def _false(*_: object, **__: object) -> bool:
    return False


BUGS: dict[str, Bug] = {
    "1": Bug(
        "a path has two names",
        "evpower.http.wire.application:refuse_second_name",
        "tests/http/listener/test_server.py::test_a_path_has_one_name",
        instead=_nothing,
    ),
    "2": Bug(
        "whoever a proxy serves counts as this machine",
        "evpower.ocpp.door.reception:_is_inside",
        "tests/ocpp/door/test_real_sockets.py"
        "::test_an_anonymous_station_from_outside_is_refused_though_the_proxy_is_here",
        instead=lambda _: True,
    ),
    "3": Bug(
        "a level of JSON has any number of items",
        "evpower.http.wire.requests:ITEMS_A_LEVEL_MAX",
        "tests/http/wire/test_requests.py::test_a_body_has_at_most_200_items_a_level_and_32_levels",
        instead=10**9,
    ),
    "4": Bug(
        "each address of a customer's network is counted by itself",
        "evpower.client_address:neighbourhood",
        "tests/test_client_address.py::test_a_customers_whole_network_is_counted_as_one",
        instead=lambda address: address,
    ),
    "5": Bug(
        "every client_id is believed, from anywhere, without anybody's decision",
        "evpower.settings.auth:dangers",
        "tests/settings/test_config.py::test_trust_must_be_allowed_once_others_can_reach_the_server",
        instead=lambda *_: [],
    ),
    "6": Bug(
        "a station's clock alone says how many minutes are billed",
        "evpower.metering.belief:billed_time",
        "tests/metering/test_belief.py::test_no_more_time_is_billed_than_can_have_gone_by",
        instead=lambda by_station, *_, **__: by_station,
    ),
    "7": Bug(
        "there is always room for one more request",
        "evpower.rate_limits.sliding_window:Count.has_room",
        "tests/rate_limits/test_sliding_window.py"
        "::test_the_hundred_and_first_within_a_minute_waits_for_the_minute_to_end",
        instead=lambda *_: True,
    ),
    "8": Bug(
        "no failure slows anybody down",
        "evpower.ocpp.door.failed_logins:FREE_FAILURES",
        "tests/ocpp/door/test_failed_logins.py::test_a_parallel_burst_is_checked_at_most_ten_times",
        instead=10**9,
    ),
    "9": Bug(
        "test money is money",
        "evpower.settings.payments:dangers",
        "tests/settings/test_config.py::test_what_is_harmless_at_home_is_refused_once_others_reach_the_server",
        instead=lambda *_: [],
    ),
    "10": Bug(
        "a value is logged as it came",
        "evpower.server.logs:_value",
        "tests/server/test_logs.py::test_no_value_passes_for_another",
        instead=lambda value: value,
    ),
    "11": Bug(
        "the log shows passwords of URLs",
        "evpower.server.logs:without_password",
        "tests/server/test_logs.py::test_no_line_and_no_traceback_shows_the_password_of_a_url",
        instead=lambda text: text,
    ),
    "12": Bug(
        "cards start under maintenance",
        "evpower.charging.beginnings:Beginnings._is_locked_out",
        "tests/charging/test_transactions.py::test_maintenance_is_a_lock_out",
        instead=_false,
    ),
    "13": Bug(
        "a dependency without a hash",
        "tests.house.test_supply:LOCK",
        "tests/house/test_supply.py::test_every_dependency_has_its_hashes",
        made_of=lambda lock: lock.replace(" \\\n    --hash=", "\n    #"),
    ),
    "14": Bug(
        "a frame that cannot be read ends in a traceback",
        "evpower.ocpp.wire.frames:parse",
        "tests/fuzz/test_fuzzers.py::test_a_moment_of_broken_bytes_causes_no_alarm_and_leaves_no_task",
        instead=lambda _: 1 // 0,
    ),
}
