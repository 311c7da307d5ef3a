"""Links that open a way in other apps. Pure: places and a name of ours go in, percent-encoded addresses come out."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from evpower.navigation.distance import GeoPoint


def route_links(to: GeoPoint, name: str, start: GeoPoint | None) -> Mapping[str, str]:
    """To a place, from where a driver is or from where the app knows him to be."""
    target, origin = _pair(to), "" if start is None else _pair(start)
    yandex = {"lat_to": _degrees(to.latitude), "lon_to": _degrees(to.longitude)}
    google, apple = {"api": "1", "destination": target, "travelmode": "driving"}, {"daddr": target, "dirflg": "d"}
    if start is not None:
        yandex |= {"lat_from": _degrees(start.latitude), "lon_from": _degrees(start.longitude)}
        google["origin"], apple["saddr"] = origin, origin
    two_gis_from = "" if start is None else f"/from/{_reversed(start)}"
    return {
        "geo": f"geo:{target}?q={quote(f'{target}({name})', safe='')}",
        "yandex_navi": f"yandexnavi://build_route_on_map?{urlencode(yandex)}",
        "yandex_maps": f"https://yandex.ru/maps/?{urlencode({'rtext': f'{origin}~{target}', 'rtt': 'auto'})}",
        "two_gis": f"dgis://2gis.ru/routeSearch/rsType/car{two_gis_from}/to/{_reversed(to)}",
        "google_maps": f"https://www.google.com/maps/dir/?{urlencode(google)}",
        "apple_maps": f"https://maps.apple.com/?{urlencode(apple)}",
    }


def _degrees(value: float) -> str:
    """To a tenth of a metre; a caller's number is written anew, so no text of his is returned."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _pair(place: GeoPoint) -> str:
    return f"{_degrees(place.latitude)},{_degrees(place.longitude)}"


def _reversed(place: GeoPoint) -> str:
    return f"{_degrees(place.longitude)},{_degrees(place.latitude)}"
