"""What a sheet consists of: columns, and lines of text above and below its table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Form: TypeAlias = Literal["text", "number", "date", "month"]
LineRole: TypeAlias = Literal["title", "meta", "note"]


@dataclass(frozen=True)
class Column:
    """One column: where its values are in a frame, and how its cells look.

    A `number` is a whole number of 10^-`decimals`; a `date` or `month` is a Date, the latter shown as text
    2026-03. `formula` is without `=`, `{key}` in it stands for the same row's cell of that column, and
    the frame's value is its saved result; where the frame's Boolean column `formula_if` is not true, the
    value stands alone. `width` is in characters. `note` is a second header row.
    """

    key: str
    title: str
    form: Form
    decimals: int = 0
    number_format: str = ""
    note: str = ""
    width: int = 12
    total: bool = False
    formula: str = ""
    formula_if: str = ""


@dataclass(frozen=True)
class Line:
    """A line of text across the table, `right` at its right edge."""

    text: str
    role: LineRole = "note"
    right: str = ""


def letters(place: int) -> str:
    """A column's name by its place, counted from 0: A … Z, AA …"""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
