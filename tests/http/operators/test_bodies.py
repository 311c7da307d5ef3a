"""What operators send, before it is looked at."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from evpower.errors import InvalidRequest
from evpower.http.operators.bodies.orders import card_fields, new_password
from evpower.http.operators.bodies.queries import payments_query, questions_query, stations_query
from evpower.http.wire.requests import BodyFields

READERS: tuple[tuple[Callable[[BodyFields], object], str], ...] = (
    (questions_query, "client"),
    (questions_query, "station"),
    (payments_query, "client"),
    (payments_query, "station"),
    (stations_query, "location_id"),
    (card_fields, "client_id"),
    (new_password, "password"),
)


@pytest.mark.parametrize("text", ["a\0b", "a\ud800"])
@pytest.mark.parametrize(("read", "field"), READERS)
def test_a_text_that_postgresql_cannot_hold_is_refused(
    read: Callable[[BodyFields], object], field: str, text: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(BodyFields({field: text}))
    assert [name for name, _ in caught.value.fields] == [field]


@pytest.mark.parametrize(("read", "field"), READERS)
def test_any_other_text_is_read(read: Callable[[BodyFields], object], field: str) -> None:
    read(BodyFields({field: "Станция № 1\n"}))
