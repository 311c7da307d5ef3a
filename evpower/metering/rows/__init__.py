"""Readings, boots, statuses and presence as stored: one statement for a batch of each."""
