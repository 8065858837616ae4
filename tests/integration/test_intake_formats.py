"""The same rows in any encoding, as CSV or workbook, under Chinese or English headers in any order."""

from __future__ import annotations

import codecs
import random
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import xlsxwriter
from django.db import transaction

from loans.files.kinds import KINDS
from tests.integration.samples import (
    BOOK,
    Row,
    all_stored,
    csv_bytes,
    labels,
    take,
    take_bytes,
)

pytestmark = pytest.mark.django_db

NUMBERS = {"amount", "rate", "share", "exchange_rate", "year"}


class _Undone(Exception):
    pass


def book_of(folder: Path, suffix: str, files: dict[str, bytes]) -> dict[str, list[Row]]:
    """What a book of these files holds; undone afterwards."""
    found: dict[str, list[Row]] = {}
    try:
        with transaction.atomic():
            labels()
            for kind in KINDS:
                take_bytes(kind, files[kind], folder, suffix=suffix)
            found = all_stored(folder)
            raise _Undone
    except _Undone:
        return found


def shuffled(kind: str) -> tuple[list[str], list[list[str]]]:
    """Chinese headers and cells, the columns in another order."""
    order = list(KINDS[kind].columns)
    random.Random(kind).shuffle(order)
    return (
        [column.header_zh for column in order],
        [[row[column.key] for column in order] for row in BOOK[kind]],
    )


def chinese(kind: str) -> str:
    names, lines = shuffled(kind)
    return "\r\n".join(",".join(cells) for cells in [names, *lines]) + "\r\n"


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"), (codecs.BOM_UTF8, "utf-8"), (b"", "gb18030"),
        (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
    ],
)  # fmt: skip
def test_chinese_files_in_every_encoding(tmp_path: Path, mark: bytes, encoding: str) -> None:
    files = {kind: mark + chinese(kind).encode(encoding) for kind in KINDS}
    assert book_of(tmp_path, "csv", files) == BOOK


def test_an_encoding_may_be_forced(tmp_path: Path) -> None:
    labels()
    row = BOOK["institutions"][0]
    take_bytes("institutions", csv_bytes([row]).decode().encode("gbk"), tmp_path, encoding="gbk")
    with pytest.raises(Exception, match="1 处错误"):
        take("institutions", [row], tmp_path, encoding="ascii")


def workbook(path: Path, kind: str, *, typed: bool) -> bytes:
    """A workbook of a kind: cells as people make them (numbers, dates), or all as text."""
    names, lines = shuffled(kind)
    types = {column.header_zh: column.type for column in KINDS[kind].columns}
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "yyyy/m/d"})
        sheet.write_row(0, 0, names)
        for number, cells in enumerate(lines, start=1):
            for column, (name, text) in enumerate(zip(names, cells, strict=True)):
                if not text:
                    continue
                if typed and types[name] == "date":
                    sheet.write_datetime(number, column, date.fromisoformat(text), day)
                elif typed and types[name] in NUMBERS:
                    sheet.write_number(number, column, Decimal(text))
                else:
                    sheet.write_string(number, column, text)
    return path.read_bytes()


@pytest.mark.parametrize("typed", [True, False], ids=["typed cells", "text cells"])
def test_workbooks_hold_the_same_rows_as_csv(tmp_path: Path, typed: bool) -> None:
    files = {kind: workbook(tmp_path / "made.xlsx", kind, typed=typed) for kind in KINDS}
    assert book_of(tmp_path, "xlsx", files) == BOOK


def test_the_english_headers_in_the_order_of_the_contract(tmp_path: Path) -> None:
    files = {kind: csv_bytes(rows) for kind, rows in BOOK.items()}
    assert book_of(tmp_path, "csv", files) == BOOK


def variants(cells: Sequence[str]) -> bytes:
    return ("\n".join(cells) + "\n").encode()


def test_people_write_dates_amounts_and_words_in_their_ways(tmp_path: Path) -> None:
    files = {kind: csv_bytes(rows) for kind, rows in BOOK.items()}
    files["notes"] = variants(
        [
            "institution_code\t借据号\tcontract_number\tdrawn_on\tmatures_on\tprincipal"
            "\tequipment_amount\tannual_rate\texchange_rate\tscheme_codes",
            "B0000000000011\tJJ-1\t HT-1\t2026/1/15\t20290115\t１,000,000\t300,000.0\t3.1\t\t"
            "central-sme-2026；jiangsu-manufacturing-2026",
            "\t\t\t\t\t\t\t\t\t",
            "B0000000000011\tJJ-2\t HT-2 \t2026年2月15日\t2027.02.15\t500000\t\t4.35\t1.00\t"
            "central-sme-2026",
        ]
    )
    files["note-statuses"] = variants(
        ["状态,机构编码,借据号,起始日", "逾期,B0000000000011,JJ-2,2026-5-1"]
    )
    assert book_of(tmp_path, "csv", files) == BOOK


def test_the_longest_texts_fit(tmp_path: Path) -> None:
    longest = {"text": "号" * 64, "name": "名" * 200}
    keys = {
        "contract_number",
        "note_number",
        "project_code",
        "sha256",
        "address",
    }  # what other files refer to, or has a form
    several = ("interest-collections", "external-subsidies")  # told apart by such a text
    book = {
        kind: [
            {
                c.key: row[c.key] if c.key in keys else longest.get(c.type, row[c.key])
                for c in KINDS[kind].columns
            }
            for row in (rows[:1] if kind in several else rows)
        ]
        for kind, rows in BOOK.items()
    }
    assert book_of(tmp_path, "csv", {kind: csv_bytes(rows) for kind, rows in book.items()}) == book
