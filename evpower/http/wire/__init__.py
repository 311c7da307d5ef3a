"""HTTP itself: callers, keys, problems and answers. Knows no route."""
