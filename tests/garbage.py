"""The collector of garbage, in tests as in the server: it does not look again and again at what stays until the end.

That was a fifth of what the suite costs: a worker holds fourteen thousand tests, and all that they import.
"""

from __future__ import annotations

import gc

from evpower.server.supervisor import COLLECT_AFTER

gc.disable()  # while tests are collected, nothing is thrown away


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    gc.enable()
