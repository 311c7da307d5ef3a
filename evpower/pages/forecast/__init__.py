"""Forecasts on the operators' pages: a location's week, and how good the network's forecasts were."""
