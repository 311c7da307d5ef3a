"""Tests of what needs a person, and of the picture that pages show."""
