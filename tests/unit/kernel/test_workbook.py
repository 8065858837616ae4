"""Workbooks as another reader sees them: exact, typed, inert, whole, and the same each time."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from defusedxml import ElementTree
from openpyxl.worksheet.worksheet import Worksheet
from python_calamine import CalamineWorkbook

from config.kernel.services.workbook import Book, Column, Line, Table, book, sheet
from config.kernel.services.workbook.shapes import letters

DAY, FIRST, LAST = map(datetime.fromisoformat, ("2026-03-21", "1900-03-01", "9999-12-31"))
YUAN = Column("fen", "金额", "number", 2, "#,##0.00", total=True)
TEXT = Column("text", "文字", "text")


def written(
    path: Path, table: Table, frames: Iterable[pl.DataFrame], *, sheet_rows: int = 1_000_000
) -> list[Worksheet]:
    with Book(path, sheet_rows=sheet_rows) as made:
        made.add(table, frames)
    return list(openpyxl.load_workbook(path))


def cells(ws: Worksheet, first: int = 1) -> list[list[object]]:
    return [[cell.value for cell in row] for row in ws.iter_rows(min_row=first)]


def one_column(path: Path, column: Column, values: pl.Series) -> list[object]:
    """What openpyxl reads below the header."""
    (ws,) = written(path, Table("t", (column,)), [pl.DataFrame({column.key: values})])
    return [cell for (cell,) in cells(ws, 2)]


def raw(path: Path, number: int = 1) -> str:
    with zipfile.ZipFile(path) as archive:
        return archive.read(f"xl/worksheets/sheet{number}.xml").decode()


@pytest.mark.parametrize(
    ("decimals", "number", "shown"),
    [
        (0, 7, "7"),
        (0, -7, "-7"),
        (2, 0, "0.00"),
        (2, 5, "0.05"),
        (2, -5, "-0.05"),
        (2, -100, "-1.00"),
        (2, 123_456_789_012_345, "1234567890123.45"),
        (4, 30_000, "3.0000"),
        (6, 1, "0.000001"),
        (8, 712_345_678, "7.12345678"),
    ],
)
def test_numbers_are_exact_decimals(tmp_path: Path, decimals: int, number: int, shown: str) -> None:
    path = tmp_path / "n.xlsx"
    column = Column("n", "数", "number", decimals, total=True)
    written(path, Table("t", (column,)), [pl.DataFrame({"n": [number, 1]})])
    assert f"<v>{shown}</v>" in raw(path)


def test_sums_do_not_wrap_and_are_saved_exactly(tmp_path: Path) -> None:
    """Products of fen and days add up to more than 64 bits hold."""
    path = tmp_path / "n.xlsx"
    frames = [pl.DataFrame({"fen": [9 * 10**18] * 3}), pl.DataFrame({"fen": [1, None]})]
    written(path, Table("t", (YUAN,)), frames)
    assert "<f>SUM(A2:A6)</f><v>270000000000000000.01</v>" in raw(path)


def test_cells_have_types_and_formats(tmp_path: Path) -> None:
    columns = (
        Column("n", "序号", "number"),
        TEXT,
        YUAN,
        Column("on", "日期", "date", number_format="yyyy-mm-dd"),
        Column("month", "月份", "month"),
    )
    frame = pl.DataFrame(
        {
            "n": [1, None],
            "text": ["0123", None],
            "fen": [123_450, None],
            "on": [date(2026, 3, 21), None],
            "month": [date(2026, 3, 1), None],
        }
    )
    (ws,) = written(tmp_path / "t.xlsx", Table("表", columns), [frame])
    assert cells(ws) == [
        ["序号", "文字", "金额", "日期", "月份"],
        [1, "0123", 1234.5, DAY, "2026-03"],
        [None] * 5,
        ["合计 Total", None, "=SUM(C2:C3)", None, None],
    ]
    assert [cell.data_type for cell in ws[2]] == ["n", "s", "n", "d", "s"]
    assert [cell.number_format for cell in ws[2]] == [
        "General", "General", "#,##0.00", "yyyy-mm-dd", "General",
    ]  # fmt: skip
    assert (ws.title, ws.freeze_panes, ws.auto_filter.ref) == ("表", "A2", "A1:E3")
    assert ws.print_title_rows == "$1:$1"
    rows = CalamineWorkbook.from_path(tmp_path / "t.xlsx").get_sheet_by_index(0).to_python()
    assert rows[1] == [1.0, "0123", 1234.5, date(2026, 3, 21), "2026-03"]


def test_numbers_that_a_spreadsheet_would_change_are_texts(tmp_path: Path) -> None:
    path = tmp_path / "n.xlsx"
    most = 10**15 - 1
    column = Column("n", "号", "number")
    assert one_column(path, column, pl.Series([most, -most, most + 1, -most - 1, None])) == [
        most, -most, str(most + 1), str(-most - 1), None,
    ]  # fmt: skip


def test_days_before_the_calendar_of_the_format_are_texts(tmp_path: Path) -> None:
    days = pl.Series([date(1900, 2, 28), date(1900, 3, 1), None, date(9999, 12, 31)])
    column = Column("on", "日", "date", number_format="yyyy-mm-dd")
    assert one_column(tmp_path / "d.xlsx", column, days) == [
        "1900-02-28", FIRST, None, LAST,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "saved"),
    [
        ("=1+1", "'=1+1"),
        ("-5", "-5"),
        ("-833.34", "-833.34"),
        ("-5+A1", "'-5+A1"),
        ("-", "'-"),
        ("＝1", "'＝1"),
        ("\tx", "'\tx"),
        ("'=1", "'=1"),
        ("a=1", "a=1"),
        ("a<b>&\"c'", "a&lt;b&gt;&amp;\"c'"),
        ("]]>", "]]&gt;"),
        ("a\x00b\x1f", "a_x0000_b_x001F_"),
        ("a\r\nb", "a_x000D_\nb"),
        ("_x0041_", "_x005F_x0041_"),
        ("\ufffe", "_xFFFE_"),
        ("𠮷田", "𠮷田"),
    ],
)
def test_texts_are_escaped_and_inert(tmp_path: Path, text: str, saved: str) -> None:
    path = tmp_path / "t.xlsx"
    one_column(path, TEXT, pl.Series(["plain", text, None, ""]))
    xml = raw(path)
    ElementTree.fromstring(xml)
    assert f">{saved}</t></is></c>" in xml
    assert xml.count('t="inlineStr"') == 3


def test_headings_are_escaped_and_inert_too(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    table = Table("a&b'c", (Column("text", "<b>", "text"),), above=(Line("=1&\x01", "title"),))
    (ws,) = written(path, table, [pl.DataFrame({"text": ["x"]})])
    assert (ws.title, cells(ws)) == ("a&b'c", [["'=1&_x0001_"], ["<b>"], ["x"]])


def test_spaces_at_the_ends_and_line_breaks_are_kept(tmp_path: Path) -> None:
    texts = [" a", "a ", "a\nb", "a b"]
    path = tmp_path / "t.xlsx"
    assert one_column(path, TEXT, pl.Series(texts)) == texts
    assert raw(path).count("xml:space") == 3


def test_no_text_is_longer_than_a_cell_may_hold(tmp_path: Path) -> None:
    long, longer, pairs = "x" * 32_767, "x" * 32_768, "𠮷" * 20_000
    found = one_column(tmp_path / "t.xlsx", TEXT, pl.Series([long, longer, pairs]))
    assert found == [long, "x" * 32_766 + "…", "𠮷" * 16_383 + "…"]


def test_formulas_point_at_their_own_row_and_keep_their_value(tmp_path: Path) -> None:
    columns = (
        Column("p", "积数", "number", 2),
        Column(
            "fen", "贴息", "number", 2, formula='IF({p}<>0,INT({p}/24+0.5),"")', formula_if="ok"
        ),
        Column("word", "话", "text", formula='"x"&{p}'),
    )
    frame = pl.DataFrame(
        {
            "p": [2400, 4800, 1, 2],
            "fen": [100, 200, 3, None],
            "word": ["x24", "x48", "x0.01", "x0.02"],
            "ok": [True, False, None, True],
        }
    )
    path = tmp_path / "f.xlsx"
    (ws,) = written(path, Table("t", columns), [frame.head(1), frame.tail(3)])
    assert [row[1] for row in cells(ws, 2)] == [
        '=IF(A2<>0,INT(A2/24+0.5),"")', 2, 0.03, None,
    ]  # fmt: skip
    assert [row[2] for row in cells(ws, 2)] == [f'="x"&A{n}' for n in (2, 3, 4, 5)]
    saved = openpyxl.load_workbook(path, data_only=True).active
    assert [row[1:] for row in cells(saved, 2)] == [
        [1, "x24"], [2, "x48"], [0.03, "x0.01"], [None, "x0.02"],
    ]  # fmt: skip


def test_long_lists_are_split_and_every_sheet_adds_up(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"text": [f"t{n}" for n in range(10)], "fen": [n * 100 for n in range(10)]}
    )
    table = Table("台账", (TEXT, YUAN), above=(Line("标题", "title"),), grand_total=True)
    path = tmp_path / "s.xlsx"
    frames = [frame.slice(0, 3), frame.slice(3, 0), frame.slice(3, 7)]
    sheets = written(path, table, frames, sheet_rows=4)
    assert [ws.title for ws in sheets] == ["台账", "台账-2", "台账-3"]
    head = [["标题", None], ["文字", "金额"]]
    assert cells(sheets[1]) == [
        *head, ["t4", 4], ["t5", 5], ["t6", 6], ["t7", 7], ["合计 Total", "=SUM(B3:B6)"],
    ]  # fmt: skip
    assert cells(sheets[2]) == [
        *head, ["t8", 8], ["t9", 9], ["合计 Total", "=SUM(B3:B4)"],
        ["总计 Grand total", "='台账'!B7+'台账-2'!B7+'台账-3'!B5"],
    ]  # fmt: skip
    assert "</f><v>45.00</v>" in raw(path, 3)
    assert [ws.auto_filter.ref for ws in sheets] == ["A2:B6", "A2:B6", "A2:B4"]
    assert [ws.print_title_rows for ws in sheets] == ["$2:$2"] * 3


def test_the_total_of_no_rows_does_not_add_up_its_own_cell(tmp_path: Path) -> None:
    table = Table("t", (TEXT, YUAN), above=(Line("标题", "title"),))
    (ws,) = written(tmp_path / "n.xlsx", table, [])
    assert cells(ws, 2) == [["文字", "金额"], ["合计 Total", "=SUM(B2:B2)"]]
    assert "</f><v>0.00</v>" in raw(tmp_path / "n.xlsx")
    assert ws.auto_filter.ref == "A2:B2"


def test_a_list_of_exactly_one_sheet_needs_no_second(tmp_path: Path) -> None:
    frame = pl.DataFrame({"fen": [1, 2, 3, 4]})
    (ws,) = written(tmp_path / "s.xlsx", Table("t", (YUAN,)), [frame], sheet_rows=4)
    assert ws.max_row == 6


def test_a_sheet_too_large_for_the_archive_is_split_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book, "SHEET_BYTES", 5_000)
    monkeypatch.setattr(book, "SLICE_ROWS", 20)
    frame = pl.DataFrame({"text": ["x" * 100] * 100})
    sheets = written(tmp_path / "s.xlsx", Table("t", (TEXT,)), [frame])
    assert [ws.max_row - 1 for ws in sheets] == [40, 40, 20]


def test_names_of_sheets_are_allowed_and_differ(tmp_path: Path) -> None:
    path = tmp_path / "s.xlsx"
    with Book(path) as made:
        for name in ("a/b[c]:*?\\", "", "长" * 40, "长" * 41, "X", "x"):
            made.add(Table(name, (TEXT,)), ())
    names = openpyxl.load_workbook(path).sheetnames
    assert names == ["a b c", "Sheet", "长" * 25, "长" * 25 + "-2", "X", "x-2"]


def test_the_same_rows_give_the_same_bytes_however_they_come(tmp_path: Path) -> None:
    texts = ["a", " b", "=c", "d\x01", *("e" * n for n in range(60))]
    frame = pl.DataFrame({"text": texts, "fen": range(-32, 32)})
    table = Table("t", (TEXT, YUAN))
    for name, rows in (("one", 64), ("many", 7)):
        written(tmp_path / f"{name}.xlsx", table, frame.iter_slices(rows))
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "many.xlsx").read_bytes()


def test_headings_and_notes_stand_around_the_table(tmp_path: Path) -> None:
    columns = (Column("text", "文字", "text", note="财金〔2026〕4号", width=20), YUAN, *[
        Column("text", f"列{n}", "text") for n in range(4)
    ])  # fmt: skip
    above = (Line("月报", "title"), Line("填报单位", "meta", "单位：元"))
    table = Table("t", columns, above, ruled=True, landscape=True)
    path = tmp_path / "h.xlsx"
    told: list[int] = []
    with Book(path) as made:
        rows = made.add(
            table,
            [pl.DataFrame({"text": ["a", "b"], "fen": [1, 2]})],
            below=lambda rows: [Line(f"注：{rows} 行" + "长" * 100)],
            progress=told.append,
        )
    ws = openpyxl.load_workbook(path).active
    assert (rows, told) == (2, [2])
    assert cells(ws)[:4] == [
        ["月报", *[None] * 5],
        ["填报单位", None, None, None, "单位：元", None],
        ["财金〔2026〕4号", *[None] * 5],
        ["文字", "金额", "列0", "列1", "列2", "列3"],
    ]
    assert [row[0] for row in cells(ws, 7)] == ["合计 Total", None, "注：2 行" + "长" * 100]
    merged = {str(area) for area in ws.merged_cells.ranges}
    assert merged == {"A1:F1", "A2:D2", "E2:F2", "A9:F9"}
    assert (ws.freeze_panes, ws.auto_filter.ref, ws.print_title_rows) == ("A5", "A4:F6", "$3:$4")
    setup = (ws.page_setup.orientation, ws.page_setup.paperSize, ws.page_setup.fitToHeight)
    assert setup == ("landscape", 9, 0)
    assert ws.sheet_properties.pageSetUpPr.fitToPage
    assert ws.row_dimensions[9].height == 15 * 3 + 3
    assert ws["A5"].border.left.style == "thin"


def test_wide_sheets_print_on_pages_side_by_side(tmp_path: Path) -> None:
    columns = tuple(Column(f"c{n}", f"列{n}", "text", width=40) for n in range(6))
    above = (Line("月报", "title"),)
    (wide,) = written(tmp_path / "w.xlsx", Table("t", (*columns, TEXT), above), ())
    assert [str(area) for area in wide.merged_cells.ranges] == ["A1:C1"]
    (fitting,) = written(tmp_path / "f.xlsx", Table("t", columns), ())
    assert (wide.page_setup.fitToWidth, wide.print_title_cols) == (2, "$A:$A")
    assert (fitting.page_setup.fitToWidth, fitting.print_title_cols) == (1, None)
    assert (wide.print_title_rows, fitting.print_title_rows) == ("$2:$2", "$1:$1")


def test_an_empty_book_is_a_workbook_and_asks_to_be_calculated(tmp_path: Path) -> None:
    path = tmp_path / "e.xlsx"
    with Book(path):
        pass
    opened = openpyxl.load_workbook(path)
    assert opened.sheetnames == ["Sheet"]
    assert opened.calculation.fullCalcOnLoad is True


def test_a_failure_inside_leaves_no_open_archive(tmp_path: Path) -> None:
    path = tmp_path / "f.xlsx"

    def broken() -> Iterable[pl.DataFrame]:
        yield pl.DataFrame({"fen": [1]})
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"), Book(path) as made:
        made.add(Table("t", (YUAN,)), broken())
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["_rels/.rels", "xl/worksheets/sheet1.xml"]


@pytest.mark.parametrize(
    ("place", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16383, "XFD")]
)
def test_columns_have_letters(place: int, name: str) -> None:
    assert letters(place) == name


def test_sheets_stay_below_the_limit_of_the_format() -> None:
    assert sheet.SHEET_ROWS <= 1_048_576 - 10_000
