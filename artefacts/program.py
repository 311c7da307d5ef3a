"""Where the executable begins: what `evpower` is in an installation."""

from __future__ import annotations

import os

# Its libraries are found by us alone: PostgreSQL and the shell, which we start, have their own.
_before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
if _before is None:
    os.environ.pop("LD_LIBRARY_PATH", None)
else:
    os.environ["LD_LIBRARY_PATH"] = _before

from evpower.cli import main  # noqa: E402

if __name__ == "__main__":
    main(prog_name="evpower")
