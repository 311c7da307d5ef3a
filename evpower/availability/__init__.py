"""Availability: when each station was heard of and when not, and the sums of each hour (operator-pages §4, §10.6).

Outages are written by triggers as presence changes; this room reads them, and keeps the hours from rows.
"""
