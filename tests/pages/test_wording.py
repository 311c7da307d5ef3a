"""How figures read (contract/operator-pages §1), and the curve as an SVG has it."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from evpower.history.curve import Curve, CurvePoint
from evpower.pages.frame.curve import CurveMarks, draw_curve
from evpower.pages.frame.wording import THIN, Wording
from evpower.texts.catalogue import Language, load
from tests.worlds.fakes import NOON

BISHKEK = ZoneInfo("Asia/Bishkek")


def wording(language: Language = "ru", zone: ZoneInfo = BISHKEK) -> Wording:
    return Wording(load(language, "pages"), zone, NOON)


@pytest.mark.parametrize(("language", "text"), [("ru", "1 234,50 сом"), ("ky", "1 234,50 сом"), ("en", "1,234.50 som")])
def test_money(language: Language, text: str) -> None:
    assert wording(language).money(123_450) == text.replace(" ", THIN)


@pytest.mark.parametrize(
    ("wh", "places", "text"), [(20_261, 3, "20,261 кВт·ч"), (20_261, 1, "20,3 кВт·ч"), (None, 1, "–")]
)
def test_energy(wh: int | None, places: int, text: str) -> None:
    assert wording().kwh(wh, places) == text.replace(" ", THIN)


@pytest.mark.parametrize(
    ("w", "text"), [(900, "0,9 кВт"), (149_400, "149 кВт"), (1_900_000, "1,9 МВт"), (0, "0,0 кВт"), (None, "–")]
)
def test_power(w: int | None, text: str) -> None:
    assert wording().power(w) == text.replace(" ", THIN)


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (0, "0 с"),
        (89, "89 с"),
        (90, "1 мин"),
        (5399, "89 мин"),
        (5400, "1 ч"),
        (172_799, "47 ч"),
        (172_800, "2 дн"),
        (-5, "0 с"),
    ],
)
def test_ages(ago: float, text: str) -> None:
    assert wording().age(NOON - timedelta(seconds=ago)) == text.replace(" ", THIN)


def test_times_are_of_the_networks_zone_with_the_day_when_it_is_another() -> None:
    assert wording().clock(NOON) == "12:00:00"
    assert wording().clock(NOON - timedelta(days=1)) == "22.11 12:00:00"
    assert wording().utc(NOON) == "2026-11-23T06:00:00.000Z"


@pytest.mark.parametrize(
    ("zone", "text"),
    [("Asia/Bishkek", "UTC+6"), ("Asia/Kolkata", "UTC+5:30"), ("UTC", "UTC+0"), ("America/St_Johns", "UTC-3:30")],
)
def test_the_offset(zone: str, text: str) -> None:
    assert wording(zone=ZoneInfo(zone)).offset() == text


@pytest.mark.parametrize(("phone", "text"), [("+996700000002", "+996 ••• •0 002"), (None, "–"), ("", "–")])
def test_a_phone_is_masked(phone: str | None, text: str) -> None:
    assert wording().masked_phone(phone) == text


def test_a_curve_fills_its_picture_and_its_limit_is_a_line() -> None:
    points = (CurvePoint(0, 0, 0), CurvePoint(300, 60_000, 2500), CurvePoint(600, 30_000, 5000))
    drawn = draw_curve(Curve(points, 600, 60_000), CurveMarks(10_000))
    assert drawn is not None
    assert drawn.energy == "0,200 500,150 1000,100"
    assert drawn.power == "0,200 500,0 1000,100"
    assert (drawn.limit_y, drawn.energy_max_wh, drawn.minutes) == (0, 10_000, 10)


def test_what_is_marked_is_drawn_within_the_picture() -> None:
    """A reading far beyond everything believed, and a stop planned for later than the last reading."""
    points = (CurvePoint(0, 0, 0), CurvePoint(300, 60_000, 5000, 40))
    marks = CurveMarks(None, (CurvePoint(150, 0, 900_000), CurvePoint(300, 0, 2500)), 600)
    drawn = draw_curve(Curve(points, 300, 60_000), marks)
    assert drawn is not None
    assert drawn.hollow == ("250 0", "500 100")
    assert drawn.stop_x == 1000
    assert drawn.energy == "0,200 500,0"
    assert drawn.soc == ""


@pytest.mark.parametrize("points", [(), (CurvePoint(0, 0, 0),)])
def test_one_point_is_no_curve(points: tuple[CurvePoint, ...]) -> None:
    assert draw_curve(Curve(points, 0, None), CurveMarks()) is None
    assert draw_curve(None, CurveMarks(1)) is None
