"""House rules that imports cannot show, as functions from a module's syntax tree to findings."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("config", "loans", "settlement", "reports")

Function = ast.FunctionDef | ast.AsyncFunctionDef
FLOAT_NAMES = {"float", "Float32", "Float64", "fsum", "truediv"}
FLOAT_METHODS = {"mean", "median", "quantile", "std", "var", "truediv", "pct_change", "interpolate"}
WRITERS = {"actor", "at", "owner", "clock", "request_key"}
CLOCK = {
    ("timezone", "now"), ("timezone", "localtime"), ("timezone", "localdate"), ("date", "today"),
    ("datetime", "now"), ("datetime", "today"), ("datetime", "utcnow"), ("time", "time"), ("time", "time_ns"),
}  # fmt: skip


def modules(*patterns: str) -> list[Path]:
    """Return the Python files below the project's root that match; migrations are not looked at."""
    found = {path for pattern in patterns for path in ROOT.glob(pattern) if path.suffix == ".py"}
    return sorted(path for path in found if "migrations" not in path.parts)


def findings(rule: object, *patterns: str) -> list[str]:
    """Apply a rule to files; return `file:line what`."""
    found = []
    for path in modules(*patterns):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [f"{path.relative_to(ROOT)}:{line} {what}" for line, what in rule(tree)]  # type: ignore[operator]
    return found


def inexact(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Floats, true division, rounding that is not ours: none of it near money."""
    refusals = {id(name) for node in ast.walk(tree) for name in _type_test(node)}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=float()):
                yield node.lineno, f"float {node.value}"
            case ast.BinOp(op=ast.Div(), left=left, right=right) if not _joins_paths(left, right):
                yield node.lineno, "true division"
            case ast.AugAssign(op=ast.Div()):
                yield node.lineno, "true division"
            case ast.Name(id=name) if name in FLOAT_NAMES and id(node) not in refusals:
                yield node.lineno, name
            case ast.Attribute(attr=name) if name in FLOAT_NAMES:
                yield node.lineno, name
            case ast.Call(func=ast.Name(id="round")):
                yield node.lineno, "round(): banker's rounding"
            case ast.Call(func=ast.Attribute(attr=name)) if name in FLOAT_METHODS:
                yield node.lineno, f".{name}() goes through float"


def _type_test(node: ast.AST) -> Iterator[ast.AST]:
    """`isinstance(value, float)`: how a float is refused at the door."""
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "isinstance"
    ):
        yield from ast.walk(node.args[1])


def _joins_paths(left: ast.expr, right: ast.expr) -> bool:
    """Path's `/` has text on one side, a number never has."""
    return any(isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, str))
               for side in (left, right))  # fmt: skip


def narrow(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Int32 sums stay Int32 and wrap. A date is one inside: cast on at once it is harmless."""
    passing = {id(node.func.value) for node in ast.walk(tree) if _casts_to(node, "Int64", "Date")}
    for node in ast.walk(tree):
        for kind in ("Int8", "Int32", "UInt32", "UInt64"):
            if _casts_to(node, kind) and id(node) not in passing:
                yield node.lineno, f"{kind} wraps in silence"


def _casts_to(node: ast.AST, *kinds: str) -> TypeGuard[ast.Call]:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "cast"
        and any(ast.unparse(argument) == f"pl.{kind}" for argument in node.args for kind in kinds)
    )


def clock(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Reading the clock, or handing it on."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = (
                node.value.attr
                if isinstance(node.value, ast.Attribute)
                else getattr(node.value, "id", "")
            )
            if (owner, node.attr) in CLOCK:
                yield node.lineno, f"{owner}.{node.attr}"


def leftovers(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Prints, debuggers and things to do later."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"print", "breakpoint"}
        ):
            yield node.lineno, f"{node.func.id}()"
        if isinstance(node, ast.Raise) and "NotImplementedError" in ast.unparse(node):
            yield node.lineno, "NotImplementedError"


def functions(tree: ast.AST) -> Iterator[Function]:
    """Every function and method."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: Function) -> int:
    """Lines from `def` to the last one."""
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def longer_than(limit: int) -> object:
    """A rule: functions above so many lines."""

    def rule(tree: ast.AST) -> Iterator[tuple[int, str]]:
        for function in functions(tree):
            if length(function) > limit:
                yield function.lineno, f"{function.name} has {length(function)} lines"

    return rule


def positional_services(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Public functions that write (somebody acts, at a moment, in a transaction) called by position."""
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        by_position = [a.arg for a in node.args.posonlyargs + node.args.args]
        by_name = {a.arg for a in node.args.kwonlyargs}
        decorators = " ".join(ast.unparse(decorator) for decorator in node.decorator_list)
        writes = WRITERS.intersection([*by_position, *by_name]) or "atomic" in decorators
        if writes and (by_position or node.args.vararg):
            yield node.lineno, f"{node.name}({', '.join(by_position)}) is not keyword-only"


def heavy_tasks(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Celery tasks that make more than one service call, or take arguments by position."""
    services = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and str(node.module).endswith("services")
        for alias in node.names
    }
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and any(
            "task" in ast.unparse(decorator) for decorator in node.decorator_list
        ):
            calls = [call for call in ast.walk(node) if _calls_into(call, services)]
            if len(calls) != 1 or node.args.args or node.args.posonlyargs:
                yield node.lineno, f"{node.name} must be one service call, keyword-only"


def _calls_into(node: ast.AST, modules: set[str]) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in modules
    )
