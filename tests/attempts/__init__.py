"""Tests of the record of starts."""
