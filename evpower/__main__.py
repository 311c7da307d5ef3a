"""`python -m evpower`."""

from __future__ import annotations

from evpower.cli import main

if __name__ == "__main__":
    main()
