"""Cells, rows and files as the contract wants them: exact values and exact words: the rest."""

from datetime import date
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from loans.files import columns
from loans.files.columns import parse
from loans.files.kinds import KINDS
from loans.files.reader import read_table
from tests.unit.loans.builders import (
    COLLECTION,
    ENTERPRISE,
    NOTE,
    csv_file,
    csv_text,
    lines,
    parse_rows,
    workbook,
)


def test_all_problems_of_a_file_one_a_cell(tmp_path: Path) -> None:
    bad = NOTE | {"note_number": "", "drawn_on": "2026-02-30", "principal": "1.001"}
    rows = [bad, NOTE | {"note_number": "JJ002", "scheme_codes": "?"}]
    assert lines(parse_rows(tmp_path, "notes", rows)) == [
        "row 2, column note_number (借据号): 必填 / required",
        "row 2, column drawn_on (放款日期): 日历上没有这一天 / there is no such day, 2026-02-30",
        "row 2, column principal (放款金额): 最多 2 位小数 / at most 2 decimals, 1.001",
        "row 3, column scheme_codes (贴息政策): 不是政策代码，应如 central-sme-2026"
        " / not a scheme code, ?",
    ]


def test_ten_thousand_errors_are_all_listed(tmp_path: Path) -> None:
    rows = [
        COLLECTION | {"reference": f"S-{n}", "interest_due": f"{n}.123", "collected_on": "soon"}
        for n in range(10_000)
    ]
    parsed = parse_rows(tmp_path, "interest-collections", rows)
    assert len(parsed.problems) == 20_000
    assert str(parsed.problems[-1]) == (
        "row 10001, column collected_on (收息日): 不是日期，应如 2026-03-21"
        " / not a date; write it like 2026-03-21, soon"
    )


def test_one_bad_row_in_many(tmp_path: Path) -> None:
    rows = [COLLECTION | {"reference": f"S-{n}"} for n in range(5_000)]
    rows[4_321]["interest_paid"] = "80000.01"
    assert lines(parse_rows(tmp_path, "interest-collections", rows)) == [
        "row 4323, column interest_paid (实收利息): 实收利息大于应收利息"
        " / the interest paid is above the interest due, 80000.01"
    ]


FAILING = ENTERPRISE | {"uscc": "91320300MANNX8B87B"}


def test_failing_check_digit_waits_for_confirmation(tmp_path: Path) -> None:
    parsed = parse_rows(tmp_path, "enterprises", [FAILING])
    assert lines(parsed) == [
        "row 2, column uscc (统一社会信用代码): 校验位不符；核对后如确实无误，用 --confirm-uscc"
        "（后台：复核确认） / the check digit does not match; if the code is right, use"
        " --confirm-uscc (in the admin: confirm it), 91320300MANNX8B87B"
    ]
    assert parsed.failing_usccs == ("91320300MANNX8B87B",)


def test_confirmed_check_digit(tmp_path: Path) -> None:
    parsed = parse_rows(tmp_path, "enterprises", [FAILING], confirm_uscc=True)
    assert (lines(parsed), parsed.failing_usccs) == ([], ("91320300MANNX8B87B",))
    assert parsed.frame["uscc"].to_list() == ["91320300MANNX8B87B"]
    table = read_table(csv_file(tmp_path, csv_text([FAILING])))
    named = parse(KINDS["enterprises"], table, confirmed_usccs=["91320300MANNX8B87B"])
    assert lines(named) == []
    other = parse(KINDS["enterprises"], table, confirmed_usccs=["91320300MANNX8B87C"])
    assert len(other.problems) == 1


def test_confirmation_does_not_cover_a_wrong_shape(tmp_path: Path) -> None:
    rows = [ENTERPRISE | {"uscc": "91320300MANNX8B87"}]
    assert len(parse_rows(tmp_path, "enterprises", rows, confirm_uscc=True).problems) == 1


HEADERS = list(NOTE)


def note_cells(**changes: object) -> list[object]:
    typed: dict[str, object] = NOTE | {"principal": 60_000_000, "annual_rate": 3}
    return [(typed | changes)[key] for key in HEADERS]


def parse_workbook(folder: Path, *rows: list[object]) -> columns.Parsed:
    return parse(KINDS["notes"], read_table(workbook(folder, [HEADERS, *rows])))


def test_workbook_cells_typed(tmp_path: Path) -> None:
    parsed = parse_workbook(
        tmp_path,
        note_cells(
            note_number=123,
            drawn_on=date(2026, 3, 5),
            matures_on=20290305,
            principal=1234.1 + 0.2,
            equipment_amount=0.1 + 0.2,
            exchange_rate=7.1,
            scheme_codes=None,
        ),
    )
    assert lines(parsed) == []
    assert parsed.frame.row(0)[1:] == (
        "123",
        "HT-001",
        date(2026, 3, 5),
        date(2029, 3, 5),
        123_430,
        30,
        30_000,
        710_000_000,
        [],
        2,
    )


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        (
            "note_number",
            123456789012345678,
            "column note_number (借据号): Excel 只保留 15 位数字，请以文本格式重新录入"
            " / digits lost by Excel; store it as text and enter it again, 1.234567890123457e+17",
        ),
        (
            "note_number",
            1.5,
            "column note_number (借据号): 编号不能是小数 / an identifier cannot have decimals, 1.5",
        ),
        (
            "note_number",
            date(2026, 1, 2),
            "column note_number (借据号): 单元格是日期，请改为文本或数字"
            " / the cell is a date; make it text or a number, 2026-01-02",
        ),
        (
            "drawn_on",
            46053,
            "column drawn_on (放款日期): 数字不是日期，请把单元格设为日期格式"
            " / a bare number is not a date; format the cell as a date, 46053",
        ),
        (
            "principal",
            1234.567,
            "column principal (放款金额): 最多 2 位小数 / at most 2 decimals, 1234.567",
        ),
        (
            "principal",
            "=1+1",
            "column principal (放款金额): 公式没有计算结果，请粘贴为数值"
            " / a formula without a value; paste values",
        ),
        (
            "principal",
            True,
            "column principal (放款金额): 单元格是逻辑值 / the cell is a boolean, TRUE",
        ),
        (
            "principal",
            "#N/A",
            "column principal (放款金额): 单元格是错误值 / the cell is an error value, #N/A",
        ),
    ],
)
def test_refused_workbook_cells(tmp_path: Path, key: str, value: object, problem: str) -> None:
    changes = {"equipment_amount": None, key: value}
    assert lines(parse_workbook(tmp_path, note_cells(**changes))) == [f"row 2, {problem}"]


def test_numbers_shown_as_percent(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["published_on", "one_year", "five_year"]])
    book = openpyxl.load_workbook(path)
    sheet = book.active
    sheet.append([date(2026, 1, 20), 0.0435, 3.5])
    sheet["B2"].number_format = "0.00%"
    book.save(path)
    parsed = parse(KINDS["lpr"], read_table(path))
    assert parsed.frame.rows() == [(date(2026, 1, 20), 43_500, 35_000, 2)]


def test_boolean_cell_in_a_yes_no_column(tmp_path: Path) -> None:
    headers = [*ENTERPRISE, "dishonest"]
    path = workbook(tmp_path, [headers, [*ENTERPRISE.values(), True]])
    parsed = parse(KINDS["enterprises"], read_table(path))
    assert parsed.frame["dishonest"].to_list() == [True]


def test_month_from_a_date_cell(tmp_path: Path) -> None:
    row = {
        "scheme_code": "central-sme-2026",
        "institution_code": "C0001320100000",
        "note_number": "JJ001",
        "month": date(2026, 3, 1),
        "result": "approved",
        "document_number": "D1",
    }
    path = workbook(tmp_path, [list(row), list(row.values())])
    parsed = parse(KINDS["review-results"], read_table(path))
    assert parsed.frame["month"].to_list() == [date(2026, 3, 1)]


def test_a_table_without_rows(tmp_path: Path) -> None:
    table = read_table(csv_file(tmp_path, ",".join(NOTE) + "\n"), allow_empty=True)
    parsed = parse(KINDS["notes"], table)
    assert (lines(parsed), parsed.frame.height) == ([], 0)
    assert parsed.frame.schema["scheme_codes"] == pl.List(pl.String)
