"""What is exported comes back: into the same book without a change, into an empty one as it was."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import transaction

from config.kernel.services.export import write_register
from loans.files.kinds import KINDS
from loans.services.intake import import_file
from settlement.resources import REGISTERS
from tests.integration.book import (
    AT,
    PORTFOLIO,
    deduction_facts,
    enrolment_facts,
    exported,
    import_folder,
    load_shipped,
    read_csv,
    run,
)
from tests.integration.samples import BOOK, Row, all_stored, changed, load_book, state, take

pytestmark = pytest.mark.django_db

CALC = shutil.which("soffice")
NOTE = {"institution_code": "C0001320100000", "note_number": "JJ72300000000"}
CONTRACT = {"institution_code": "C0001320100000", "contract_number": "HT-723-000000"}
# The kinds the shipped portfolio lacks, none of which changes what it earns.
FURTHER: dict[str, Row] = {
    "syndicate-shares": {**CONTRACT, "participant_code": "C0011110000001"},
    "guarantees": {"guarantee_number": "DB-1", "starts_on": "2026-03-05", "ends_on": "2027-03-05"},
    "note-transfers": {"new_institution_code": "C0001320101001"},
    "opening-positions": {"amount": "0.00", "interest_paid": "0.00", "paid_through": "2026-01-01"},
    "pre-allocations": {"institution_code": "C0001110000000"},
    "bank-statements": {"institution_code": "C0001110000000"},
    "payout-agreements": {"valid_from": "2030-01-01"},
    "equipment-invoices": {},
    "review-results": {},
    "compensations": {"institution_code": "C0001320100000", "guarantee_number": "DB-1"},
    "papers": {},
    "enterprise-contacts": {
        "institution_code": "C0001320100000",
        "uscc": "91321300MA0LLBKR9E",
    },
}


class _Undone(Exception):
    pass


@contextmanager
def undone() -> Iterator[None]:
    """A book of its own, gone afterwards."""
    try:
        with transaction.atomic():
            yield
            raise _Undone
    except _Undone:
        pass


def export_all(folder: Path, file_format: str) -> Path:
    """Every kind as a file of a folder."""
    for kind in KINDS:
        write_register(
            register=REGISTERS[kind], path=folder / file_format / f"{kind}.{file_format}",
            file_format=file_format, scope=None, filters={},
        )  # fmt: skip
    return folder / file_format


def import_all(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Import a folder of every kind; returns the counts of each."""
    counts = {}
    for kind in KINDS:
        done = import_file(
            kind=kind,
            path=folder / f"{kind}.{folder.name}",
            actor="system",
            at=AT,
            allow_empty=True,
        )
        counts[kind] = (done.inserted, done.corrected, done.unchanged)
    return counts


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_a_book_of_every_kind_comes_back(tmp_path: Path, file_format: str) -> None:
    with undone():
        load_book(tmp_path)
        completion = changed(BOOK["interest-collections"][1], interest_paid="7000.00")
        take("interest-collections", [changed(completion, collected_on="2026-05-03")], tmp_path)
        book, before = all_stored(tmp_path), state()
        folder = export_all(tmp_path, file_format)
        unchanged = {kind: (0, 0, len(rows)) for kind, rows in book.items()}
        assert import_all(folder) == unchanged
        assert state() == before
    with undone():
        load_shipped()
        assert import_all(folder) == {kind: (len(rows), 0, 0) for kind, rows in book.items()}
        assert all_stored(tmp_path) == book


def further(kind: str) -> Row:
    """A row of the small book, made to fit the portfolio."""
    row = BOOK[kind][0]
    of_note = NOTE if "note_number" in row else {}
    return {**row, **of_note, **FURTHER[kind]}


def test_the_portfolio_comes_back_with_all_it_earns(tmp_path: Path) -> None:
    """From a book with every kind, through both formats, to the expected deductions."""
    with undone():
        load_shipped()
        import_folder(PORTFOLIO)
        for kind in FURTHER:
            assert take(kind, [further(kind)], tmp_path).inserted == 1, kind
        book = all_stored(tmp_path)
        folders = {name: export_all(tmp_path, name) for name in ("csv", "xlsx")}
        fresh = {kind: (len(rows), 0, 0) for kind, rows in book.items()}
    assert all(count for count, _, _ in fresh.values())
    with undone():
        load_shipped()
        assert import_all(folders["xlsx"]) == fresh
        assert all_stored(tmp_path) == book
        assert import_all(folders["csv"]) == {kind: (0, 0, n) for kind, (n, _, _) in fresh.items()}
        run()
        expected = PORTFOLIO / "expected"
        assert enrolment_facts(exported("enrolments", tmp_path)) == enrolment_facts(
            read_csv(expected / "enrolments.csv")
        )
        deductions = exported("deductions", tmp_path)
        assert deduction_facts(deductions) == deduction_facts(read_csv(expected / "deductions.csv"))
        if CALC:
            check_in_a_spreadsheet(deductions, tmp_path)


def check_in_a_spreadsheet(rows: list[Row], folder: Path) -> None:
    """Another program reads the same values and adds them up to the same fen."""
    path = folder / "deductions.xlsx"
    register = REGISTERS["deductions"]
    write_register(register=register, path=path, file_format="xlsx", scope=None, filters={})
    shown = opened(without_cached_values(path), folder)
    assert shown[0] == [field.header_zh for field in register.fields]
    amounts = {field.key for field in register.fields if field.type == "amount"}
    for line, row in zip(shown[1:-1], rows, strict=True):
        for key, cell in zip(row, line, strict=True):
            assert (yuan(cell) == yuan(row[key])) if key in amounts else (cell == row[key]), row
    for field, cell in zip(register.fields, shown[-1], strict=True):
        if field.key in register.totals:
            assert yuan(cell) == sum(yuan(row[field.key]) for row in rows)
    assert shown[-1][0] == "合计 Total"


def yuan(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def without_cached_values(path: Path) -> Path:
    """The workbook without the results its formulas were saved with: whoever opens it must add."""
    bare = path.with_name("bare.xlsx")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(bare, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename.startswith("xl/worksheets/sheet"):
                data, count = re.subn(rb"(</f>)<v>[^<]*</v>", rb"\1", data)
                assert count == len(REGISTERS["deductions"].totals)
            new.writestr(entry, data)
    return bare


def opened(path: Path, folder: Path) -> list[list[str]]:
    """A workbook as LibreOffice shows it."""
    subprocess.run(
        [
            str(CALC), "--headless", f"-env:UserInstallation=file://{folder}/profile",
            "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false",
            "--outdir", str(folder), str(path),
        ],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    with path.with_suffix(".csv").open(encoding="utf-8", newline="") as source:
        return list(csv.reader(source))
