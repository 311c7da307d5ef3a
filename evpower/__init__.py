# coding: utf-8  # noqa: UP009 -- Pythons that are too old must still read this file
"""EvPower: one process that runs a network of EV stations."""

import sys

__version__ = "1.0.0"

#: As `requires-python` of pyproject.toml.
NEEDED_PYTHON = (3, 11)

# Before anything else is imported, which an older Python would take for a fault of the syntax.
if sys.version_info < NEEDED_PYTHON:
    sys.exit("EvPower needs Python ≥ %d.%d, found %d.%d" % (NEEDED_PYTHON + sys.version_info[:2]))  # noqa: UP031
