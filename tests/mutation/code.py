"""What a mutant changes of a module that is imported, and how it is put in.

The functions of the imported module get the code of the mutated one, so that every importer runs it. Code outside of
functions (constants, SQL, fields) has run already, and is not mutated.
"""

from __future__ import annotations

import ast
import gc
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType

#: A function of a module: its qualified name, and its first line.
Name = tuple[str, int]
Changed = Mapping[Name, CodeType]


def changed_functions(tree: ast.Module, path: Path) -> Changed:
    """The functions that are other than they were; empty where none is that could be changed."""
    new = dict(_all(compile(tree, str(path), "exec")))
    old = _original(path)
    return {key: code for key, code in new.items() if key in old and code != old[key] and key in _functions(path)}


def name_of(code: CodeType) -> Name:
    return code.co_qualname, code.co_firstlineno


def put_in(changed: Changed) -> None:
    """For the rest of this process."""
    files = {code.co_filename for code in changed.values()}
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename in files:
            each.__code__ = changed.get(name_of(each.__code__), each.__code__)


@cache
def _original(path: Path) -> Mapping[Name, CodeType]:
    return dict(_all(compile(path.read_text(), str(path), "exec")))


@cache
def _functions(path: Path) -> frozenset[Name]:
    """The body of a class has run, and a module's: neither is here."""
    return frozenset(
        name_of(each.__code__)
        for each in gc.get_objects()
        if isinstance(each, FunctionType) and each.__code__.co_filename == str(path)
    )


def _all(code: CodeType) -> Iterator[tuple[Name, CodeType]]:
    yield name_of(code), code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _all(each)
