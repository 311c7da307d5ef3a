"""Finds the one fault inside the groups that nested nurseries put around it; only the outermost edge may do so."""

from __future__ import annotations


def sole_cause(error: BaseException) -> BaseException:
    """The only fault inside, or the group when there are several."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
