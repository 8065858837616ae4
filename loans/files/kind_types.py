"""What a file kind is made of: typed columns, a natural key, and checks across columns."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import polars as pl

ColumnType = Literal[
    "text",
    "name",
    "date",
    "month",
    "year",
    "amount",
    "rate",
    "share",
    "exchange_rate",
    "choice",
    "bool",
    "uscc",
    "institution_code",
    "region_code",
    "industry_code",
    "currency",
    "scheme_code",
    "scheme_codes",
]
Sign = Literal["positive", "non_negative", "signed", "signed_non_zero"]
KindClass = Literal["reference", "loans", "evidence"]
Default = str | int | bool | date | tuple[()] | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file kind.

    Typed values: amount in whole fen, rate and share in ppm (3.00 % = 30000), exchange_rate in
    10^-8, month as its first day, scheme_codes as a list in order, bool as a boolean.
    `default` is what a blank cell of an optional column means. `choices` maps code to Chinese word.
    """

    key: str
    header_zh: str
    type: ColumnType
    required: bool = True
    choices: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    sign: Sign = "positive"
    default: Default = None


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """A rule across the columns of one row: `bad` is true for a row that breaks it."""

    column: str
    message: str
    bad: pl.Expr


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One kind of file: its columns in template order, natural key and row checks."""

    name: str
    title_zh: str
    klass: KindClass
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    checks: tuple[Check, ...] = ()

    def column(self, key: str) -> Column:
        """Return the column of that key; the key must exist."""
        return next(column for column in self.columns if column.key == key)

    @property
    def content(self) -> tuple[str, ...]:
        """The keys of the columns outside the natural key: what makes two rows differ."""
        return tuple(column.key for column in self.columns if column.key not in self.key)
