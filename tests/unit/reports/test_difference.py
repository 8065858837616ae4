"""What changed between two CSV files of a report, figure by figure."""

from __future__ import annotations

import polars as pl

from reports.definitions.difference import Pair, difference_sheet, differences, shown
from reports.definitions.sheet import Column, Heading, Sheet, Table, whole

COLUMNS = (
    Column("number", "序号", "int"),
    Column("note_number", "借据号", "text"),
    Column("month", "月份", "month"),
    Column("amount", "金额", "yuan", total=True),
    Column("summed", "累计", "wan", total=True),
    Column("rate", "利率", "rate"),
    Column("days", "天数", "int"),
)
KEYS = [column.key for column in COLUMNS]


def told(*rows: str) -> pl.DataFrame:
    """Rows as a CSV file has them."""
    cells = [row.split(",") for row in rows]
    return pl.DataFrame(cells, schema=dict.fromkeys(KEYS, pl.String), orient="row")


ONE = "1,JJ1,2026-03,100.00,100.00,3.0000,90"
TWO = "2,JJ2,2026-03,-0.05,0.00,3.0000,90"


def test_the_same_differs_in_nothing() -> None:
    assert differences(told(ONE, TWO), told(ONE, TWO), COLUMNS).rows() == []


def test_every_figure_that_changed_with_its_exact_difference() -> None:
    changed = "2,JJ2,2026-03,99999999999.99,0.00,3.0500,91"
    assert differences(told(ONE, TWO), told(ONE, changed), COLUMNS).rows() == [
        ("JJ2", "变更", "amount", "-0.05", "99999999999.99", 10_000_000_000_004),
        ("JJ2", "变更", "rate", "3.0000", "3.0500", 500),
        ("JJ2", "变更", "days", "90", "91", 1),
    ]


def test_rows_that_came_and_went_whatever_their_number_is_now() -> None:
    new = "1,JJ0,2026-03,7.00,0.00,3.0000,1"
    moved = "2,JJ1,2026-03,100.00,100.00,3.0000,90"
    found = differences(told(ONE, TWO), told(new, moved), COLUMNS).rows()
    assert found == [
        ("JJ0", "新增", "month", "", "2026-03", None),
        ("JJ0", "新增", "amount", "", "7.00", 700),
        ("JJ0", "新增", "summed", "", "0.00", 0),
        ("JJ0", "新增", "rate", "", "3.0000", 30_000),
        ("JJ0", "新增", "days", "", "1", 1),
        ("JJ2", "删除", "month", "2026-03", "", None),
        ("JJ2", "删除", "amount", "-0.05", "", 5),
        ("JJ2", "删除", "summed", "0.00", "", 0),
        ("JJ2", "删除", "rate", "3.0000", "", -30_000),
        ("JJ2", "删除", "days", "90", "", -90),
    ]


def test_rows_of_one_name_are_paired_in_their_order() -> None:
    before = told("1,A,2026-01,1.00,0.00,0.0000,1", "2,A,2026-01,2.00,0.00,0.0000,1")
    after = told("1,A,2026-01,1.00,0.00,0.0000,1", "2,A,2026-01,2.01,0.00,0.0000,1")
    assert differences(before, after, COLUMNS).rows() == [
        ("A · 2026-01", "变更", "amount", "2.00", "2.01", 1)
    ]


def test_a_column_the_old_file_had_not_counts_as_blank() -> None:
    before = told(ONE).drop("days")
    assert differences(before, told(ONE), COLUMNS).rows() == [("JJ1", "变更", "days", "", "90", 90)]


def test_a_text_that_changed_is_a_change_of_its_row() -> None:
    after = told(ONE.replace("2026-03", "2026-04"), TWO)
    assert differences(told(ONE, TWO), after, COLUMNS).rows() == [
        ("JJ1", "变更", "month", "2026-03", "2026-04", None)
    ]


def test_a_table_of_names_alone_has_no_differences() -> None:
    assert differences(told(ONE), told(TWO), COLUMNS[1:2]).rows() == []


def test_differences_are_shown_in_the_unit_of_their_column() -> None:
    assert [shown(-5, "yuan"), shown(123_450, "wan"), shown(500, "rate"), shown(-3, "int")] == [
        "-0.05", "1234.50", "0.0500", "-3",
    ]  # fmt: skip


def test_the_difference_report_has_totals_rows_and_ties() -> None:
    heading = Heading("new-loans", "月报", "I1", "甲银行", "2026-03", "2026年3月", "万元")
    before, after = told(ONE, TWO), told(ONE, "2,JJ2,2026-03,0.10,1.00,3.0000,90")
    table = Table("notes", "明细", COLUMNS, whole(after))

    sheet = difference_sheet(Sheet(heading, (table,)), [Pair(table, before, after)])

    assert (sheet.heading.title_zh, sheet.heading.unit_zh) == ("月报差异报告", "元")
    totals, rows = (next(one.parts()).rows() for one in sheet.tables)
    assert totals == [
        ("明细", "金额", 9_995, 10_010, 15),
        ("明细", "累计", 10_000, 10_100, 100),
    ]
    assert rows == [
        ("明细", "JJ2", "变更", "金额", "-0.05", "0.10", "0.15"),
        ("明细", "JJ2", "变更", "累计", "0.00", "1.00", "1.00"),
    ]
    assert [(tie.one_fen, tie.other_fen) for tie in sheet.ties] == [(15, 15), (100, 100)]
