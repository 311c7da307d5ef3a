"""Digits from outside: read in full, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evpower.digits import whole_number


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("7", 7), ("007", 7), ("499", 499), ("500", 500)])
def test_a_number_up_to_the_most_is_read(text: str, number: int) -> None:
    assert whole_number(text, 500) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "501",
        "1000",
        "0007",
        "-1",
        "+1",
        " 1",
        "1\n",
        "1_0",
        "1.0",
        "1e2",
        "²",
        "٣",
        "४",
        "½",
        "9" * 5_000,
        "\0",
    ],
)
def test_any_other_text_is_no_number(text: str) -> None:
    assert whole_number(text, 500) is None


@given(st.text(), st.integers(min_value=0, max_value=2**70))
def test_no_text_raises(text: str, most: int) -> None:
    number = whole_number(text, most)
    assert number is None or 0 <= number <= most


@given(st.data())
def test_every_number_up_to_the_most_is_read_as_it_is_written(data: st.DataObject) -> None:
    most = data.draw(st.integers(min_value=0, max_value=2**70))
    number = data.draw(st.integers(min_value=0, max_value=most))
    assert whole_number(str(number), most) == number
