"""Borders of Kyrgyzstan and of its oblasts, for the map (contract/operator-pages §3.2).

Written by hand from public facts, coarse: a border is off by 20 km in places, and enclaves are left out. It shows in
which part of the country a sign is, and nothing else. Each is (longitude, latitude); a border of two oblasts is there
once, and the ends of borders meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Border: TypeAlias = Sequence[tuple[float, float]]

#: Where borders meet.
TALAS_WEST, TALAS_NORTH, TALAS_EAST = (71.26, 42.17), (73.49, 42.50), (73.30, 42.20)
SUUSAMYR, BOOM, KEMIN = (74.00, 41.95), (75.90, 42.45), (77.10, 42.97)
TOO_ASHUU_EAST, FERGANA, ALAY_EAST = (78.19, 41.19), (74.20, 40.90), (74.78, 40.37)
UZGEN, NOOKAT, ALAY_WEST = (73.06, 40.87), (72.25, 40.42), (72.10, 39.31)

#: The first ones are the country's.
OUTER = 11
BORDERS: Sequence[Border] = (
    # Kazakhstan: Talas, Chüy, Issyk-Kul.
    (TALAS_WEST, (70.96, 42.27), (71.19, 42.70), (71.84, 42.85), (72.75, 42.65), TALAS_NORTH),
    (
        TALAS_NORTH,
        (73.42, 42.95),
        (73.65, 43.09),
        (74.21, 43.25),
        (75.00, 42.97),
        (75.64, 42.82),
        (76.00, 42.95),
        KEMIN,
    ),
    (KEMIN, (77.66, 42.93), (78.50, 42.88), (79.14, 42.82), (79.64, 42.48), (80.23, 42.20)),
    # China: Issyk-Kul, Naryn, Osh.
    ((80.23, 42.20), (80.10, 42.04), (79.30, 41.78), (78.54, 41.58), TOO_ASHUU_EAST),
    (TOO_ASHUU_EAST, (77.60, 41.02), (76.90, 41.02), (76.55, 40.45), (75.65, 40.45), (75.47, 40.60), ALAY_EAST),
    (ALAY_EAST, (74.30, 40.10), (73.85, 39.85), (73.95, 39.60), (73.65, 39.45)),
    # Tajikistan: Osh, Batken.
    ((73.65, 39.45), (72.90, 39.36), ALAY_WEST),
    (ALAY_WEST, (71.75, 39.30), (71.00, 39.45), (70.55, 39.60), (69.46, 39.53), (69.30, 39.98), (69.56, 40.12)),
    # Uzbekistan and the valley: Batken, Osh, Jalal-Abad.
    ((69.56, 40.12), (70.20, 39.95), (70.65, 39.96), (71.00, 40.22), (71.77, 40.18), NOOKAT),
    (NOOKAT, (72.70, 40.55), UZGEN),
    (UZGEN, (72.45, 41.05), (71.87, 41.38), (71.45, 41.15), (71.16, 41.16), (70.42, 41.50), (70.80, 41.90), TALAS_WEST),
    # Between oblasts.
    (TALAS_WEST, (71.90, 42.20), (72.60, 42.15), TALAS_EAST),
    (TALAS_EAST, TALAS_NORTH),
    (TALAS_EAST, (73.65, 42.00), SUUSAMYR),
    (SUUSAMYR, (74.80, 42.20), (75.40, 42.30), BOOM),
    (BOOM, (76.15, 42.60), (76.60, 42.75), KEMIN),
    (BOOM, (76.30, 42.15), (77.00, 41.85), (77.70, 41.60), TOO_ASHUU_EAST),
    (SUUSAMYR, (74.35, 41.60), (74.50, 41.20), FERGANA),
    (FERGANA, (74.50, 40.65), ALAY_EAST),
    (UZGEN, (73.45, 40.92), (73.85, 40.85), FERGANA),
    (NOOKAT, (72.30, 40.00), (72.05, 39.70), ALAY_WEST),
)
