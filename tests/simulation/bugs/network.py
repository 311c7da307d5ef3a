"""Bugs of the list that everybody is shown."""

from __future__ import annotations

from evpower.db.redis_link import RedisLink
from evpower.network.list_cache import OwnListCache
from tests.simulation.bugs.planting import put


def show_the_list_for_half_a_minute() -> None:
    """Whatever changes meanwhile."""
    put(OwnListCache, "forget", lambda _: lambda _cache: None)


def believe_what_redis_comes_back_with() -> None:
    """What was dropped while it was away, or after it wrote its disk, holds again."""
    put(RedisLink, "begin_with", lambda _: lambda _link, _opening: None)
