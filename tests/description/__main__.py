"""`make describe`: writes the files of `docs/` that describe the interfaces."""

from __future__ import annotations

from tests.description.written import FILES

for path, written in FILES.items():
    path.write_text(written(), encoding="utf-8")
