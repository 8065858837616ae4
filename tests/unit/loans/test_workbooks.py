"""XLSX: cells keep what they were, the right sheet is read, hostile packages are refused."""

import io
import struct
import time
import zipfile
from datetime import date, datetime
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import xlsxwriter

from loans.files import child, limits, workbook
from loans.files.kinds import KINDS
from loans.files.reader import read_table
from tests.unit.loans.builders import (
    inline,
    package,
    refusals,
    sheet_xml,
    texts,
)
from tests.unit.loans.builders import workbook as build

HEADER_ROW = f'<row r="1">{inline("A1", "a")}{inline("B1", "b")}</row>'


def types(path: Path) -> list[tuple[object, ...]]:
    table = read_table(path)
    assert table.cell_types is not None
    return table.cell_types.rows()


def one_cell(folder: Path, cell: str, **options: str) -> tuple[object, object]:
    """Read a sheet whose only data cell is B2; return its text and type."""
    sheet = sheet_xml(f'{HEADER_ROW}<row r="2">{inline("A2", "x")}{cell}</row>')
    path = package(folder, sheet, **options)
    return texts(read_table(path))[0][1], types(path)[0][1]


def test_openpyxl_workbook(tmp_path: Path) -> None:
    path = build(
        tmp_path,
        [
            ["借据号", "金额", "日期", "时间", "是"],
            ["JJ001", 1234.5, date(2026, 3, 21), datetime.fromisoformat("2026-03-21T23:59"), True],
            [None, None, None, None, None],
            ["007", 10**9, None, None, None],
        ],
    )
    table = read_table(path)
    assert table.headers == ("借据号", "金额", "日期", "时间", "是")
    assert texts(table) == [
        ("JJ001", "1234.5", "2026-03-21", "2026-03-21T23:59:00", "TRUE", 2),
        ("007", "1000000000", None, None, None, 4),
    ]
    assert types(path) == [("t", "n", "d", "d", "b"), ("t", "n", None, None, None)]


def test_xlsxwriter_workbook_with_inline_strings(tmp_path: Path) -> None:
    path = tmp_path / "data.xlsx"
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["a", "b"])
    sheet.write_rich_string(1, 0, "江", book.add_format({"bold": True}), "苏")
    sheet.write_number(1, 1, 0.0435, book.add_format({"num_format": "0.00%"}))
    book.close()
    assert texts(read_table(path)) == [("江苏", "0.0435", 2)]
    assert types(path) == [("t", "p")]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ('<c r="B2"><v>0.30000000000000004</v></c>', ("0.30000000000000004", "n")),
        ('<c r="B2" t="b"><v>0</v></c>', ("FALSE", "b")),
        ('<c r="B2" t="e"><v>#N/A</v></c>', ("#N/A", "e")),
        ('<c r="B2" t="e"><f>1/0</f><v>#DIV/0!</v></c>', ("#DIV/0!", "e")),
        ('<c r="B2"><f>1+1</f><v>2</v></c>', ("2", "n")),
        ('<c r="B2" t="str"><f>A1</f><v>文</v></c>', ("文", "t")),
        ('<c r="B2"><f>1+1</f></c>', ("", "f")),
        ('<c r="B2" t="str"><f>A1</f><v></v></c>', (None, None)),
        ('<c r="B2" t="d"><v>2026-03-21</v></c>', ("2026-03-21", "d")),
        ("<c><v>5</v></c>", ("5", "n")),
        (inline("B2", "a_x000D_b_x005F_x0041_"), ("a\rb_x0041_", "t")),
        (inline("B2", "_xD800_"), ("\ufffd", "t")),
        (
            '<c r="B2" t="inlineStr"><is><r><t>银</t></r><rPh><t>yin</t></rPh></is></c>',
            ("银", "t"),
        ),
        (inline("B2", " \u00a0"), (None, None)),
    ],
)
def test_cells(tmp_path: Path, cell: str, expected: tuple[str, str]) -> None:
    assert one_cell(tmp_path, cell) == expected


STYLES = (
    '<numFmts><numFmt numFmtId="164" formatCode="{code}"/></numFmts>'
    '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="{number}"/></cellXfs>'
)


@pytest.mark.parametrize(
    ("number", "code", "serial", "expected"),
    [
        (14, "", "46102", ("2026-03-21", "d")),
        (31, "", "46102", ("2026-03-21", "d")),
        (164, "yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;;@", "46102", ("2026-03-21", "d")),
        (164, "[$-F800]dddd\\,\\ mmmm\\ dd", "46102.5", ("2026-03-21T12:00:00", "d")),
        (164, "0.00&quot;days&quot;", "46102", ("46102", "n")),
        (164, "General", "46102", ("46102", "n")),
        (164, "[Red]#,##0.00", "46102", ("46102", "n")),
        (164, "0.00%", "0.03", ("0.03", "p")),
        (10, "", "0.03", ("0.03", "p")),
        (0, "", "46102", ("46102", "n")),
        (14, "", "60", ("1900-02-29", "d")),
        (14, "", "1", ("1900-01-01", "d")),
        (14, "", "61", ("1900-03-01", "d")),
        (14, "", "46101.999999", ("2026-03-21", "d")),
        (14, "", "-1", ("-1", "n")),
        (14, "", "9999999", ("9999999", "n")),
        (14, "", "x", ("x", "n")),
    ],
)
def test_number_formats(
    tmp_path: Path, number: int, code: str, serial: str, expected: tuple[str, str]
) -> None:
    styles = STYLES.format(code=code, number=number)
    cell = f'<c r="B2" s="1"><v>{serial}</v></c>'
    assert one_cell(tmp_path, cell, styles=styles) == expected


def test_1904_epoch(tmp_path: Path) -> None:
    styles = STYLES.format(code="", number=14)
    properties = '<workbookPr date1904="1"/>'
    cell = '<c r="B2" s="1"><v>44640</v></c>'
    assert one_cell(tmp_path, cell, styles=styles, workbook_properties=properties) == (
        "2026-03-21",
        "d",
    )


def test_dimension_is_not_believed(tmp_path: Path) -> None:
    rows = "".join(f'<row r="{n}">{inline(f"A{n}", str(n))}</row>' for n in range(2, 1003))
    path = package(tmp_path, sheet_xml(HEADER_ROW + rows, before='<dimension ref="A1"/>'))
    table = read_table(path)
    assert table.frame.height == 1001
    assert texts(table)[-1] == ("1002", None, 1002)


def test_prefixed_and_strict_namespaces(tmp_path: Path) -> None:
    sheet = (
        '<x:worksheet xmlns:x="http://purl.oclc.org/ooxml/spreadsheetml/main"><x:sheetData>'
        '<x:row><x:c t="inlineStr"><x:is><x:t>a</x:t></x:is></x:c></x:row>'
        "<x:row><x:c><x:v>7</x:v></x:c></x:row></x:sheetData></x:worksheet>"
    )
    assert texts(read_table(package(tmp_path, sheet))) == [("7", 2)]


def test_styled_blank_cells_far_away_are_ignored(tmp_path: Path) -> None:
    rows = f'<row r="2">{inline("A2", "1")}<c r="XFD2" s="1"/></row><row r="1048576"/>'
    assert texts(read_table(package(tmp_path, sheet_xml(HEADER_ROW + rows)))) == [("1", None, 2)]


@pytest.mark.parametrize(
    ("rows", "after", "problems"),
    [
        (
            f'<row r="1048576">{inline("XFD1048576", "1")}</row>',
            "",
            [
                "row 1048576: 单元格在允许范围之外（最多 64 列）"
                " / cell outside the allowed area (at most 64 columns), XFD1048576"
            ],
        ),
        (
            f'<row r="2">{inline("A2", "1")}{inline("F2", "2")}</row>',
            "",
            ["row 2: 第 F 列有数据但没有表头 / column F has data but no header"],
        ),
        (
            f'<row r="2">{inline("A2", "1")}</row>',
            '<mergeCells><mergeCell ref="A1:B1"/><mergeCell ref="A2:A3"/>'
            '<mergeCell ref="A9:B9"/><mergeCell ref="H1:J2"/></mergeCells>',
            [
                "row 1: 数据区内有合并单元格 / merged cells in the data, A1:B1",
                "row 2: 数据区内有合并单元格 / merged cells in the data, A2:A3",
            ],
        ),
        (
            "".join(
                f'<row r="{n}" hidden="{int(n in {3, 4, 6})}">{inline(f"A{n}", "1")}</row>'
                for n in range(2, 8)
            ),
            "",
            [
                "row 3: 第 3–4 行被隐藏或筛选掉了，请取消隐藏或删除"
                " / rows 3 to 4 are hidden or filtered out; show or delete them",
                "row 6: 第 6–6 行被隐藏或筛选掉了，请取消隐藏或删除"
                " / rows 6 to 6 are hidden or filtered out; show or delete them",
            ],
        ),
        ("", "", ["row 1: 没有数据行 / no data rows"]),
        (
            f'<row r="2">{inline("A2", "x" * 32_768)}</row>',
            "",
            ["row 2: 单元格超过 32767 个字符 / a cell has more than 32767 characters"],
        ),
        (
            f'<row r="3">{inline("A3", "1")}</row><row r="2">{inline("A2", "1")}</row>',
            "",
            ["row 1: 文件已损坏，请重新另存为 .xlsx / the file is damaged; save it as .xlsx again"],
        ),
        (
            f'<row r="2">{inline("A2", "1")}{inline("A2", "2")}</row>',
            "",
            ["row 1: 文件已损坏，请重新另存为 .xlsx / the file is damaged; save it as .xlsx again"],
        ),
        (
            '<row r="2"><c r="A2" t="s"><v>5</v></c></row>',
            "",
            ["row 1: 文件已损坏，请重新另存为 .xlsx / the file is damaged; save it as .xlsx again"],
        ),
    ],
)
def test_refused_sheets(tmp_path: Path, rows: str, after: str, problems: list[str]) -> None:
    assert refusals(package(tmp_path, sheet_xml(HEADER_ROW + rows, after=after))) == problems


def test_header_below_a_title(tmp_path: Path) -> None:
    rows = f'<row r="3">{inline("A3", "a")}</row><row r="4">{inline("A4", "1")}</row>'
    assert refusals(package(tmp_path, sheet_xml(rows))) == [
        "row 1: 第一行应为表头 / the first row must hold the headers"
    ]


def test_blank_workbook(tmp_path: Path) -> None:
    assert refusals(build(tmp_path, [])) == [
        "row 1: 没有可见的非空工作表 / the workbook is empty: no visible sheet with data"
    ]


def sheets(folder: Path, content: dict[str, str], active: int = 0) -> Path:
    """A workbook of several sheets: name -> the value below header a; hidden ones start with `_`."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, value in content.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = "hidden" if name.startswith("_") else "visible"
        if value:
            sheet.append(["a"])
            sheet.append([value])
    book.active = active
    book.save(folder / "data.xlsx")
    return folder / "data.xlsx"


def test_the_open_sheet_says_nothing(tmp_path: Path) -> None:
    path = sheets(tmp_path, {"数据": "1", "说明": "2"}, active=1)
    assert texts(read_table(path)) == [("1", 2)]


def test_sheet_named_after_the_kind(tmp_path: Path) -> None:
    path = sheets(tmp_path, {"说明": "2", " 借据": "1"})
    assert texts(read_table(path, kind=KINDS["notes"])) == [("1", 2)]


def test_hidden_and_blank_sheets_are_ignored(tmp_path: Path) -> None:
    path = sheets(tmp_path, {"Sheet1": "", "_旧": "9", "Sheet3": "1"})
    assert texts(read_table(path)) == [("1", 2)]


def test_two_visible_sheets_are_too_many(tmp_path: Path) -> None:
    assert refusals(sheets(tmp_path, {"一月": "1", "二月": "2"})) == [
        "row 1: 有多个可见的数据工作表，请只保留一个，或将其命名为“数据”"
        " / more than one data sheet; keep one, or name it 数据, 一月、二月"
    ]


SHEET = sheet_xml(f'{HEADER_ROW}<row r="2">{inline("A2", "1")}</row>')
DTD = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"xl/vbaProject.bin": b"x"}, "macros are not accepted"),
        ({"xl/macrosheets/sheet1.xml": "<x/>"}, "macros are not accepted"),
        ({"xl/externalLinks/externalLink1.xml": "<x/>"}, "links to other workbooks"),
        ({"xl/workbook.bin": b"x"}, "this is .xlsb"),
        ({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}, "OpenDocument"),
        ({"xl/sharedStrings.xml": DTD + "<sst>&b;</sst>"}, "has a DTD"),
        ({"docProps/app.xml": f"<!--{'x' * 70_000}-->{DTD}<p/>"}, "has a DTD"),
        ({"xl/sharedStrings.xml": (DTD + "<sst/>").encode("utf-16")}, "has a DTD"),
        ({f"xl/media/{n}.png": b"x" for n in range(10_000)}, "entries in the package, at most 200"),
        ({"XL/workbook.xml": "<x/>"}, "the file is damaged"),
        ({"_rels/.rels": '<Relationships xmlns="x"/>'}, "not a spreadsheet"),
        ({"_rels/.rels": "<Relationships"}, "the file is damaged"),
        ({"xl/worksheets/sheet1.xml": SHEET[:-30]}, "the file is damaged"),
        ({"xl/bomb.bin": b"\0" * (128 * limits.MIB)}, "a zip bomb?"),
    ],
)
def test_refused_packages(tmp_path: Path, extra: dict[str, str | bytes], words: str) -> None:
    path = package(tmp_path, SHEET, extra=extra)
    started = time.monotonic()
    [line] = refusals(path)
    assert words in line
    assert time.monotonic() - started < 5


def test_directory_of_sizes_too_large(tmp_path: Path) -> None:
    """More than the limit in all, each part below the ratio: only the directory is looked at."""
    path = package(tmp_path, SHEET)
    rewrite_sizes(path, "xl/styles.xml", 4_000_000_000)
    [line] = refusals(path)
    assert "more than 1536 MiB when unpacked" in line


def test_lying_sizes(tmp_path: Path) -> None:
    """A part larger than its claim is cut there; one that is smaller is read as it is."""
    path = package(tmp_path, SHEET)
    rewrite_sizes(path, "xl/worksheets/sheet1.xml", 1)
    assert "the file is damaged" in refusals(path)[0]
    rewrite_sizes(path, "xl/worksheets/sheet1.xml", 100_000)
    assert texts(read_table(path)) == [("1", None, 2)]


def rewrite_sizes(path: Path, name: str, size: int) -> None:
    """Let the zip's directory claim another uncompressed size for an entry."""
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(name.encode()))
    data[at + 24 : at + 28] = struct.pack("<I", size)
    path.write_bytes(data)


def test_truncated_and_encrypted_packages(tmp_path: Path) -> None:
    path = package(tmp_path, SHEET)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "the file is damaged" in refusals(path)[0]
    flagged = bytearray(whole)
    flagged[flagged.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(flagged)
    assert "the file is encrypted" in refusals(path)[0]


def test_other_compression_methods(tmp_path: Path) -> None:
    path = tmp_path / "data.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("xl/workbook.xml", "<x/>")
    assert "the file is damaged" in refusals(path)[0]


def test_huge_inline_string_costs_no_memory(tmp_path: Path) -> None:
    noise = "".join(chr(0x4E00 + n % 20_000) for n in range(2_000_000))
    rows = f'<row r="2">{inline("A2", noise)}</row>'
    [line] = refusals(package(tmp_path, sheet_xml(HEADER_ROW + rows)))
    assert "a cell has more than 32767 characters" in line


def test_a_token_that_never_ends_is_not_read_again_and_again(tmp_path: Path) -> None:
    noise = "".join(chr(65 + n * n % 7919 % 26) for n in range(100_000)) * 30
    rows = f'<row r="2" x="{noise}">{inline("A2", "1")}</row>'
    assert "the file is damaged" in refusals(package(tmp_path, sheet_xml(HEADER_ROW + rows)))[0]


def test_text_outside_cells_is_no_cell(tmp_path: Path) -> None:
    after = "<conditionalFormatting>" + f"<formula>{'x' * 9_000}</formula>" * 20
    sheet = sheet_xml(
        f'{HEADER_ROW}<row r="2">\n{" " * 90_000}{inline("A2", "1")}</row>',
        after=after + "</conditionalFormatting>",
    )
    assert texts(read_table(package(tmp_path, sheet))) == [("1", None, 2)]


def test_the_child_may_die(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = package(tmp_path, SHEET)
    monkeypatch.setattr(workbook, "_CHILD", "loans.files.no_such_module")
    assert "this workbook cannot be read" in refusals(path)[0]


def test_the_child_may_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = package(tmp_path, SHEET)
    monkeypatch.setattr(workbook, "CHILD_WALL_SECONDS", 0.001)
    assert "takes too long" in refusals(path)[0]


def test_the_child_knows_no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, str] = {}
    run = workbook.subprocess.run

    def spy(*arguments: object, env: dict[str, str], **options: object) -> object:
        seen.update(env)
        return run(*arguments, env=env, **options)

    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    monkeypatch.setattr(workbook.subprocess, "run", spy)
    read_table(package(tmp_path, SHEET))
    assert set(seen) == {"LANG", "PATH", "PYTHONDONTWRITEBYTECODE"}


def test_row_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child counts rows itself: the limit is the same as for CSV."""
    writer = child.CellWriter(io.StringIO())
    writer.row(1, ["ta"])
    monkeypatch.setattr(child, "MAX_ROWS", 0)
    with pytest.raises(workbook.FileError) as refused:
        writer.row(2, ["t1"])
    assert "split the file" in str(refused.value)


def test_cell_types_follow_the_frame(tmp_path: Path) -> None:
    table = read_table(build(tmp_path, [["a", None, "b"], ["1", None, 2]]))
    assert table.headers == ("a", "b")
    assert table.cell_types is not None
    assert table.cell_types.columns == ["a", "b"]
    assert table.frame.schema == {"a": pl.String, "b": pl.String, "row": pl.Int64}
