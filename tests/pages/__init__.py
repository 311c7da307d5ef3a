"""Tests of the operators' pages, without a browser."""
