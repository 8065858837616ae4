"""Files of tables that other apps keep, as typed rows: read like every file, taken in by who has the table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loans.files.columns import parse
from loans.files.kind_types import Kind
from loans.files.kinds_exchange import EXCHANGE
from loans.files.kinds_holidays import HOLIDAYS
from loans.files.kinds_payouts import PAYOUT_RESULTS
from loans.files.problems import FileError, Problem
from loans.files.reader import read_table


@dataclass(frozen=True)
class TypedFile:
    """The rows of a file by column key, with `row`, its line; or what is wrong with it."""

    rows: list[dict[str, Any]]
    problems: list[Problem]


def read_payout_results(*, path: Path, encoding: str | None = None) -> TypedFile:
    """Read a file of pay-out results (CSV or XLSX); amounts in fen, nothing is stored."""
    return _read(PAYOUT_RESULTS, path, encoding)


def read_holidays(*, path: Path, encoding: str | None = None) -> TypedFile:
    """Read a file of days off and make-up working days (CSV or XLSX); nothing is stored."""
    return _read(HOLIDAYS, path, encoding)


def read_exchange(*, path: Path, encoding: str | None = None) -> TypedFile:
    """Read a file of another bank's hashes (CSV or XLSX), perhaps of none; nothing is stored."""
    return _read(EXCHANGE, path, encoding, allow_empty=True)


def exchange_problem(*, row: int, column: str, value: str, message: str) -> Problem:
    """What is wrong with one row, naming the column as the file does."""
    return Problem(row, column, EXCHANGE.column(column).header_zh, value, message)


def payout_problem(*, row: int, column: str, value: str, message: str) -> Problem:
    """What is wrong with one row, naming the column as the file does."""
    return Problem(row, column, PAYOUT_RESULTS.column(column).header_zh, value, message)


def _read(kind: Kind, path: Path, encoding: str | None, *, allow_empty: bool = False) -> TypedFile:
    try:
        table = read_table(path, encoding=encoding, kind=kind, allow_empty=allow_empty)
    except FileError as error:
        return TypedFile([], list(error.problems))
    parsed = parse(kind, table)
    return TypedFile(list(parsed.frame.iter_rows(named=True)), list(parsed.problems))
