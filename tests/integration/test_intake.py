"""What a row means whose natural key is new, known with the same content, or known with other content."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection

from loans.files.kinds import KINDS
from loans.models import ImportBatch
from tests.integration.book import AT
from tests.integration.samples import (
    BOOK,
    FIRM,
    HEADERS,
    NANJING,
    OTHER,
    SME,
    SPORTS,
    SUZHOU,
    all_stored,
    changed,
    labels,
    load_book,
    refused,
    refused_bytes,
    state,
    stored,
    take,
    take_bytes,
)

pytestmark = pytest.mark.django_db

EVIDENCE = [kind for kind, spec in KINDS.items() if spec.klass == "evidence"]

# One cell of the first row of each kind that may be corrected, and the table of its history.
CORRECTIONS = {
    "institutions": ({"name": "甲银行股份有限公司"}, "kernel_institution"),
    "participations": ({"valid_to": "2027-12-31"}, "loans_participation"),
    "lpr": ({"five_year": "3.4500"}, "loans_lpr"),
    "enterprises": ({"size": "micro"}, "loans_enterpriserecord"),
    "enterprise-titles": ({"valid_to": "2028-06-30"}, "loans_enterprisetitle"),
    "projects": ({"region_code": "320200"}, "loans_project"),
    "contracts": ({"purpose_field": "机器人"}, "loans_contract"),
    "syndicate-shares": ({"share": "59.5000"}, "loans_syndicateshare"),
    "notes": ({"scheme_codes": SPORTS}, "loans_note"),
    "equipment-invoices": ({"supplier": "丁机床厂"}, "loans_equipmentinvoice"),
    "note-statuses": ({"ends_on": "2026-06-01"}, "loans_notestatus"),
    "guarantees": ({"fee_rate": "1.0000"}, "loans_guarantee"),
    "payout-agreements": ({"account_number": "0032010002"}, "loans_payoutagreement"),
    "scheme-funds": ({"amount": "1.00"}, "loans_schemefund"),
    "note-transfers": ({"new_institution_code": OTHER}, "loans_notetransfer"),
    "opening-positions": ({"interest_paid": "901.00"}, "loans_openingposition"),
    "enterprise-contacts": ({"address": "caiwu@new.example"}, "loans_enterprisecontact"),
}

# One cell of the first row of each kind of evidence, and what the refusal blames.
CONTRADICTIONS = {
    "repayments": ({"amount": "100000.01"}, "reference (流水号)", "amount", "R-1"),
    "interest-collections": (
        {"interest_paid": "5499.99"}, "reference (流水号)", "interest_paid", "S-1",
    ),
    "external-subsidies": ({"note_number": ""}, "reference (流水号)", "note_number", "X-1"),
    "pre-allocations": (
        {"received_on": "2026-01-11"}, "document_number (文号)", "received_on", "财金〔2026〕1号",
    ),
    "review-results": (
        {"result": "rejected", "amount": ""}, "document_number (文号)", "result、amount", "财审1号",
    ),
    "bank-statements": ({"balance": "999999.99"}, "reference (流水号)", "balance", "B-1"),
    "compensations": ({"paid_on": "2026-07-01"}, "reference (流水号)", "paid_on", "DC-1"),
    "papers": ({"dated_on": "2026-01-21"}, "archive_number (档案号)", "dated_on", "DA-1"),
}  # fmt: skip

UNDO = {"papers": ("请先撤回再重新登记", "withdraw it first, then enter it again")}


def events(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}event")
        return cursor.fetchone()[0]


def test_every_kind_is_stored_as_its_file_says(tmp_path: Path) -> None:
    load_book(tmp_path)
    assert all_stored(tmp_path) == BOOK
    assert [
        (batch.kind, batch.rows, batch.inserted, batch.corrected, batch.unchanged, batch.actor)
        for batch in ImportBatch.objects.order_by("id")
    ] == [(kind, len(rows), len(rows), 0, 0, "system") for kind, rows in BOOK.items()]
    assert ImportBatch.objects.filter(at=AT, institution=None).count() == len(KINDS)


def test_the_same_files_again_change_nothing(tmp_path: Path) -> None:
    load_book(tmp_path)
    before = state()
    for kind in KINDS:
        outcome = take(kind, BOOK[kind], tmp_path)
        counts = (outcome.inserted, outcome.corrected, outcome.unchanged)
        assert counts == (0, 0, len(BOOK[kind])), kind
    assert state() == before


def test_reference_data_and_loans_are_corrected_and_keep_their_history(tmp_path: Path) -> None:
    assert CORRECTIONS.keys() == KINDS.keys() - set(EVIDENCE)
    load_book(tmp_path)
    for kind, (cells, table) in CORRECTIONS.items():
        before = events(table)
        correction = [changed(BOOK[kind][0], **cells), *BOOK[kind][1:]]
        outcome = take(kind, correction, tmp_path)
        assert (outcome.inserted, outcome.corrected) == (0, 1), kind
        assert stored(kind, tmp_path) == correction
        assert events(table) == before + 1, kind
        take(kind, BOOK[kind], tmp_path)
        assert stored(kind, tmp_path) == BOOK[kind]
        assert events(table) == before + 2, kind


def test_evidence_with_other_content_is_refused_and_names_the_stored_row(tmp_path: Path) -> None:
    assert CONTRADICTIONS.keys() == set(EVIDENCE)
    load_book(tmp_path)
    for kind, (cells, place, fields, value) in CONTRADICTIONS.items():
        row = BOOK[kind][0]
        stored_id = first_id(kind)
        column = place.partition(" ")[0]
        zh, en = UNDO.get(kind, ("请冲正后重新录入", "reverse and re-enter"))
        assert refused(kind, [changed(row, **cells)], tmp_path) == [
            f"row 2, column {place}: 与已存记录（编号 {stored_id}）的 {fields} 不同；"
            f"凭证不可改，{zh} / differs from stored row {stored_id}; "
            f"evidence is never changed: {en}, {row[column]}"
        ]
        assert row[column] == value


def first_id(kind: str) -> int:
    table = {
        "repayments": "repayment", "interest-collections": "interestcollection",
        "external-subsidies": "externalsubsidy", "pre-allocations": "preallocation",
        "review-results": "reviewresult", "bank-statements": "bankstatement",
        "compensations": "compensation", "papers": "paper",
    }[kind]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT min(id) FROM loans_{table}")
        return cursor.fetchone()[0]


def test_reversals_are_rows_of_their_own(tmp_path: Path) -> None:
    load_book(tmp_path)
    reversals = {
        "repayments": {"amount": "-100000.00", "reference": "R-1-"},
        "interest-collections": {"interest_paid": "-5500.00", "reference": "S-1-"},
        "external-subsidies": {"amount": "-1200.00", "reference": "X-1-"},
        "pre-allocations": {"amount": "-1000000.00", "document_number": "财金〔2026〕1号冲正"},
        "bank-statements": {"amount": "-1000000.00", "balance": "0.00", "reference": "B-1-"},
        "compensations": {"unpaid_principal": "-100000.00", "reference": "DC-1-"},
    }
    for kind, cells in reversals.items():
        row = changed(BOOK[kind][0], **cells)
        assert take(kind, [row], tmp_path).inserted == 1
        assert row in stored(kind, tmp_path)
        assert take(kind, [row], tmp_path).unchanged == 1


def test_the_same_row_twice_in_one_file_is_stored_once(tmp_path: Path) -> None:
    load_book(tmp_path, upto="notes")
    row = BOOK["repayments"][0]
    outcome = take("repayments", [row, row], tmp_path)
    assert (outcome.inserted, outcome.corrected) == (1, 0)
    assert stored("repayments", tmp_path) == [row]


def test_one_key_with_other_content_in_one_file_is_refused_on_both_rows(tmp_path: Path) -> None:
    load_book(tmp_path, upto="notes")
    row = BOOK["repayments"][0]
    assert refused("repayments", [row, changed(row, amount="7.00")], tmp_path) == [
        f"row {here}, column reference (流水号): 与第 {other} 行同键但内容不同"
        f" / same key as row {other} but other content, R-1"
        for here, other in ((2, 3), (3, 2))
    ]


def test_a_later_row_of_the_same_year_replaces_a_scheme_fund(tmp_path: Path) -> None:
    labels()
    row = BOOK["scheme-funds"][0]
    take("scheme-funds", [row, changed(row, amount="5.00"), changed(row, amount="6.00")], tmp_path)
    assert stored("scheme-funds", tmp_path) == [changed(row, amount="6.00")]
    take("scheme-funds", [row], tmp_path)
    assert stored("scheme-funds", tmp_path) == [row]


def test_a_status_is_opened_and_closed(tmp_path: Path) -> None:
    load_book(tmp_path, upto="note-statuses")
    closed = changed(BOOK["note-statuses"][0], ends_on="2026-06-01")
    assert take("note-statuses", [closed], tmp_path).corrected == 1
    again = changed(closed, starts_on="2026-09-01", ends_on="")
    assert take("note-statuses", [again], tmp_path).inserted == 1
    assert stored("note-statuses", tmp_path) == [closed, again]


def test_an_enterprise_has_records_from_several_days_on(tmp_path: Path) -> None:
    load_book(tmp_path, upto="enterprises")
    always = changed(BOOK["enterprises"][0], valid_from="")
    later = changed(always, name="甲智能装备有限公司", size="medium", valid_from="2026-07-01")
    outcome = take("enterprises", [always, later], tmp_path)
    assert (outcome.inserted, outcome.corrected, outcome.unchanged) == (1, 0, 1)
    assert [r for r in stored("enterprises", tmp_path) if r["uscc"] == FIRM] == [always, later]


def test_a_dry_run_changes_nothing_and_counts(tmp_path: Path) -> None:
    load_book(tmp_path, upto="enterprises")
    before = state()
    new = changed(BOOK["contracts"][1], contract_number="HT-3", project_code="")
    for kind, rows, counts in (
        ("contracts", [new], (1, 0, 0)),
        ("enterprises", [changed(BOOK["enterprises"][0], size="large"), *BOOK["enterprises"][1:]],
         (0, 1, 2)),
    ):  # fmt: skip
        outcome = take(kind, rows, tmp_path, dry_run=True)
        assert (outcome.inserted, outcome.corrected, outcome.unchanged) == counts
    assert state() == before
    assert "HT-3" in refused("notes", [note_of("HT-3")], tmp_path, dry_run=True)[0]


def note_of(contract: str) -> dict[str, str]:
    return changed(BOOK["notes"][0], contract_number=contract)


def test_a_file_of_headers_only_is_a_mistake_unless_a_whole_folder_comes(tmp_path: Path) -> None:
    empty = (",".join(HEADERS["lpr"]) + "\n").encode()
    assert refused_bytes("lpr", empty, tmp_path) == ["row 1: 没有数据行 / no data rows"]
    before = state()
    assert take_bytes("lpr", empty, tmp_path, allow_empty=True).rows == 0
    assert state() == before


def test_moved_note_keeps_its_key_for_later_files(tmp_path: Path) -> None:
    load_book(tmp_path)
    repayment = changed(BOOK["repayments"][0], note_number="JJ-2", reference="R-9", amount="1.00")
    assert repayment["institution_code"] == NANJING
    take("repayments", [repayment], tmp_path)
    assert repayment in stored("repayments", tmp_path)
    elsewhere = changed(repayment, institution_code=SUZHOU, reference="R-10")
    assert refused("repayments", [elsewhere], tmp_path) == [
        "row 2, column note_number (借据号): 该机构没有此借据号，请先导入借据"
        " / unknown note of this institution: import notes first, JJ-2"
    ]
    assert SME in stored("notes", tmp_path)[1]["scheme_codes"]
