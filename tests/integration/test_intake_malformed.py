"""Malformed files: every problem named by row and column, and nothing of the file saved."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from loans.services.intake import import_file
from loans.services.outcomes import ImportRefused
from tests.integration.book import AT
from tests.integration.samples import (
    BOOK,
    FIRM_3,
    Row,
    changed,
    csv_bytes,
    labels,
    load_book,
    state,
    take,
    write_xlsx,
)

pytestmark = pytest.mark.django_db

ROWS = {kind: rows[0] for kind, rows in BOOK.items()}
NOTE, COLLECTION, REPAYMENT = ROWS["notes"], ROWS["interest-collections"], ROWS["repayments"]


def new_note(**cells: str) -> list[Row]:
    return [changed(NOTE, note_number="JJ-9", **cells)]


def collection(**cells: str) -> list[Row]:
    return [changed(COLLECTION, **{"reference": "S-9", **cells})]


# name → (kind, rows, the one problem)
CELLS: dict[str, tuple[str, list[Row], str]] = {
    "bad date": (
        "notes", new_note(drawn_on="2026-02-30"),
        "column drawn_on (放款日期): 日历上没有这一天 / there is no such day, 2026-02-30",
    ),
    "date in another order": (
        "notes", new_note(drawn_on="15/01/2026"),
        "column drawn_on (放款日期): 不是日期，应如 2026-03-21"
        " / not a date; write it like 2026-03-21, 15/01/2026",
    ),
    "three decimals": (
        "notes", new_note(principal="1000000.001"),
        "column principal (放款金额): 最多 2 位小数 / at most 2 decimals, 1000000.001",
    ),
    "text in an amount": (
        "notes", new_note(principal="一百万"),
        "column principal (放款金额): 只填数字，不带货币符号、单位或百分号"
        " / number only, no currency, unit or %, 一百万",
    ),
    "negative principal": (
        "notes", new_note(principal="-1000000.00"),
        "column principal (放款金额): 金额必须大于零 / the amount must be above zero, -1000000.00",
    ),
    "scientific notation": (
        "repayments", [changed(REPAYMENT, amount="1e5")],
        "column amount (还本金额): 不接受科学计数法 / scientific notation is not accepted, 1e5",
    ),
    "rate above 36": (
        "notes", new_note(annual_rate="36.0001"),
        "column annual_rate (年利率(%)): 利率（%）应在 0 到 36 之间"
        " / a rate in percent lies between 0 and 36, 36.0001",
    ),
    "unknown choice": (
        "note-statuses", [changed(ROWS["note-statuses"], status="late")],
        "column status (状态): 未知的代码，可填 overdue 逾期、extended 展期、non_performing 不良"
        " / unknown code, one of overdue extended non_performing, late",
    ),
    "blank required cell": (
        "notes", new_note(contract_number="  "),
        "column contract_number (合同号): 必填 / required",
    ),
    "maturity before drawdown": (
        "notes", new_note(matures_on="2026-01-15"),
        "column matures_on (到期日期): 到期日期不晚于放款日期"
        " / maturity is not after the drawdown (drawn_on), 2026-01-15",
    ),
    "equipment above principal": (
        "notes", new_note(equipment_amount="1000000.01"),
        "column equipment_amount (设备购置金额): 设备购置金额大于放款金额"
        " / the equipment amount is above the principal, 1000000.01",
    ),
    "period end before start": (
        "interest-collections", collection(period_end="2026-01-14"),
        "column period_end (计息止日): 计息止日不晚于计息起日"
        " / the period's end is not after its start (period_start), 2026-01-14",
    ),
    "paid above due": (
        "interest-collections", collection(interest_paid="5500.01"),
        "column interest_paid (实收利息): 实收利息大于应收利息"
        " / the interest paid is above the interest due, 5500.01",
    ),
    "unknown institution": (
        "notes", new_note(institution_code="B9999999999999"),
        "column institution_code (机构编码): 未登记的机构编码，请先导入机构"
        " / unknown institution: import institutions first, B9999999999999",
    ),
    "unknown parent institution": (
        "institutions",
        [changed(ROWS["institutions"], institution_code="B9999999999999", parent_code="B9999999999998")],
        "column parent_code (上级机构编码): 未登记的上级机构 / unknown parent institution, B9999999999998",
    ),
    "unknown contract": (
        "notes", new_note(contract_number="HT-404"),
        "column contract_number (合同号): 该机构没有此合同号，请先导入合同"
        " / unknown contract of this institution: import contracts first, HT-404",
    ),
    "unknown note": (
        "repayments", [changed(REPAYMENT, note_number="JJ-404")],
        "column note_number (借据号): 该机构没有此借据号，请先导入借据"
        " / unknown note of this institution: import notes first, JJ-404",
    ),
    "unknown enterprise": (
        "contracts", [changed(ROWS["contracts"], contract_number="HT-9", uscc=FIRM_3)],
        f"column uscc (统一社会信用代码): 未登记的企业，请先导入企业"
        f" / unknown enterprise: import enterprises first, {FIRM_3}",
    ),
    "unknown project": (
        "contracts", [changed(ROWS["contracts"], contract_number="HT-9", project_code="P-404")],
        "column project_code (项目代码): 未登记的项目代码，请先导入项目"
        " / unknown project: import projects first, P-404",
    ),
    "unknown scheme": (
        "scheme-funds", [changed(ROWS["scheme-funds"], scheme_code="no-such-2026")],
        "column scheme_code (贴息政策): 未登记的贴息政策代码，请先装载政策"
        " / unknown scheme: run load_schemes first, no-such-2026",
    ),
    "unknown label of a note": (
        "notes", new_note(scheme_codes="central-sme-2026;no-such-2026"),
        "column scheme_codes (贴息政策): 未登记的贴息政策代码，请先装载政策"
        " / unknown scheme: run load_schemes first, no-such-2026",
    ),
    "a label twice": (
        "notes", new_note(scheme_codes="central-sme-2026;central-sme-2026"),
        "column scheme_codes (贴息政策): 政策代码重复 / a scheme code appears twice,"
        " central-sme-2026;central-sme-2026",
    ),
    "disallowed without an amount": (
        "review-results", [changed(ROWS["review-results"], amount="")],
        "column amount (核减金额): 核减必须填写核减金额 / a disallowance needs its amount",
    ),
    "invisible character": (
        "repayments", [changed(REPAYMENT, reference="R\u200b1")],
        "column reference (流水号): 第 2 个字符不可用（U+200B，控制、不可见或私用字符） / character 2"
        " is not allowed (U+200B: control, invisible or private use), R\\u200b1",
    ),
}  # fmt: skip


def refusal(kind: str, path: Path) -> list[str]:
    with pytest.raises(ImportRefused) as caught:
        import_file(kind=kind, path=path, actor="system", at=AT)
    return [str(problem) for problem in caught.value.problems]


def test_bad_cells_are_named_and_nothing_changes(tmp_path: Path) -> None:
    load_book(tmp_path, upto="notes")
    before = state()
    path = tmp_path / "bad.csv"
    for name, (kind, rows, problem) in CELLS.items():
        path.write_bytes(csv_bytes(rows))
        assert refusal(kind, path) == [f"row 2, {problem}"], name
        assert state() == before, name


def headers(kind: str, *, drop: str = "", **renamed: str) -> bytes:
    row = {key: value for key, value in ROWS[kind].items() if key != drop}
    return csv_bytes([row], headers=[renamed.get(key, key) for key in row])


# name → (bytes, suffix, problems)
FILES: dict[str, tuple[bytes, str, list[str]]] = {
    "wrong header": (
        headers("repayments", amount="amt"), "csv",
        ["row 1, column amt: 未知的列 / unknown column",
         "row 1, column amount (还本金额): 缺少必填的列 / this required column is missing"],
    ),
    "missing column": (
        headers("repayments", drop="reference"), "csv",
        ["row 1, column reference (流水号): 缺少必填的列 / this required column is missing"],
    ),
    "one column twice": (
        headers("repayments", amount="流水号"), "csv",
        ["row 1, column amount (还本金额): 缺少必填的列 / this required column is missing",
         "row 1, column reference (流水号): 列重复出现（流水号、reference）"
         " / this column appears twice (流水号, reference)"],
    ),
    "ragged row": (
        csv_bytes([REPAYMENT]) + b"a,b\n", "csv",
        ["row 3: 应有 5 列，实有 2 列 / 5 columns expected, 2 found"],
    ),
    "empty file": (b"", "csv", ["row 1: 文件是空的 / the file is empty"]),
    "blank file": (b"\n \n", "csv", ["row 1: 文件是空的 / the file is empty"]),
    "headers only": (
        csv_bytes([REPAYMENT]).splitlines()[0], "csv", ["row 1: 没有数据行 / no data rows"],
    ),
    "old .xls renamed .xlsx": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096), "xlsx",
        ["row 1: 这是旧版 .xls 格式，请另存为 .xlsx / this is the old .xls format; save it as .xlsx"],
    ),
    "CSV renamed .xlsx": (
        csv_bytes([REPAYMENT]), "xlsx",
        ["row 1: 不是 Excel 工作簿，或文件已损坏 / not a spreadsheet, or the file is damaged"],
    ),
    "web page named .xlsx": (
        b"<html><table><tr><td>1</td></tr></table></html>", "xlsx",
        ["row 1: 这是网页或 XML，不是表格，请另存为 .xlsx"
         " / this is a web page or XML, not a spreadsheet; save it as .xlsx"],
    ),
    "mixed encodings": (
        csv_bytes([REPAYMENT]) + b"\xff\xfe\xff,,,,\n", "csv",
        ["row 3: 从第 101 字节起不是有效的 UTF-8 / GB18030 文本（混用了编码？）"
         " / not valid UTF-8 / GB18030 text from byte 101 on (mixed encodings?)"],
    ),
}  # fmt: skip


def test_bad_headers_and_files_are_named_and_nothing_changes(tmp_path: Path) -> None:
    load_book(tmp_path, upto="notes")
    before = state()
    good = write_xlsx(tmp_path / "good.xlsx", [list(REPAYMENT), list(REPAYMENT.values())])
    workbooks = {
        "damaged workbook": (
            good.read_bytes()[:-200], "xlsx",
            ["row 1: 文件已损坏，请重新另存为 .xlsx / the file is damaged; save it as .xlsx again"],
        ),
        "zip bomb": (
            bomb(good.read_bytes()), "xlsx",
            ["row 1: 压缩比 1021 异常（zip 炸弹？），最多 200"
             " / compression ratio 1021 (a zip bomb?), at most 200"],
        ),
    }  # fmt: skip
    for name, (data, suffix, problems) in {**FILES, **workbooks}.items():
        path = tmp_path / f"bad.{suffix}"
        path.write_bytes(data)
        assert refusal("repayments", path) == problems, name
        assert state() == before, name


def bomb(workbook: bytes) -> bytes:
    """The workbook with a sheet that unpacks to 64 MiB."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                data = data.replace(b"<sheetData>", b"<sheetData>" + b" " * 2**26)
            new.writestr(entry.filename, data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def test_every_problem_of_a_file_is_named(tmp_path: Path) -> None:
    load_book(tmp_path, upto="notes")
    before = state()
    path = tmp_path / "bad.csv"
    path.write_bytes(
        csv_bytes([*collection(interest_due="x", collected_on="2026-13-01"), COLLECTION,
                   *collection(reference="S-8", note_number="", interest_paid="9999999")])
    )  # fmt: skip
    assert [problem.split(":")[0] for problem in refusal("interest-collections", path)] == [
        "row 2, column interest_due (应收利息)",
        "row 2, column collected_on (收息日)",
        "row 4, column note_number (借据号)",
        "row 4, column interest_paid (实收利息)",
    ]
    assert state() == before


def test_ten_thousand_problems_are_all_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load_book(tmp_path, upto="contracts")
    before = state()
    path = tmp_path / "notes.csv"
    path.write_bytes(
        csv_bytes([changed(NOTE, note_number=f"N{n}", principal=f"{n}.001") for n in range(10_000)])
    )
    with pytest.raises(CommandError, match="文件有 10000 处错误，未保存任何数据") as failure:
        call_command("import_data", "notes", str(path))
    assert failure.value.returncode == 1
    assert capsys.readouterr().err.splitlines() == [
        f"row {n + 2}, column principal (放款金额): 最多 2 位小数 / at most 2 decimals, {n}.001"
        for n in range(10_000)
    ]
    assert state() == before


def test_one_bad_row_among_thousands_saves_none(tmp_path: Path) -> None:
    labels()
    load_book(tmp_path, upto="contracts")
    before = state()
    rows = [changed(NOTE, note_number=f"N{n}") for n in range(3_000)]
    rows[2_000] = changed(rows[2_000], contract_number="HT-404")
    path = tmp_path / "notes.csv"
    path.write_bytes(csv_bytes(rows))
    assert [problem[:38] for problem in refusal("notes", path)] == [
        "row 2002, column contract_number (合同号)"
    ]
    assert state() == before
    rows[2_000] = changed(NOTE, note_number="N2000")
    assert take("notes", rows, tmp_path).inserted == 3_000
