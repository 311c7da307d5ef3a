"""Accounts that end, and what is erased of a person."""
