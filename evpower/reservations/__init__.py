"""Connectors that are kept for a client: what that costs, how it ends, and what stations know of it.

Decides for whom a connector is kept, and what a start makes of that. Which connector could be had is decided in
`network/spots`; the money moves in `billing`.
"""
