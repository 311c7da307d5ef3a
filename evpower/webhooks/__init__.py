"""Webhooks to operators' systems: which addresses want which events, and how an event gets there, signed and retried.

The rows are written by the database in the unit of work of the event itself (migration 0051); delivery is a worker's.
Standard Webhooks (roadmap/partner-api-ocpi, "Webhooks out").
"""
