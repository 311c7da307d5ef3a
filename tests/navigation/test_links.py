"""Links into other apps: whole, to the letter."""

from __future__ import annotations

from evpower.navigation.distance import GeoPoint
from evpower.navigation.links import route_links

TO = GeoPoint(42.8746, 74.5698)


def test_every_app_has_its_link() -> None:
    assert route_links(TO, "ТЦ «Дордой» & Co", None) == {
        "geo": "geo:42.8746,74.5698?q=42.8746%2C74.5698%28%D0%A2%D0%A6%20%C2%AB%D0%94%D0%BE%D1%80%D0%B4%D0%BE%D0%B9"
        "%C2%BB%20%26%20Co%29",
        "yandex_navi": "yandexnavi://build_route_on_map?lat_to=42.8746&lon_to=74.5698",
        "yandex_maps": "https://yandex.ru/maps/?rtext=~42.8746%2C74.5698&rtt=auto",
        "two_gis": "dgis://2gis.ru/routeSearch/rsType/car/to/74.5698,42.8746",
        "google_maps": "https://www.google.com/maps/dir/?api=1&destination=42.8746%2C74.5698&travelmode=driving",
        "apple_maps": "https://maps.apple.com/?daddr=42.8746%2C74.5698&dirflg=d",
    }


def test_a_start_is_in_every_link_that_knows_one() -> None:
    links = route_links(TO, "x", GeoPoint(-1.5, 1e-7))
    assert links["yandex_navi"].endswith("&lat_from=-1.5&lon_from=0")
    assert links["yandex_maps"] == "https://yandex.ru/maps/?rtext=-1.5%2C0~42.8746%2C74.5698&rtt=auto"
    assert "/from/0,-1.5/to/" in links["two_gis"]
    assert links["google_maps"].endswith("&origin=-1.5%2C0")
    assert links["apple_maps"].endswith("&saddr=-1.5%2C0")
