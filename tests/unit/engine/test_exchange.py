"""What one bank tells another of a note: which hashes, of which days, and nothing that can be read."""

from __future__ import annotations

import hashlib
import hmac
from datetime import date
from typing import Any

import polars as pl

from settlement.engine import exchange
from tests.unit.engine.build import scheme

KEY = bytes(range(32))
SME, EQUIPMENT = "central-sme-2026", "central-equipment-2026"
FROM, UNTIL, LAST = date(2026, 2, 2), date(2027, 2, 2), date(2027, 2, 1)
USCC = "91320001MA0000001X"


def hashed(*lines: str) -> str:
    return hmac.new(KEY, "\n".join(lines).encode(), hashlib.sha256).hexdigest()


def told(schemes: tuple[str, ...] = (EQUIPMENT,), **given: Any) -> list[tuple[Any, ...]]:
    """What is told of one note: kind, hash, duty, first and last day."""
    note = {
        "note_id": 1, "institution_id": 7, "note_number": "JK-2026/0031", "uscc": USCC,
        "contract_number": "", "project_code": "",
    } | given.pop("note", {})  # fmt: skip
    invoices = [
        {"note_id": 1, "supplier": "", "serial_number": "", "issued_on": FROM, "amount_fen": 1}
        | one
        for one in given.pop("invoices", [])
    ]
    shape = {
        "note_id": pl.Int64, "supplier": pl.String, "serial_number": pl.String, "issued_on": pl.Date,
        "amount_fen": pl.Int64, "invoice_number": pl.String,
    }  # fmt: skip
    enrolled = [
        {"note_id": 1, "scheme_code": code, "subsidised_from": FROM, "subsidised_until": UNTIL}
        for code in schemes
    ]
    slices = exchange.entries(
        key=KEY,
        notes=pl.DataFrame([note]),
        enrolments=pl.DataFrame(enrolled),
        invoices=pl.DataFrame(invoices, schema=shape),
        terms=[scheme(SME), scheme(EQUIPMENT)],
    )
    found = pl.concat(slices)
    assert set(found.select("note_id", "institution_id").iter_rows()) == {(1, 7)}
    return sorted(found.select("kind", "hash", "duty", "first_day", "last_day").iter_rows())


def test_the_hash_is_an_hmac_over_version_kind_and_parts() -> None:
    digest = "3ca5ed9dfac3137ff85d203ce8a9f5b8919cdfc7e53950e89ca6ab31dae1faaf"
    assert exchange.keyed(KEY, "note", f"JK20260031\n{USCC}") == hashed(
        "1", "note", "JK20260031", USCC
    )
    assert exchange.keyed(KEY, "project", "XM1") == digest
    assert exchange.keyed(bytes(32), "project", "XM1") != digest


def test_a_note_number_is_told_together_with_its_borrower_normalised() -> None:
    expected = [("note", hashed("1", "note", "JK20260031", USCC), "central", FROM, LAST)]
    for number in ("JK-2026/0031", "ｊｋ２０２６ 0031"):
        assert told(note={"note_number": number}) == expected
    assert told(note={"note_number": "JK-2026/031"}) != expected  # zeros count


def test_contract_project_and_borrower() -> None:
    found = told(note={"contract_number": "HT(7)-1", "project_code": "xm-1"}, schemes=(SME,))
    assert [row[:3] for row in found] == [
        ("contract", hashed("1", "contract", "HT71", USCC), "central"),
        ("note", hashed("1", "note", "JK20260031", USCC), "central"),
        ("project", hashed("1", "project", "XM1"), "central"),
        ("uscc", hashed("1", "uscc", USCC), "central"),
    ]


def test_a_borrower_is_told_only_where_a_scheme_limits_what_it_gets_anywhere() -> None:
    assert [row[0] for row in told(schemes=(EQUIPMENT,))] == ["note"]
    assert [row[0] for row in told(schemes=(SME,))] == ["note", "uscc"]


def test_invoices_and_machines_need_beside_them_what_the_exact_rules_need() -> None:
    long = "2" * 20
    found = told(
        invoices=[
            {"invoice_number": long, "serial_number": "SN-1"},
            {"invoice_number": "88-1", "serial_number": "sn123456", "supplier": "甲（厂）"},
            {"invoice_number": "99", "amount_fen": 0},  # nothing was bought
        ]
    )
    assert {row[1] for row in found if row[0] == "invoice"} == {
        hashed("1", "invoice", long),
        hashed("1", "invoice", "881", USCC),
        hashed("1", "invoice", "881", "2026-02-02", "甲厂"),
    }
    assert {row[1] for row in found if row[0] == "serial"} == {
        hashed("1", "serial", "SN1", USCC),
        hashed("1", "serial", "SN123456", USCC),
        hashed("1", "serial", "SN123456", "甲厂"),
    }


def test_schemes_of_one_duty_are_one_period() -> None:
    assert len(told(schemes=(SME, EQUIPMENT))) == 2  # note and borrower
