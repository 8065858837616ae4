"""One report in its three forms: the same figures, to the fen, in each."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from reports.definitions.sheet import Column, Sheet, Table, whole
from reports.render import csv, pdf, words, xlsx
from tests.calc import CALC, amount, recalculated
from tests.unit.reports import sheets
from tests.unit.reports.sheets import BY_FIELD, HEADING, by_field, detail, half_up, report

CUT = date(2026, 3, 31)
PDFTOTEXT = shutil.which("pdftotext")
WRITERS: dict[str, Callable[[Sheet, Path], object]] = {
    "xlsx": xlsx.write,
    "csv": csv.write,
    "pdf": lambda sheet, path: pdf.write(sheet, path, dated=CUT),
}


def pages(path: Path) -> list[str]:
    """Each page's text without spaces."""
    text = subprocess.run(
        [str(PDFTOTEXT), "-layout", str(path), "-"], check=True, capture_output=True, text=True
    ).stdout
    return ["".join(page.split()) for page in text.split("\f")[:-1]]


def test_csv_has_a_file_per_table_in_yuan(tmp_path: Path) -> None:
    files = csv.write(report(), tmp_path / "new-loans-2026-03.csv")
    assert [file.name for file in files] == [
        "new-loans-2026-03.csv", "new-loans-2026-03.by_field.csv", "new-loans-2026-03.ended.csv",
    ]  # fmt: skip
    assert files[0].read_bytes().decode() == (
        "number,note,name,drawn_on,month,principal,product,rate,exchange,subsidy\n"
        "1,JJ00001,'=甲公司,2026-03-02,2026-03,1234567.89,120.01,3.1000,1,0.01\n"
        '2,JJ00002,"乙2,公司",2026-03-03,2026-03,2469135.78,240.02,3.1000,7.12345678,0.01\n'
        '3,JJ00003,"乙3,公司",2026-03-04,2026-03,3703703.67,360.00,3.1000,1,0.77\n'
    )
    assert files[1].read_text() == "field,notes,principal\n农业,1,123456789.01\n工业母机,2,-0.05\n"
    assert files[2].read_text() == "field,notes,principal\n"


def test_workbooks_have_headings_types_formulas_and_signatures(tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    told: list[int] = []
    assert xlsx.write(report(), path, progress=told.append) == sum(told) == 5
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["明细", "分领域", "退出"]
    rows = [[cell.value for cell in row] for row in book["明细"].iter_rows()]
    texts = [[value for value in row if value is not None] for row in rows]
    assert texts[:4] == [
        ["新发放贷款月报 · 明细"],
        ["填报单位：甲银行（C0001110000000）", "期间：2026年3月"],
        ["政策：中小微企业贷款贴息（财金〔2026〕4号）", "报送对象：财政部"],
        ["账簿截止：第1234号分录", "单位：元"],
    ]
    assert texts[4] == ["财金〔2026〕4号 一(一)", "财金〔2026〕4号 一(三)"]
    assert rows[5] == [column.title_zh for column in sheets.DETAIL]
    day = date(2026, 3, 2)
    assert rows[6][:3] == [1, "JJ00001", "'=甲公司"]
    assert rows[6][3].date() == day
    assert rows[6][4:] == [
        "2026-03", 1234567.89, 120.01, 3.1, 1, "=INT(ROUND(G7*100,0)*15/360000+0.5)/100",
    ]  # fmt: skip
    assert rows[8][9] == 0.77
    assert rows[9] == [
        "合计 Total", *[None] * 4, "=SUM(F7:F9)", "=SUM(G7:G9)", None, None, "=SUM(J7:J9)",
    ]  # fmt: skip
    assert texts[11:] == [
        ["注1：日基数360天，为假定。"],
        ["注2：上限150万元。"],
        [words.signature_line(report())],
    ]
    assert "公章" in texts[-1][0]
    summary = book["分领域"]
    assert summary["B4"].value is None
    assert summary["C4"].value == "单位：万元"
    assert [cell.value for cell in summary[6]] == ["农业", 1, 12345.678901]
    assert summary["C6"].number_format == "#,##0.000000"


def test_a_long_list_has_its_notes_on_a_sheet_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx, "LONG_ROWS", 2)
    xlsx.write(report(), tmp_path / "r.xlsx", sheet_rows=2)
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    assert book.sheetnames == ["明细", "明细-2", "说明", "分领域", "退出"]
    notes = [row[0].value for row in book["说明"].iter_rows()]
    assert notes[-3:-1] == ["注1：日基数360天，为假定。", "注2：上限150万元。"]
    assert book["明细-2"].max_row == 6 + 1 + 2


def test_every_printed_page_says_which_row_it_is_and_names_are_not_cut(tmp_path: Path) -> None:
    keys = tuple(Column(key, f"名{key}", "text") for key in ("scheme", "fund", "tier"))
    amounts = tuple(Column(f"c{n}", f"列{n}", "yuan") for n in range(12))
    name = "江苏省制造业贷款财政贴息 苏财工贸〔2026〕7号"
    row = {"scheme": [name], "fund": ["省分行"], "tier": ["省级"]}
    frame = pl.DataFrame({"number": [1], **row, **{c.key: [10**12] for c in amounts}})
    number = Column("number", "序号", "int")
    tables = (
        Table("named", "按名", (*keys, *amounts), whole(frame)),
        Table("numbered", "按号", (number, *keys, *amounts), whole(frame)),
    )
    xlsx.write(Sheet(HEADING, tables), tmp_path / "k.xlsx")
    book = openpyxl.load_workbook(tmp_path / "k.xlsx")
    assert [ws.print_title_cols for ws in book] == ["$A:$C", "$A:$A"]
    assert book["按名"].column_dimensions["A"].width > words.wide(name)


def test_a_recalculation_gives_our_values(tmp_path: Path) -> None:
    """Saved values are wrong on purpose: what is shown must come from the formulas."""
    rows = 400
    right = report(rows)
    off = detail(rows).with_columns(pl.col("subsidy") + 1)
    wrong = Sheet(HEADING, (Table("detail", "明细", sheets.DETAIL, whole(off)), *right.tables[1:]))
    path = tmp_path / "r.xlsx"
    xlsx.write(wrong, path)
    formulas = [row[9].value for row in openpyxl.load_workbook(path)["明细"].iter_rows(min_row=7)]
    assert formulas[0] == "=INT(ROUND(G7*100,0)*15/360000+0.5)/100"
    if CALC is None:
        return
    shown = recalculated(path, tmp_path)
    frame = detail(rows)
    values = [amount(line[9]) for line in shown["明细"][6 : 6 + rows]]
    expected = [half_up(product) for product in frame["product"]]
    expected[-1] = 78
    assert [int(value * 100) for value in values] == expected
    halves = [p for p in frame["product"] if p * 15 % 360_000 == 180_000]
    assert len(halves) > 50
    total = shown["明细"][6 + rows]
    assert int(amount(total[9]) * 100) == sum(expected)
    assert int(amount(total[5]) * 100) == frame["principal"].sum()
    assert amount(shown["分领域"][7][2]) * 10**6 == by_field()["principal"].sum()


def test_papers_hold_the_same_figures(tmp_path: Path) -> None:
    path = tmp_path / "r.pdf"
    pdf.write(report(), path, dated=CUT)
    assert path.read_bytes()[:5] == b"%PDF-"
    if PDFTOTEXT is None:
        return
    (page,) = pages(path)
    for text in (
        "新发放贷款月报", "填报单位：甲银行（C0001110000000）", "期间：2026年3月", "报送对象：财政部",
        "账簿截止：第1234号分录", "单位：元", "单位：万元", "放款金额", "=甲公司", "1,234,567.89",
        "2,469,135.78", "7.12345678", "12,345.678901", "-0.000005", "本期无数据",
        "注1：日基数360天，为假定。", "填表人", "复核人", "负责人", "单位（公章）", "填报日期", "第1页/共1页",
    ):  # fmt: skip
        assert text in page, text
    assert re.search(r"合计7,407,407\.34720\.030\.79", page)
    assert "合计312,345.678896" in page


def test_wide_tables_are_cut_into_groups_that_repeat_the_row_number(tmp_path: Path) -> None:
    columns = (
        Column("number", "序号", "int"),
        *(Column(f"c{n}", f"列{n}", "yuan", total=True) for n in range(24)),
    )
    frame = pl.DataFrame({"number": [1, 2], **{f"c{n}": [10**12 + n, n] for n in range(24)}})
    sheet = Sheet(HEADING, (Table("wide", "宽表", columns, whole(frame)),))
    path = tmp_path / "w.pdf"
    pdf.write(sheet, path, dated=CUT)
    if PDFTOTEXT is None:
        return
    text = "".join(pages(path))
    assert "第1部分，共4部分" in text
    assert text.count("序号") == 4
    for n in range(24):
        assert f"列{n}" in text
        assert sheet_total(10**12 + 2 * n) in text


def test_groups_whose_texts_do_not_tell_rows_apart_begin_with_a_number(tmp_path: Path) -> None:
    columns = (
        *(Column(key, f"名{key}", "text") for key in ("scheme", "fund", "tier")),
        *(Column(f"c{n}", f"列{n}", "yuan", total=True) for n in range(12)),
    )
    same = {"scheme": ["制造业", "制造业"], "fund": ["省分行", "省分行"], "tier": ["省级", "市级"]}
    other = {**same, "fund": ["省分行", "市分行"]}
    amounts = {f"c{n}": [10**12 + n, n] for n in range(12)}
    for name, texts, numbers in (("same", same, 2), ("other", other, 0)):
        table = Table("wide", "宽表", columns, whole(pl.DataFrame({**texts, **amounts})))
        pdf.write(Sheet(HEADING, (table,)), tmp_path / f"{name}.pdf", dated=CUT)
        if PDFTOTEXT is None:
            return
        text = "".join(pages(tmp_path / f"{name}.pdf"))
        assert "第2部分，共2部分" in text
        assert text.count("序号") == numbers
        assert text.count("名tier") == 1


def sheet_total(fen: int) -> str:
    return words.shown(Column("x", "x", "yuan"), fen)


def test_a_list_too_long_for_paper_is_summed_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "LIST_ROWS", 3)
    pdf.write(report(3), tmp_path / "short.pdf", dated=CUT)
    pdf.write(report(4), tmp_path / "long.pdf", dated=CUT)
    if PDFTOTEXT is None:
        return
    assert "JJ00003" in pages(tmp_path / "short.pdf")[0]
    (long,) = pages(tmp_path / "long.pdf")
    assert "明细共4行，见同名电子表格" in long
    assert "JJ00001" not in long
    assert sheet_total(sum(n * 1_234_567_89 for n in (1, 2, 3, 4))) in long


def test_headers_are_repeated_and_pages_counted(tmp_path: Path) -> None:
    pdf.write(report(120), tmp_path / "r.pdf", dated=CUT)
    if PDFTOTEXT is None:
        return
    found = pages(tmp_path / "r.pdf")
    assert len(found) > 2
    for number, page in enumerate(found, start=1):
        assert f"第{number}页/共{len(found)}页" in page
    assert sum("借据号" in page for page in found) >= len(found) - 1


def test_papers_need_no_font_of_the_system(tmp_path: Path) -> None:
    pdf.write(report(), tmp_path / "r.pdf", dated=CUT)
    names = set(re.findall(rb"/FontName ?/([\w+-]+)", (tmp_path / "r.pdf").read_bytes()))
    assert {name.decode().partition("+")[2] for name in names} <= {"NotoSansCJKsc-Regular"}


@pytest.mark.parametrize("form", WRITERS)
def test_the_same_report_gives_the_same_bytes(tmp_path: Path, form: str) -> None:
    WRITERS[form](report(30), tmp_path / f"a.{form}")
    WRITERS[form](report(30, parts=7), tmp_path / f"b.{form}")
    assert (tmp_path / f"a.{form}").read_bytes() == (tmp_path / f"b.{form}").read_bytes()


@pytest.mark.parametrize("form", WRITERS)
def test_a_failure_leaves_the_old_file(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"r.{form}"
    WRITERS[form](report(), path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def broken() -> Iterator[pl.DataFrame]:
        yield detail(1)
        raise OSError(28, "No space left on device")

    sheet = Sheet(HEADING, (Table("detail", "明细", sheets.DETAIL, broken),))
    with pytest.raises(OSError, match="No space"):
        WRITERS[form](sheet, path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("yuan", 123_456_789, "1,234,567.89"),
        ("yuan", -5, "-0.05"),
        ("wan", 123_456_789_01, "12,345.678901"),
        ("wan", -1, "-0.000001"),
        ("product", 100, "1.00"),
        ("rate", 31_500, "3.1500"),
        ("exchange", 7_12345000, "7.12345"),
        ("exchange", 1_00000000, "1.0000"),
        ("int", 2026, "2026"),
        ("date", CUT, "2026-03-31"),
        ("month", date(2026, 3, 1), "2026-03"),
        ("text", "甲", "甲"),
        ("text", None, ""),
    ],
)
def test_values_are_shown_exactly(kind: str, value: object, text: str) -> None:
    assert words.shown(Column("x", "列", kind), value) == text  # type: ignore[arg-type]


def test_units_follow_the_columns() -> None:
    sheet = report()
    assert [words.unit(sheet, table) for table in sheet.tables] == ["元", "万元", "万元"]
    assert words.unit(sheet, Table("t", "t", BY_FIELD[:2], whole(pl.DataFrame()))) == "元"


def long_report(parts: int) -> Sheet:
    """A list of ten thousand rows, so many times over."""
    frame = detail(10_000)

    def rows() -> Iterator[pl.DataFrame]:
        return (frame.clone() for _ in range(parts))

    return Sheet(HEADING, (Table("detail", "明细", sheets.DETAIL, rows),))


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    short, long = long_report(4), long_report(24)
    for form, writer in WRITERS.items():
        writer(short, tmp_path / f"short.{form}")
        assert peak_growth(writer, long, tmp_path / f"long.{form}") < 64 * 2**20, form
    assert (tmp_path / "long.csv").read_bytes().count(b"\n") == 240_001
    assert openpyxl.load_workbook(tmp_path / "long.xlsx", read_only=True).sheetnames[1] == "说明"


def peak_growth(writer: Callable[[Sheet, Path], object], sheet: Sheet, path: Path) -> int:
    """How far memory rose above where it was, in bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    before = memory("VmRSS")
    writer(sheet, path)
    return memory("VmHWM") - before


def memory(name: str) -> int:
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) * 1024


def test_csv_names_carry_no_unit_of_the_frame(tmp_path: Path) -> None:
    columns = (
        Column("paid_fen", "实付", "yuan"), Column("rate_ppm", "利率", "rate"),
        Column("parity_e8", "汇率", "exchange"), Column("rows_fen", "笔数", "int"),
    )  # fmt: skip
    frame = pl.DataFrame(
        {"paid_fen": [150], "rate_ppm": [35_000], "parity_e8": [10**8], "rows_fen": [2]}
    )
    sheet = replace(report(), tables=(Table("detail", "明细", columns, whole(frame)),))
    csv.write(sheet, tmp_path / "a.csv")
    text = (tmp_path / "a.csv").read_text()
    assert text == "paid,rate,parity,rows_fen\n1.50,3.5000,1,2\n"


def test_codes_said_in_words_are_left_out_on_paper(tmp_path: Path) -> None:
    columns = (
        Column("code", "代码", "text", on_paper=False), Column("name", "名称", "text"),
    )  # fmt: skip
    frame = pl.DataFrame({"code": ["central-x"], "name": ["甲政策"]})
    sheet = replace(report(), tables=(Table("detail", "明细", columns, whole(frame)),))
    pdf.write(sheet, tmp_path / "a.pdf", dated=date(2026, 3, 1))
    text = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "a.pdf", "-"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "甲政策" in text and "central-x" not in text and "代码" not in text
