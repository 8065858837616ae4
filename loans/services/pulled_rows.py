"""Rows that were asked of a system outside go the way of a file: the same rules, all or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from loans.files.columns import parse
from loans.files.kinds import KINDS
from loans.files.problems import Problem
from loans.files.table import ROW, Table
from loans.services.intake import import_frame
from loans.services.outcomes import ImportRefused, Outcome, Source

__all__ = ["Source", "take_rows"]

Wrong = tuple[int, str, str, str]
"""Row, column key, value, what is wrong."""
FIRST_ROW = 1  # as the system counts: it has no header


def take_rows(
    *,
    kind: str,
    rows: Sequence[Mapping[str, str | None]],
    columns: Sequence[str],
    source: Source,
    wrong: Sequence[Wrong] = (),
) -> Outcome:
    """Take rows of texts by column key in; `wrong`: what could not even be read of them.

    Raises ImportRefused with every problem found, having written nothing.
    """
    spec = KINDS[kind]
    texts = {key: [row[key] for row in rows] for key in columns}
    frame = pl.DataFrame(
        {**texts, ROW: range(FIRST_ROW, FIRST_ROW + len(rows))},
        schema={**dict.fromkeys(columns, pl.String), ROW: pl.Int64},
    )
    parsed = parse(spec, Table(frame, "csv"))
    headers = {column.key: column.header_zh for column in spec.columns}
    told = [Problem(row, key, headers[key], value, why) for row, key, value, why in wrong]
    unread = {(one.row, one.column) for one in told}
    told += [one for one in parsed.problems if (one.row, one.column) not in unread]
    if told:
        raise ImportRefused(told)
    return import_frame(kind=kind, frame=parsed.frame, source=source)
