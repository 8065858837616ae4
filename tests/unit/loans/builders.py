"""Builds real files for the tests: CSV text, workbooks by openpyxl, and hand-made zip packages."""

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import openpyxl
import pytest

from loans.files.columns import Parsed, parse
from loans.files.kinds import KINDS
from loans.files.reader import FileError, Table, read_table

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"

NOTE: dict[str, str] = {
    "institution_code": "C0001320100000",
    "note_number": "JJ001",
    "contract_number": "HT-001",
    "drawn_on": "2026-03-05",
    "matures_on": "2029-03-05",
    "principal": "60000000.00",
    "equipment_amount": "1000.00",
    "annual_rate": "3.00",
    "exchange_rate": "1",
    "scheme_codes": "central-sme-2026",
}
COLLECTION: dict[str, str] = {
    "institution_code": "C0001320100000",
    "note_number": "JJ001",
    "period_start": "2026-03-05",
    "period_end": "2026-03-21",
    "interest_due": "80000.00",
    "interest_paid": "80000.00",
    "collected_on": "2026-03-21",
    "reference": "S-1",
}
ENTERPRISE: dict[str, str] = {
    "uscc": "91320300MANNX8B87A",
    "name": "样例有限公司",
    "region_code": "320300",
    "industry_code": "C3421",
    "size": "small",
    "ownership": "private",
}


def csv_text(rows: Sequence[Mapping[str, str]]) -> str:
    """Return rows of the same columns as CSV text without quoting."""
    lines = [",".join(rows[0])] + [",".join(row.values()) for row in rows]
    return "\n".join(lines) + "\n"


def csv_file(folder: Path, content: str | bytes, name: str = "data.csv") -> Path:
    """Write a CSV file."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def parse_rows(
    folder: Path, kind: str, rows: Sequence[Mapping[str, str]], **options: bool
) -> Parsed:
    """Read and parse rows given as text, through a real CSV file."""
    return parse(KINDS[kind], read_table(csv_file(folder, csv_text(rows))), **options)


def lines(parsed: Parsed) -> list[str]:
    """Return the problems as people see them."""
    return [str(problem) for problem in parsed.problems]


def refusals(path: Path, **options: str) -> list[str]:
    """Return why a file cannot be read, as people see it."""
    with pytest.raises(FileError) as refused:
        read_table(path, encoding=options.get("encoding"))
    return [str(problem) for problem in refused.value.problems]


def texts(table: Table) -> list[tuple[object, ...]]:
    """Return the rows of a table, the file's line last."""
    return table.frame.rows()


def workbook(folder: Path, rows: Iterable[Sequence[object]], title: str = "Sheet1") -> Path:
    """Write a workbook of one sheet with openpyxl."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    path = folder / "data.xlsx"
    book.save(path)
    return path


def sheet_xml(rows: str, *, before: str = "", after: str = "") -> str:
    """Return a worksheet part around row elements."""
    return f'<worksheet xmlns="{MAIN}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'


def inline(address: str, text: str) -> str:
    """Return a cell with text of its own."""
    return f'<c r="{address}" t="inlineStr"><is><t>{text}</t></is></c>'


def package(
    folder: Path,
    sheet: str,
    *,
    extra: Mapping[str, str | bytes] | None = None,
    workbook_properties: str = "",
    styles: str = "",
) -> Path:
    """Write a minimal .xlsx by hand, with one sheet part and whatever else is asked for."""
    parts: dict[str, str | bytes] = {
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r1" '
        f'Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">{workbook_properties}'
        '<sheets><sheet name="Sheet1" sheetId="1" r:id="s1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">'
        f'<Relationship Id="s1" Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="s2" Type="{RELATIONS}/styles" Target="/xl/styles.xml"/>'
        "</Relationships>",
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}">{styles}</styleSheet>',
        "xl/worksheets/sheet1.xml": sheet,
        **(extra or {}),
    }
    path = folder / "data.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return path
