"""One small book with a row or two of every kind of file, and what tests of the intake do with files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from django.db import connection

from config.kernel.models import Institution
from loans.files.kinds import KINDS
from loans.services.intake import import_file
from loans.services.labels import register_label
from loans.services.outcomes import ImportRefused, Outcome
from tests.integration.book import AT, exported

Row = dict[str, str]
State = dict[str, tuple[int, str]]

BANK, NANJING, SUZHOU, OTHER = (f"B00000000000{n}" for n in ("01", "11", "12", "02"))
FIRM, FIRM_2, FIRM_3 = "91320200MA1XC1LR11", "91320200MAK7BFEJ58", "91320300MANNX8B87A"
WRONG_DIGIT = "91320200MA1XC1LR12"
SME, MAKING, SPORTS = "central-sme-2026", "jiangsu-manufacturing-2026", "jiangsu-sports-2026"

HEADERS = {kind: [column.key for column in KINDS[kind].columns] for kind in KINDS}


def _rows(kind: str, *lines: str) -> list[Row]:
    return [dict(zip(HEADERS[kind], line.split("|"), strict=True)) for line in lines]


# A book of two banks: one row per line, in the order of the kind's columns.
_LINES: dict[str, tuple[str, ...]] = {
    "institutions": (
        f"{BANK}|甲银行|headquarters||320000",
        f"{NANJING}|甲银行南京分行|provincial|{BANK}|320100",
        f"{SUZHOU}|甲银行苏州分行|provincial|{BANK}|320500",
        f"{OTHER}|乙银行|headquarters||310000",
    ),
    "participations": (f"{SME}|{BANK}|2026-01-01|",),
    "lpr": ("2025-12-22|3.0000|3.5000", "2026-01-20|3.0000|3.5000"),
    "enterprises": (
        f"{FIRM}|甲机械有限公司|320100|C3421|small|private|green|A|no|",
        f"{FIRM_2}|乙仪器有限公司|320500|C4011|medium|private|||no|2025-01-01",
        f"{FIRM_2}|乙仪器股份有限公司|320500|C4011|large|private||B|yes|2026-06-01",
    ),
    "enterprise-titles": (f"{FIRM}|specialized|2025-01-01|2027-12-31",),
    "projects": (f"P-1|{FIRM}|数控机床产线|320100",),
    "contracts": (
        f"{NANJING}|HT-1|{FIRM}|2026-01-05|fixed_asset|5000000.00|CNY|工业母机|P-1",
        f"{NANJING}|HT-2|{FIRM_2}|2026-02-05|working_capital|2000000.00|CNY|医疗装备|",
    ),
    "syndicate-shares": (f"{NANJING}|HT-1|{OTHER}|40.5000",),
    "notes": (
        f"{NANJING}|JJ-1|HT-1|2026-01-15|2029-01-15|1000000.00|300000.00|3.1000|1|{SME};{MAKING}",
        f"{NANJING}|JJ-2|HT-2|2026-02-15|2027-02-15|500000.00|0.00|4.3500|1|{SME}",
    ),
    "equipment-invoices": (f"{NANJING}|JJ-1|0123456789|2026-01-20|300000.00|SN-1|丙机床厂",),
    "repayments": (f"{NANJING}|JJ-1|2026-02-01|100000.00|R-1",),
    "note-statuses": (f"{NANJING}|JJ-2|overdue|2026-05-01|",),
    "guarantees": (f"{NANJING}|JJ-1|G-1|省再担保|800000.00|2026-01-15|2027-01-15|0.9000",),
    "payout-agreements": (
        f"{NANJING}|JJ-2||2026-02-15||乙仪器有限公司|0032010001|甲银行南京分行|不能直接抵减",
    ),
    "interest-collections": (
        f"{NANJING}|JJ-1|2026-01-15|2026-03-21|5500.00|5500.00|2026-03-21|S-1",
        f"{NANJING}|JJ-1|2026-03-21|2026-06-21|7130.00||2026-06-21|S-2",
    ),
    "external-subsidies": (
        f"市工信局|X-1|{FIRM}|loan_interest|设备补贴|{NANJING}|JJ-1|||2026|1200.00",
        f"省财政厅|X-2|{FIRM_2}|leasing_interest|租赁贴息|||||2026|900.00",
    ),
    "scheme-funds": (f"{SPORTS}|2026|840000.00",),
    "pre-allocations": (f"{SME}|{BANK}|central|2026-01-10|1000000.00|财金〔2026〕1号|interest",),
    "review-results": (f"{SME}|{NANJING}|JJ-1|2026-03|disallowed|12.30|材料不全|财审1号",),
    "bank-statements": (f"{BANK}|{SME}|central|2026-01-10|1000000.00|1000000.00|B-1|财政拨款",),
    "note-transfers": (f"{NANJING}|JJ-2|2026-07-01|{SUZHOU}",),
    "opening-positions": (f"{SME}|{NANJING}|JJ-1|central|2025|100.00|900.00|2026-01-15",),
    "compensations": (f"{NANJING}|G-1|2026-06-30|100000.00|DC-1",),
    "papers": (
        f"{NANJING}|JJ-1||invoice|DA-1|2026-01-20|{'0a' * 32}",
        f"{BANK}||{MAKING}|commitment_letter|DA-2|2025-12-01|",
    ),
    "enterprise-contacts": (
        f"{BANK}|{FIRM}|email|caiwu@jia.example||yes",
        f"{NANJING}|{FIRM}|sms|13800001234|张三|no",
    ),
}
BOOK: dict[str, list[Row]] = {kind: _rows(kind, *lines) for kind, lines in _LINES.items()}


def csv_bytes(rows: Sequence[Mapping[str, str]], *, headers: Sequence[str] | None = None) -> bytes:
    """Rows as UTF-8 CSV."""
    out = io.StringIO(newline="")
    names = list(headers or rows[0])
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([names, *([row[name] for name in rows[0]] for row in rows)])
    return out.getvalue().encode()


def write_xlsx(path: Path, table: Iterable[Sequence[object]]) -> Path:
    """A workbook of one sheet with these rows of cells."""
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        for number, cells in enumerate(table):
            for column, cell in enumerate(cells):
                sheet.write(number, column, cell)
    return path


def take(kind: str, rows: Sequence[Mapping[str, str]], folder: Path, **options: Any) -> Outcome:
    """Import rows as a CSV file would bring them."""
    return take_bytes(kind, csv_bytes(rows), folder, **options)


def take_bytes(
    kind: str, data: bytes, folder: Path, *, suffix: str = "csv", **options: Any
) -> Outcome:
    """Import a file of these bytes."""
    path = folder / f"{kind}.{suffix}"
    path.write_bytes(data)
    return import_file(**{"kind": kind, "path": path, "actor": "system", "at": AT, **options})


def refused(
    kind: str, rows: Sequence[Mapping[str, str]], folder: Path, **options: Any
) -> list[str]:
    """Import rows that must be refused, changing nothing; returns the problems as printed."""
    return refused_bytes(kind, csv_bytes(rows), folder, **options)


def refused_bytes(kind: str, data: bytes, folder: Path, **options: Any) -> list[str]:
    """Import a file that must be refused, changing nothing; returns the problems as printed."""
    before = state()
    with pytest.raises(ImportRefused) as refusal:
        take_bytes(kind, data, folder, **options)
    assert state() == before
    return [str(problem) for problem in refusal.value.problems]


def labels() -> None:
    """Let notes carry the codes of the shipped schemes, whose terms these tests do not need."""
    for code in (SME, MAKING, SPORTS):
        register_label(code=code, name=code)


def load_book(folder: Path, *, upto: str = "enterprise-contacts") -> None:
    """Import the small book, up to a kind."""
    labels()
    for kind in KINDS:
        take(kind, BOOK[kind], folder)
        if kind == upto:
            return


def scope_of(code: str) -> tuple[int, int]:
    """An institution and everything below it."""
    return Institution.objects.get(code=code).scope


# What is written of whoever comes in, goes out or only looks around; the door has tests of its own.
SIGNING_IN = (
    "django_session", "kernel_signin", "axes_accessattempt", "axes_accessattemptexpiration",
    "otp_totp_totpdevice", "otp_static_staticdevice", "otp_static_statictoken",
)  # fmt: skip


def state() -> State:
    """Every table's rows but those of signing in, as (count, digest): equal if nothing changed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind IN ('r', 'p')"
            " AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition"
            " AND has_table_privilege(c.oid, 'SELECT') ORDER BY 1"
        )
        tables = [row[0] for row in cursor.fetchall() if row[0] not in SIGNING_IN]
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{table}', count(*), coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text)), '')"
                f" FROM {table} t"
                for table in tables
            )
        )
        return {name: (count, digest) for name, count, digest in cursor.fetchall()}


def stored(kind: str, folder: Path) -> list[Row]:
    """What is stored of a kind, as its own file would say it."""
    return exported(kind, folder)


def all_stored(folder: Path) -> dict[str, list[Row]]:
    """What is stored of every kind."""
    return {kind: stored(kind, folder) for kind in KINDS}


def changed(row: Mapping[str, str], **cells: str) -> Row:
    """The row with some cells changed."""
    assert cells.keys() <= row.keys()
    return {**row, **cells}
