"""Tests: one claim each, no real waiting."""
