"""Spreadsheet formulas of a report's columns, evaluated row by row: exactly, and in binary as a spreadsheet does."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from reports.definitions.sheet import Column, Table

SCALES = {
    "yuan": 100,
    "product": 100,
    "rate": 10_000,
    "wan": 1_000_000,
    "int": 1,
    "exchange": 10**8,
}
"""What a frame's number is divided by to give the cell."""
NUMBER = Callable[[int, int], Any]


def exact(value: int, scale: int) -> Fraction:
    return Fraction(value, scale)


def binary(value: int, scale: int) -> float:
    return value / scale


def floor(value: Any) -> int:
    return math.floor(value)


def half_away(value: Any, places: int) -> Any:
    """ROUND as spreadsheets have it: halves away from zero."""
    scaled = abs(value) * 10**places
    whole = math.floor(scaled + (Fraction(1, 2) if isinstance(value, Fraction) else 0.5))
    sign = -1 if value < 0 else 1
    return sign * (
        Fraction(whole, 10**places) if isinstance(value, Fraction) else whole / 10**places
    )


def either(condition: bool, one: Any, other: Any) -> Any:
    return one() if condition else other()


def program(formula: str, number: NUMBER) -> Any:
    """A formula as code over `cell`; constants are numbers of the same kind."""
    text = re.sub(r"\{(\w+)\}", r'cell["\1"]', formula)
    text = re.sub(r"IF\((.*?)=0,0,(.*)\)$", r"either(\1 == 0, lambda: 0, lambda: \2)", text)
    text = text.replace("ROUND(", "half_away(").replace("INT(", "floor(")
    if number is exact:
        text = text.replace("0.500001", "Fraction(500001, 1000000)")
        text = re.sub(r"\)/100(\)?)$", r") * Fraction(1, 100)\1", text)
    return compile(text, formula, "eval")


def recalculated(
    table: Table, number: NUMBER
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Each row with its numbers after a recalculation, in the unit of its frame (fen)."""
    codes = {c.key: program(c.formula, number) for c in table.columns if c.formula}
    names = {"floor": floor, "half_away": half_away, "either": either, "Fraction": Fraction}
    for part in table.parts():
        for row in part.iter_rows(named=True):
            cell = {
                c.key: number(row[c.key], SCALES[c.kind])
                for c in table.columns
                if c.kind in SCALES and row[c.key] is not None
            }
            for column in table.columns:
                if applies(column, row):
                    cell[column.key] = eval(codes[column.key], names | {"cell": cell})
            yield (
                row,
                {key: half_away(Fraction(cell[key]) * 100, 0) for key in codes if key in cell},
            )


def applies(column: Column, row: Mapping[str, Any]) -> bool:
    return bool(column.formula) and (not column.formula_if or bool(row[column.formula_if]))
