"""`python -m tests.fuzz [MINUTES] [SEED]`: broken bytes at every door, so long at each.

It fails for an ERROR or a traceback in the log, for memory or tasks that do not come back; it says which bytes came
last.
"""

from __future__ import annotations

import random
import sys

import trio

from tests.fuzz import http_bytes, ocpp_frames, phone_messages
from tests.fuzz.storm import Duration

FUZZERS = {"HTTP": http_bytes.fuzz, "phones' socket": phone_messages.fuzz, "OCPP": ocpp_frames.fuzz}


def main() -> None:
    duration = Duration(minutes=float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(10**9)
    sys.stdout.write(f"seed {seed}\n")
    for name, fuzz in FUZZERS.items():
        sys.stdout.write(f"{name}: ")
        sys.stdout.flush()
        wrong = trio.run(fuzz, duration, random.Random(seed))
        if wrong:
            sys.stdout.write(wrong + "\n")
            sys.exit(1)


if __name__ == "__main__":
    main()
