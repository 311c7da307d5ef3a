"""Known advisories of what requirements.lock names, by pip-audit: red for one that is known, loud where it cannot ask.

`advisories.py [COMMAND …]`: another command than pip-audit, which writes its report to the file that is added to it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parents[1] / "requirements.lock"
#: Not installed beside us: it looks at names and versions of the lock, and runs none of it.
AUDIT = (
    *(str(Path(sys.executable).parent / "uv"), "tool", "run", "pip-audit==2.10.1", "--disable-pip", "--require-hashes"),
    *("--requirement", str(LOCK), "--progress-spinner=off", "--timeout=30", "--format=json", "--output"),
)
WITHIN_S = 600


def known(dependencies: list[dict[str, Any]]) -> list[str]:
    """A line for each advisory."""
    return [
        f"{each['name']} {each['version']}: {advisory['id']}, mended in {', '.join(advisory['fix_versions']) or 'none'}"
        for each in dependencies
        for advisory in each.get("vulns", ())
    ]


def main(command: tuple[str, ...]) -> int:
    """1 for a known advisory; 0 when there is none, and when nobody could be asked."""
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory, "report.json")
        try:
            subprocess.run((*command, str(report)), check=False, capture_output=True, timeout=WITHIN_S)
            dependencies = json.loads(report.read_text(encoding="utf-8"))["dependencies"]
        except (OSError, subprocess.TimeoutExpired, ValueError, KeyError) as error:
            sys.stdout.write(f"WARNING: ADVISORIES WERE NOT CHECKED: no database of them answered ({error})\n")
            return 0
    # A database that does not know a package says so, and pip-audit that nothing is known of it.
    unknown = [each["name"] for each in dependencies if "skip_reason" in each]
    if unknown:
        sys.stdout.write(f"WARNING: ADVISORIES WERE NOT CHECKED for {len(unknown)} of {len(dependencies)}: {unknown}\n")
    found = known(dependencies)
    sys.stdout.write(
        "".join(f"{line}\n" for line in found) or f"{len(dependencies) - len(unknown)} without advisories\n"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:]) or AUDIT))
