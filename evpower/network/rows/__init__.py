"""Stations, connectors and the list as stored."""
