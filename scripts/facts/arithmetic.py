"""Evaluation of a row's `computed`: arithmetic over numbers and {ids} of other rows.

worked_out("({embodied.server} + 8 * {embodied.a100}) / 8", values)      # 462.5
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping

OPERATIONS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def ids_in(computed: str) -> list[str]:
    """Ids of the rows it uses."""
    return re.findall(r"\{([^}]+)\}", computed)


def worked_out(computed: str, values: Mapping[str, float]) -> float:
    """Evaluate. Raises KeyError for an unknown row, ValueError for anything but arithmetic."""
    plain = re.sub(r"\{([^}]+)\}", lambda found: repr(values[found[1]]), computed)
    return _value(ast.parse(plain, mode="eval").body)


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.BinOp(left=left, op=operation, right=right) if type(operation) in OPERATIONS:
            return OPERATIONS[type(operation)](_value(left), _value(right))
    raise ValueError(f"{ast.unparse(node)} is not arithmetic of numbers")
