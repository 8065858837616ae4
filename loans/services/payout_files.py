"""Results of pay-outs as typed rows: read like every file, matched by settlement, which has the attempts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loans.files.columns import parse
from loans.files.kinds_payouts import PAYOUT_RESULTS
from loans.files.problems import FileError, Problem
from loans.files.reader import read_table


@dataclass(frozen=True)
class PayoutFile:
    """The rows of a file by column key, with `row`, its line; or what is wrong with it."""

    rows: list[dict[str, Any]]
    problems: list[Problem]


def read_payout_results(*, path: Path, encoding: str | None = None) -> PayoutFile:
    """Read a file of pay-out results (CSV or XLSX); amounts in fen, nothing is stored."""
    try:
        table = read_table(path, encoding=encoding, kind=PAYOUT_RESULTS)
    except FileError as error:
        return PayoutFile([], list(error.problems))
    parsed = parse(PAYOUT_RESULTS, table)
    return PayoutFile(list(parsed.frame.iter_rows(named=True)), list(parsed.problems))


def payout_problem(*, row: int, column: str, value: str, message: str) -> Problem:
    """What is wrong with one row, naming the column as the file does."""
    return Problem(row, column, PAYOUT_RESULTS.column(column).header_zh, value, message)
