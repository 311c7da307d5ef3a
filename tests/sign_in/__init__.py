"""Tests of signing in by phone."""
