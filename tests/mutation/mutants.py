"""What is changed: one operator, constant, condition or statement of a function, each by itself."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
}
CALLS = {"min": "max", "max": "min", "ceil": "int", "all": "any", "any": "all"}


@dataclass(frozen=True)
class Mutant:
    """A module's tree with one change in it."""

    line: int
    column: int
    what: str
    tree: ast.Module


def mutants(source: str) -> Iterator[Mutant]:
    """Every one; line numbers stay as they are."""
    tree = ast.parse(source)
    # A condition of a type checker, and what says what something is, is no behaviour.
    for index, node in enumerate(ast.walk(tree)):
        for what, change in changes(node):
            changed = copy.deepcopy(tree)
            target = next(one for number, one in enumerate(ast.walk(changed)) if number == index)
            change(target)
            yield Mutant(
                getattr(node, "lineno", 0), getattr(node, "col_offset", 0), what, ast.fix_missing_locations(changed)
            )


def changes(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """What can be changed in a node, in words and as a function of its copy."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            other = COMPARISONS[type(op)]
            yield f"{type(op).__name__} to {other.__name__}", lambda one: setattr(one, "ops", [other()])
        case ast.BinOp(op=op) if type(op) in ARITHMETIC:
            operator = ARITHMETIC[type(op)]
            yield f"{type(op).__name__} to {operator.__name__}", lambda one: setattr(one, "op", operator())
        case ast.BoolOp(op=ast.And()):
            yield "and to or", lambda one: setattr(one, "op", ast.Or())
        case ast.BoolOp(op=ast.Or()):
            yield "or to and", lambda one: setattr(one, "op", ast.And())
        case ast.UnaryOp(op=ast.Not()):
            yield "not dropped", _keep_truth
        case ast.UnaryOp(op=ast.USub()):
            yield "minus dropped", lambda one: setattr(one, "op", ast.UAdd())
        case ast.Constant(value=bool(value)):
            yield f"{value} to {not value}", lambda one: setattr(one, "value", not value)
        case ast.Constant(value=int(number)):
            yield f"{number} to {number + 1}", lambda one: setattr(one, "value", number + 1)
        case ast.If() | ast.IfExp() | ast.While():
            yield "condition turned round", _turn_round
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            yield f"{name} to {CALLS[name]}", lambda one: setattr(one.func, "id", CALLS[name])
        case ast.FunctionDef(body=body) | ast.AsyncFunctionDef(body=body):
            for place, statement in enumerate(body):
                if isinstance(statement, ast.Expr) and not isinstance(statement.value, ast.Constant | ast.Yield):
                    yield f"statement {statement.lineno} dropped", _dropper(place)


def _keep_truth(one: Any) -> None:
    """`not x` becomes `bool(x)`."""
    one.op = ast.Not()
    one.operand = ast.UnaryOp(op=ast.Not(), operand=one.operand)


def _turn_round(one: Any) -> None:
    one.test = ast.UnaryOp(op=ast.Not(), operand=one.test)


def _dropper(place: int) -> Any:
    def drop(one: Any) -> None:
        one.body[place] = ast.copy_location(ast.Pass(), one.body[place])

    return drop
