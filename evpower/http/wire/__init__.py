"""HTTP itself: the guarded server, callers, keys, problems and answers. Knows no route."""
