"""A report as data: headings, tables of typed columns, footnotes, and the sums that must tie.

Amounts are whole fen, rates parts per million, products fen-days, whatever unit a column is shown in;
renderers turn them into cells. Rows come in parts, so that a million of them never are in memory at
once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import polars as pl

Kind: TypeAlias = Literal[
    "text",
    "int",
    "yuan",  # fen, shown in 元 with 2 decimals (detail)
    "wan",  # fen, shown in 万元 with 6 decimals (summaries: ties back to the fen)
    "rate",  # parts per million, shown in percent with 4 decimals
    "exchange",  # 10⁻⁸ CNY per unit, shown with up to 8 decimals
    "product",  # fen-days, shown in 元·日 with 2 decimals (积数)
    "date",
    "month",  # first day of the month, shown as 2026-03
]
Parts: TypeAlias = Callable[[], Iterator[pl.DataFrame]]

SIGNATURES = ("填表人", "复核人", "负责人", "单位（公章）", "填报日期")


@dataclass(frozen=True)
class Column:
    """One column: its key in frames and CSV, its Chinese title, how it is shown, which article asks for it.

    `formula`: a spreadsheet formula without `=`, with `{key}` where another column's cell of the same row
    stands; the frame's value is its cached result, and must be what a recalculation gives. A row whose
    `formula_if` column is false keeps its value alone. `total`: summed up at the end. `on_paper`: codes that
    another column says in words are left out of the PDF.
    """

    key: str
    title_zh: str
    kind: Kind
    article: str = ""
    total: bool = False
    formula: str = ""
    formula_if: str = ""
    on_paper: bool = True

    @property
    def csv_name(self) -> str:
        """Its key in CSV, where amounts stand in yuan: without the unit of the frame."""
        for unit in ("_fen", "_ppm", "_e8"):
            if self.kind != "int" and self.key.endswith(unit):
                return self.key.removesuffix(unit)
        return self.key


@dataclass(frozen=True)
class Table:
    """One list of a report. `parts` gives its rows again each time it is called, in the same order.

    `key` names it in files (`new-loans.by_field.csv`); the first table of a sheet is its detail.
    """

    key: str
    title_zh: str
    columns: tuple[Column, ...]
    parts: Parts


@dataclass(frozen=True)
class Tie:
    """Two sums, each added up from rows of its own, that must be equal (fen)."""

    name_zh: str
    one_fen: int
    other_fen: int

    @property
    def holds(self) -> bool:
        """Are they equal to the fen?"""
        return self.one_fen == self.other_fen


@dataclass(frozen=True)
class Heading:
    """Who tells whom about what: the lines above a report's first table."""

    code: str  # domain §6
    title_zh: str
    institution_code: str
    institution_name: str
    period_code: str
    period_zh: str
    unit_zh: str  # 元 in details, 万元 in summaries
    addressee_zh: str = ""
    scheme_code: str = ""
    scheme_zh: str = ""  # name and document number
    cut_zh: str = ""  # the ledger position it was cut at
    scheme_codes: tuple[str, ...] = ()  # the schemes it speaks of


@dataclass(frozen=True)
class Sheet:
    """A whole report. `footnotes` say what is assumed and how figures are counted."""

    heading: Heading
    tables: tuple[Table, ...]
    footnotes: tuple[str, ...] = ()
    ties: tuple[Tie, ...] = ()
    signatures: tuple[str, ...] = field(default=SIGNATURES)


def whole(frame: pl.DataFrame) -> Parts:
    """A table's rows where they fit into memory."""
    return lambda: iter((frame,))
