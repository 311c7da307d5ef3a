"""What is kept by difference is what a count of everything would be: contract/websocket-api §6."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from evpower.identifiers import StationId
from evpower.network.listing import ListedLocation, ListedStation
from evpower.network.published import LocationUpdate, NetworkReading, PublishedNetwork, StationUpdate
from tests.network.test_status import stations

PLACES = ("A", "B")
NAMES = tuple(StationId(name) for name in ("one", "two", "three"))
#: A station as it is from now on, at a place; None: gone.
changes = st.tuples(st.sampled_from(NAMES), st.sampled_from(PLACES), st.none() | stations)
Change = tuple[StationId, str, ListedStation | None]


def whole(network: dict[StationId, ListedStation]) -> NetworkReading:
    at = {place: tuple(each for each in network.values() if each.location_id == place) for place in PLACES}
    places = [ListedLocation(place, place, "", None, None, None, None, at[place]) for place in PLACES]
    return NetworkReading(PLACES, places)


@given(st.lists(st.tuples(changes, st.booleans()), max_size=12))
def test_the_counts_kept_by_difference_are_those_of_the_whole(steps: list[tuple[Change, bool]]) -> None:
    """Whether the change of a station is read alone or with everything, phones hear the same."""
    network: dict[StationId, ListedStation] = {}
    published = PublishedNetwork()
    published.take(whole(network))
    for (name, place, station), read_all in steps:
        before = {each.id: each.counts for each in whole(network).locations}
        old = network.pop(name, None)
        if station is not None:
            network[name] = replace(station, id=name, location_id=place)
        alone = NetworkReading(station_ids=[name], stations=[network[name]] if name in network else [])
        news = published.take(whole(network) if read_all else alone)
        after = {each.id: each.counts for each in whole(network).locations}
        assert {each.location_id: each.counts for each in news if isinstance(each, LocationUpdate)} == {
            place: counts for place, counts in after.items() if counts != before[place]
        }
        is_news = name in network and (old is None or old.appearance != network[name].appearance)
        assert [each.station for each in news if isinstance(each, StationUpdate)] == [network.get(name)] * is_news
