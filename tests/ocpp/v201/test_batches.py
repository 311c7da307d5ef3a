"""Variables are sent in as few messages as the station takes: ItemsPerMessage and BytesPerMessage (ocpp201 §4)."""

from __future__ import annotations

import pytest

from evpower.ocpp.v201.commands.batches import FRAME_BYTES, Room

ITEMS = [{"variable": "x" * length} for length in (10, 10, 10, 200, 10)]
#: Of a short one, with its comma.
SHORT = len('{"variable":"xxxxxxxxxx"},')


@pytest.mark.parametrize(
    ("room", "sizes"),
    [
        (Room(5), [5]),
        (Room(2), [2, 2, 1]),
        (Room(1), [1] * 5),
        (Room(5, FRAME_BYTES + 2 * SHORT), [2, 1, 1, 1]),
        (Room(5, FRAME_BYTES + 2 * SHORT - 1), [1] * 5),
        (Room(5, 1), [1] * 5),
    ],
)
def test_a_message_ends_at_the_items_or_the_bytes_that_a_station_takes(room: Room, sizes: list[int]) -> None:
    batches = list(room.batches(ITEMS))
    assert [len(each) for each in batches] == sizes
    assert [item for batch in batches for item in batch] == ITEMS


def test_of_nothing_no_message_is_made() -> None:
    assert list(Room(2).batches([])) == []
