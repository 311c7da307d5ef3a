"""The tables a fleet file fills, as administrators' changes name them."""

from __future__ import annotations

from evpower.network_file.rows.tables import CONNECTORS, LOCATIONS, STATIONS, TARIFF_PLANS, TARIFF_RULES, Table

__all__ = ["CONNECTORS", "LOCATIONS", "STATIONS", "TARIFF_PLANS", "TARIFF_RULES", "Table"]
