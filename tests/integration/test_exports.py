"""Exports as people and machines get them: typed, inert, whole, and in bounded memory."""

from __future__ import annotations

import csv
import datetime
import re
import zipfile
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from config.kernel.models import Institution
from config.kernel.services import export
from config.kernel.services.export import Field, Register, write_register
from config.kernel.services.workbook.sheet import Sheet
from loans.files.kinds import KINDS
from loans.services.intake import import_file
from loans.services.outcomes import Outcome
from settlement.resources import REGISTERS
from tests.integration import rows
from tests.integration.book import AT
from tests.integration.samples import (
    BOOK,
    NANJING,
    changed,
    load_book,
    stored,
    take,
)

pytestmark = pytest.mark.django_db

MANY = 200_000
MIB = 2**20
FORMULAS = (
    "+1", '=HYPERLINK("http://a.example","b")', "-2+3", "@x", "=cmd|' /C calc'!A0", "＝1+1", "=1+1",
)  # fmt: skip
# Where people's own words are stored.
WORDS = {
    "projects": "name", "enterprises": "name", "institutions": "name", "contracts": "purpose_field",
    "equipment-invoices": "supplier", "guarantees": "guarantor", "external-subsidies": "scheme_name",
}  # fmt: skip
TABLES = {
    "enterprises": "loans_enterpriserecord", "projects": "loans_project",
    "contracts": "loans_contract", "equipment-invoices": "loans_equipmentinvoice",
    "guarantees": "loans_guarantee", "external-subsidies": "loans_externalsubsidy",
    "institutions": "kernel_institution",
}  # fmt: skip


def written(kind: str, path: Path) -> Path:
    return write(REGISTERS[kind], path)


def write(register: Register, path: Path) -> Path:
    write_register(
        register=register, path=path, file_format=path.suffix[1:], scope=None, filters={}
    )
    return path


def peak_growth(register: Register, path: Path) -> int:
    """How far memory rose above where it was, while a register was exported, in bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    before = memory("VmRSS")
    write(register, path)
    return memory("VmHWM") - before


def memory(name: str) -> int:
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) * 1024


def test_texts_that_look_like_formulas_are_inert_and_come_back(tmp_path: Path) -> None:
    load_book(tmp_path)
    for (kind, column), text in zip(WORDS.items(), FORMULAS, strict=True):
        cells = {column: text}
        if KINDS[kind].klass == "evidence":
            cells["reference"] = "X-9"
        take(kind, [changed(BOOK[kind][0], **cells)], tmp_path)
        check_inert(kind, column, text, tmp_path)


def check_inert(kind: str, column: str, text: str, folder: Path) -> None:
    """Stored as it is; guarded in CSV; a string in a workbook; both are the stored rows again."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {TABLES[kind]} WHERE {column} = %s", [text])
        assert cursor.fetchone()[0] == 1
    values = [row[column] for row in stored(kind, folder)]
    assert f"'{text}" in values
    assert text not in values
    path = written(kind, folder / "export.xlsx")
    header = next(c.header_zh for c in KINDS[kind].columns if c.key == column)
    sheet = openpyxl.load_workbook(path).active
    place = [cell.value for cell in sheet[1]].index(header)
    (cell,) = [row[place] for row in sheet.iter_rows(min_row=2) if row[place].value == f"'{text}"]
    assert cell.data_type == "s"
    for file in (path, written(kind, folder / "export.csv")):
        outcome = take_file(kind, file)
        assert outcome.unchanged == outcome.rows == len(values)


def take_file(kind: str, path: Path) -> Outcome:
    return import_file(kind=kind, path=path, actor="system", at=AT)


def test_workbooks_have_typed_cells_frozen_headers_and_filters(tmp_path: Path) -> None:
    load_book(tmp_path)
    day = datetime.datetime.fromisoformat("2026-01-15")
    sheet = openpyxl.load_workbook(written("notes", tmp_path / "notes.xlsx")).active
    assert sheet.title == "借据"
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:J3")
    assert [cell.value for cell in sheet[1]] == [c.header_zh for c in KINDS["notes"].columns]
    assert [cell.value for cell in sheet[2]] == [
        NANJING, "JJ-1", "HT-1", day, day.replace(year=2029),
        1_000_000, 300_000, 3.1, 1, "central-sme-2026;jiangsu-manufacturing-2026",
    ]  # fmt: skip
    assert [cell.number_format for cell in sheet[2]][3:9] == [
        "yyyy-mm-dd", "yyyy-mm-dd", "#,##0.00", "#,##0.00", "0.0000", "0.0000####",
    ]  # fmt: skip
    invoices = openpyxl.load_workbook(written("equipment-invoices", tmp_path / "i.xlsx")).active
    assert invoices["C2"].value == "0123456789"


def deductions(folder: Path, *, count: int) -> None:
    """A note whose collections earned 1,234.56 yuan each."""
    rows.institutions()
    note = rows.note(Institution.objects.get(code=rows.NANJING))
    for n in range(count):
        day = datetime.date(2026, 3, 1) + datetime.timedelta(days=n)
        rows.deduction(rows.collection(note, day))


def test_totals_are_live_formulas_over_each_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "SHEET_ROWS", 4)
    monkeypatch.setattr(export, "FETCH_ROWS", 3)
    deductions(tmp_path, count=10)
    path = written("deductions", tmp_path / "deductions.xlsx")
    formulas, values = openpyxl.load_workbook(path), openpyxl.load_workbook(path, data_only=True)
    title = REGISTERS["deductions"].title_zh
    assert formulas.sheetnames == [title, f"{title}-2", f"{title}-3"]
    for sheet, count in zip(formulas, (4, 4, 2), strict=True):
        total = sheet.max_row
        assert total == count + 2
        assert sheet.auto_filter.ref == f"A1:X{count + 1}"
        assert sheet.cell(total, 1).value == "合计 Total"
        headers = [cell.value for cell in sheet[1]]
        column = headers.index("实际贴息-中央") + 1
        letter = sheet.cell(1, column).column_letter
        assert sheet.cell(total, column).value == f"=SUM({letter}2:{letter}{count + 1})"
        cached = values[sheet.title].cell(total, column).value
        assert Decimal(str(cached)) == Decimal("1234.56") * count


def test_a_failed_export_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_book(tmp_path, upto="lpr")
    path = written("lpr", tmp_path / "lpr.xlsx")
    before = path.read_bytes()

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "FETCH_ROWS", 1)  # the server is still sending when it happens
    monkeypatch.setattr(Sheet, "write", broken)
    with pytest.raises(OSError, match="No space left"):
        written("lpr", path)
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir() if "lpr.xlsx" in p.name) == ["lpr.xlsx"]


def test_empty_registers_have_headers(tmp_path: Path) -> None:
    for kind, register in REGISTERS.items():
        headers = [field.key for field in register.fields]
        with written(kind, tmp_path / "empty.csv").open(encoding="utf-8", newline="") as source:
            table = list(csv.reader(source))
        assert table[0] == headers
        sheet = openpyxl.load_workbook(written(kind, tmp_path / "empty.xlsx")).active
        assert [cell.value for cell in sheet[1]] == [field.header_zh for field in register.fields]


def test_a_filter_a_kind_does_not_have_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    with pytest.raises(CommandError, match="no such filter for this kind"):
        call_command("export", "lpr", "--out", str(out), "--since", "2026-01-01")
    assert not out.exists()


def many(rows: int) -> Register:
    return Register(
        name="many",
        title_zh="很多",
        fields=(
            Field("reference", "流水号", "text", "'S' || lpad(x::text, 7, '0')"),
            Field("amount", "金额", "amount", "x"),
            Field("moved_on", "日期", "date", "date '2026-01-01' + x"),
        ),
        source=f"generate_series(1, {rows}) x",
        order="x",
        totals=("amount",),
    )


def test_two_hundred_thousand_rows_in_bounded_memory(tmp_path: Path) -> None:
    """What a fifth of the rows took is enough for all of them."""
    for form in ("csv", "xlsx"):
        write(many(MANY // 5), tmp_path / f"fewer.{form}")
        assert peak_growth(many(MANY), tmp_path / f"many.{form}") < 16 * MIB
    lines = (tmp_path / "many.csv").read_text().splitlines()
    assert (len(lines), lines[1], lines[-1]) == (
        MANY + 1,
        "S0000001,0.01,2026-01-02",
        "S0200000,2000.00,2573-08-01",
    )
    with zipfile.ZipFile(tmp_path / "many.xlsx") as package:
        sheet = package.read("xl/worksheets/sheet1.xml")
    assert sheet.count(b"<row ") == MANY + 2
    assert b"<f>SUM(B2:B200001)</f><v>200001000.00</v>" in sheet


def test_the_readme_names_the_columns_of_every_export_of_our_own() -> None:
    text = (settings.BASE_DIR / "README.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([a-z-]+)` \|[^|]*\| ([a-z_, ]+) \|$", text, re.MULTILINE))
    assert len(told) == 12
    for kind, columns in told.items():
        assert columns.split(", ") == [field.key for field in REGISTERS[kind].fields], kind
