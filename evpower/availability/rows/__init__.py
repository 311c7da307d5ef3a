"""Outages and hours as stored."""
