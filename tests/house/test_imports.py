"""Everything the package imports comes with the locked dependencies."""

from __future__ import annotations

import importlib
import pkgutil

import evpower


def test_every_module_can_be_imported() -> None:
    """A fresh clone has nothing but the lock: a package that only happens to lie around breaks `make run` there."""
    for module in pkgutil.walk_packages(evpower.__path__, "evpower."):
        if module.name != "evpower.__main__":
            importlib.import_module(module.name)
