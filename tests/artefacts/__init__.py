"""What `make dist` hands out, in parts; `python -m tests.artefacts EVPOWER` is a charge by an installed `evpower`."""
