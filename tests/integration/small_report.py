"""A report of two rows that says what a list of amounts holds, and writers that need no library."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import polars as pl

from reports.definitions.sheet import Column, Heading, Sheet, Table, Tie, whole
from reports.services import formats
from reports.services.catalogue import BUILDERS, Asked

CODE = "new-loans"
COLUMNS = (
    Column("number", "序号", "int"),
    Column("note_number", "借据号", "text"),
    Column("amount", "放款金额", "yuan", total=True),
)


class Small:
    """What the report says: note number → fen; `ledger_fen` is what it must tie with."""

    def __init__(self) -> None:
        self.amounts: dict[str, int] = {"JJ1": 100_000, "JJ2": 250_050}
        self.ledger_fen: int | None = None
        self.asked: list[Asked] = []
        self.more: tuple[Column, ...] = ()  # further columns, of one fen in every row
        self.tables: tuple[Table, ...] = ()  # further tables
        self.schemes: tuple[str, ...] = ()  # what it says it is about

    def build(self, asked: Asked) -> Sheet:
        """The sheet."""
        self.asked.append(asked)
        frame = pl.DataFrame(
            {
                "number": range(1, len(self.amounts) + 1),
                "note_number": list(self.amounts),
                "amount": list(self.amounts.values()),
            },
            schema={"number": pl.Int64, "note_number": pl.String, "amount": pl.Int64},
        )
        frame = frame.with_columns(pl.lit(1).alias(column.key) for column in self.more)
        total = sum(self.amounts.values())
        heading = Heading(
            code=CODE,
            title_zh="新发放贷款月报",
            institution_code=asked.institution_code,
            institution_name=asked.institution_name,
            period_code=asked.period.code,
            period_zh=asked.period.title_zh,
            unit_zh="元",
            scheme_codes=self.schemes,
        )
        tie = Tie("放款合计 = 借据", total, total if self.ledger_fen is None else self.ledger_fen)
        notes = Table("notes", "明细", (*COLUMNS, *self.more), whole(frame))
        return Sheet(heading, (notes, *self.tables), ties=(tie,))


def write_csv(sheet: Sheet, path: Path, dated: date) -> None:
    """Tables as text, amounts in yuan."""
    for place, table in enumerate(sheet.tables):
        target = path if place == 0 else path.with_name(f"{path.stem}.{table.key}.csv")
        with target.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow([column.csv_name for column in table.columns])
            for part in table.parts():
                for row in part.iter_rows():
                    writer.writerow([_text(c, v) for c, v in zip(table.columns, row, strict=True)])


def _text(column: Column, value: object) -> str:
    if column.kind != "yuan":
        return str(value)
    fen = int(str(value))
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def write_paper(sheet: Sheet, path: Path, dated: date) -> None:
    """What people sign: the heading with the cut."""
    path.write_text(f"{sheet.heading.title_zh}\n{sheet.heading.cut_zh}\n", encoding="utf-8")


@contextmanager
def small() -> Iterator[Small]:
    """Let this be the only report, in CSV and as a paper."""
    kept = dict(BUILDERS), dict(formats.WRITERS)
    one = Small()
    _replace(BUILDERS, {CODE: one.build})
    _replace(formats.WRITERS, {"csv": write_csv, "pdf": write_paper})
    try:
        yield one
    finally:
        _replace(BUILDERS, kept[0])
        _replace(formats.WRITERS, kept[1])


def _replace(table: dict, content: dict) -> None:  # type: ignore[type-arg]
    table.clear()
    table.update(content)
