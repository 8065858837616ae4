"""A table of text to typed, checked columns of a kind. All problems of a file are collected.

Good cells are parsed as whole columns. Only what the column expressions do not recognise, and
columns with few distinct values, go through `cells.parse_cell`, once per distinct text.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from loans.files.cells import RefusedCellError, Value, parse_cell
from loans.files.duplicates import resolve_duplicates
from loans.files.headers import match_headers
from loans.files.kind_types import Column, Kind
from loans.files.limits import (
    MAX_AMOUNT_FEN,
    MAX_IDENTIFIER_CHARACTERS,
    MAX_NAME_CHARACTERS,
)
from loans.files.problems import Problem
from loans.files.table import ROW, Table
from loans.files.workbook_cells import cell_text, plain_cells
from loans.values.errors import bilingual
from loans.values.identifiers import uscc_check_passes

INVALID, RULE, CHECK_DIGIT = "invalid", "rule", "check_digit"  # what machines are told
_TEXT = "text"
_TYPES: dict[str, Any] = {
    "date": pl.Date,
    "month": pl.Date,
    "year": pl.Int64,
    "amount": pl.Int64,
    "rate": pl.Int64,
    "share": pl.Int64,
    "exchange_rate": pl.Int64,
    "bool": pl.Boolean,
    "scheme_codes": pl.List(pl.String),
}
_LOWEST_FEN = {"positive": 1, "non_negative": 0, "signed": -MAX_AMOUNT_FEN}
_PLAIN_IDENTIFIER = rf"^[!-&(-~](?:[ -~]{{0,{MAX_IDENTIFIER_CHARACTERS - 2}}}[!-~])?$"
_NAME_CHARACTERS = r" -~\p{Han}（）《》〈〉【】〔〕“”‘’、，。；：·—"
_PLAIN_NAME = rf"^[{_NAME_CHARACTERS}&&[^']][{_NAME_CHARACTERS}]{{0,{MAX_NAME_CHARACTERS - 1}}}$"
_PLAIN_AMOUNT = r"^-?[0-9]{1,12}(?:\.[0-9]{1,2})?$"
_REQUIRED = bilingual("必填", "required")
_CHECK_DIGIT = bilingual(
    "校验位不符；核对后如确实无误，用 --confirm-uscc（后台：复核确认）",
    "the check digit does not match; if the code is right, use --confirm-uscc"
    " (in the admin: confirm it)",
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file understood: typed columns by key, and `row`; usable only if there are no problems.

    Repeated identical rows appear once. `failing_usccs` are the well-formed codes whose check digit
    is wrong, confirmed or not, sorted. `totals_fen` adds up each column of amounts over all rows that
    can be read, repeated ones too.
    """

    frame: pl.DataFrame
    problems: list[Problem]
    failing_usccs: tuple[str, ...] = ()
    totals_fen: dict[str, int] = field(default_factory=dict)


def column_dtype(column: Column) -> Any:
    """Return the Polars type of a column's typed values."""
    return _TYPES.get(column.type, pl.String)


def parse(
    kind: Kind,
    table: Table,
    *,
    confirm_uscc: bool = False,
    confirmed_usccs: Collection[str] = (),
) -> Parsed:
    """Return the typed rows of a table and everything wrong with it, by row and column.

    `confirm_uscc` accepts every code whose check digit fails; `confirmed_usccs` those named.
    """
    sources, problems = match_headers(kind, table)
    series: list[pl.Series] = []
    failing: set[str] = set()
    for column in kind.columns:
        cells = _Cells(column, table, sources.get(column.key))
        values = cells.values()
        if column.type == "uscc":
            failing |= _failing(values)
            if not confirm_uscc:
                values = cells.refuse_values(values, failing - set(confirmed_usccs), _CHECK_DIGIT)
        series.append(values.alias(column.key))
        problems += cells.problems()
    frame = pl.DataFrame([*series, table.frame[ROW]])
    problems += _check_rows(kind, table, frame, sources)
    totals = _totals_fen(kind, frame)
    if set(kind.key) <= set(sources) | {c.key for c in kind.columns if not c.required}:
        frame, repeated = resolve_duplicates(kind, frame)
        problems += repeated
    return Parsed(frame, _in_order(kind, problems), tuple(sorted(failing)), totals)


def _totals_fen(kind: Kind, frame: pl.DataFrame) -> dict[str, int]:
    """Add up the columns of amounts; two million of the largest amounts are too much for 64 bits."""
    amounts = [column.key for column in kind.columns if column.type == "amount"]
    sums = frame.select(pl.col(amounts).cast(pl.Int128).sum()) if amounts else None
    return {} if sums is None else {name: int(sums[name][0]) for name in amounts}


def _failing(values: pl.Series) -> set[str]:
    return {code for code in values.drop_nulls().unique() if not uscc_check_passes(code)}


class _Cells:
    """One column on its way from text to typed values, with what was refused on the way."""

    def __init__(self, column: Column, table: Table, header: str | None) -> None:
        self._column = column
        self._rows = table.frame[ROW]
        self._refused: dict[int, str] = {}
        self._missing = header is None
        if header is None:
            self._raw = pl.Series(_TEXT, [None] * table.frame.height, pl.String)
        else:
            self._raw = table.frame[header].alias(_TEXT)
        stripped = self._raw.str.strip_chars()
        self._text = stripped.set(stripped == "", None)
        if header is not None and table.cell_types is not None:
            self._read_workbook_cells(table.cell_types[header])

    def values(self) -> pl.Series:
        """Parse the column: fast where the text is plain, else once per distinct text."""
        text = self._text
        typed = _fast(self._column, text)
        rest = text.filter(text.is_not_null() & typed.is_null()).unique()
        good, bad = _parse_distinct(self._column, rest)
        if good:
            typed = _filled(typed, text, good)
        if bad:
            self._refuse_texts(bad)
        if self._column.required and not self._missing:
            self._refuse_blank()
        default = self._column.default
        if default is not None:
            literal = pl.Series([default], dtype=typed.dtype)
            typed = typed.zip_with(text.is_not_null() | self._at_refused(), literal)
        return typed

    def refuse_values(self, values: pl.Series, refused: Collection[str], message: str) -> pl.Series:
        """Refuse cells by their typed value; they become null."""
        hit = values.is_in(sorted(refused)).fill_null(value=False)
        self._refused |= dict.fromkeys(hit.arg_true().to_list(), message)
        return values.set(hit, None)

    def problems(self) -> list[Problem]:
        """Everything refused in this column."""
        key, header = self._column.key, self._column.header_zh
        at = list(self._refused)
        cells = zip(
            self._rows.gather(at), self._raw.gather(at), self._refused.values(), strict=True
        )
        return [
            Problem(
                row,
                key,
                header,
                value if value and value.strip() else None,
                message,
                CHECK_DIGIT if message is _CHECK_DIGIT else INVALID,
            )
            for row, value, message in cells
        ]

    def _at_refused(self) -> pl.Series:
        at = pl.Series([False]).new_from_index(0, len(self._text))
        return at.scatter(list(self._refused), values=True) if self._refused else at

    def _refuse_blank(self) -> None:
        blank = dict.fromkeys(self._text.is_null().arg_true().to_list(), _REQUIRED)
        self._refused = blank | self._refused

    def _refuse_texts(self, messages: dict[str, str]) -> None:
        hit = self._text.is_in(list(messages)).fill_null(value=False)
        at = zip(hit.arg_true(), self._text.filter(hit), strict=True)
        self._refused |= {index: messages[text] for index, text in at}

    def _read_workbook_cells(self, types: pl.Series) -> None:
        """Turn number, date and other cells into text of this column, or refuse them."""
        if (types == "t").all():
            return
        cells = pl.DataFrame([self._text.fill_null(""), types.alias("type")])
        plain = plain_cells(self._column, pl.col("type"), pl.col(_TEXT))
        odd = cells.with_row_index("index").filter(pl.col("type").is_not_null() & ~plain)
        known: dict[tuple[str, str], str | RefusedCellError] = {}
        fixed: dict[int, str | None] = {}
        for index, text, letter in odd.iter_rows():
            answer = known.get((letter, text))
            if answer is None:
                answer = known[letter, text] = _cell_answer(self._column, letter, text)
            if isinstance(answer, RefusedCellError):
                self._refused[index] = str(answer)
                fixed[index] = None
            else:
                fixed[index] = answer
        if fixed:
            self._text = self._text.scatter(list(fixed), pl.Series(fixed.values(), dtype=pl.String))


def _cell_answer(column: Column, letter: str, text: str) -> str | RefusedCellError:
    try:
        return cell_text(column, letter, text)
    except RefusedCellError as refused:
        return refused


def _parse_distinct(column: Column, texts: pl.Series) -> tuple[dict[str, Value], dict[str, str]]:
    """Parse each distinct text: what is good with its value, what is bad with its message."""
    good: dict[str, Value] = {}
    bad: dict[str, str] = {}
    for text in texts:
        try:
            good[text] = parse_cell(column, text)
        except RefusedCellError as refused:
            bad[text] = str(refused)
    return good, bad


def _filled(typed: pl.Series, text: pl.Series, good: dict[str, Value]) -> pl.Series:
    """Fill the gaps of `typed` with the values found for their texts."""
    found = pl.DataFrame(
        {_TEXT: list(good), "value": pl.Series(list(good.values()), dtype=typed.dtype)}
    )
    values = pl.DataFrame([text]).join(found, on=_TEXT, how="left", maintain_order="left")
    return typed.zip_with(typed.is_not_null(), values["value"])


def _fast(column: Column, text: pl.Series) -> pl.Series:
    """Parse the plain cells of a column with many distinct values; the rest is left null."""
    if column.type == "amount":
        return _fast_amount(column, text)
    if column.type in {"text", "name"}:
        pattern = _PLAIN_IDENTIFIER if column.type == "text" else _PLAIN_NAME
        return text.set(~text.str.contains(pattern), None)
    return pl.Series([None], dtype=column_dtype(column)).new_from_index(0, len(text))


def _fast_amount(column: Column, text: pl.Series) -> pl.Series:
    plain = text.set(~text.str.contains(_PLAIN_AMOUNT), None)
    fen = plain.cast(pl.Decimal(18, 2)).to_physical().cast(pl.Int64)
    lowest = _LOWEST_FEN.get(column.sign)
    inside = fen != 0 if lowest is None else fen >= lowest
    return fen.set(~(inside & (fen.abs() <= MAX_AMOUNT_FEN)), None)


def _check_rows(
    kind: Kind, table: Table, frame: pl.DataFrame, sources: dict[str, str]
) -> list[Problem]:
    """Run the kind's checks across columns; a check over a missing column says nothing."""
    problems = []
    for check in kind.checks:
        column = kind.column(check.column)
        if column.key not in sources and column.required:
            continue
        hits = frame.select(check.bad.fill_null(value=False)).to_series().arg_true()
        source = sources.get(column.key)
        problems += [
            Problem(
                frame[ROW][index],
                column.key,
                column.header_zh,
                None if source is None else table.frame[source][index] or None,
                check.message,
                RULE,
            )
            for index in hits
        ]
    return problems


def _in_order(kind: Kind, problems: list[Problem]) -> list[Problem]:
    """Sort by row, then by column; keep one problem a cell."""
    places = {column.key: place for place, column in enumerate(kind.columns)}
    ordered = sorted(problems, key=lambda p: (p.row, places.get(p.column or "", -1)))
    seen: set[tuple[int, str | None]] = set()
    kept = []
    for problem in ordered:
        cell = (problem.row, problem.column)
        if cell not in seen:
            seen.add(cell)
            kept.append(problem)
    return kept
