"""The monthly application (EQ-07): interest and subsidies by note, evidence, and finance's answers."""

from __future__ import annotations

from datetime import date

import pytest

from reports.definitions import monthly_application
from reports.definitions.cut import BrokenTie
from tests.unit.reports.made import MF, NOTE, SME, TIERS, cut, frame, rows

ROW = NOTE | {
    "eligible_fen": 100_000, "collections": 1, "first_on": date(2026, 2, 21),
    "last_on": date(2026, 3, 21), "interest_fen": 1_000, "days": 28, "product": 2_800_000, "raw_fen": 0,
    **TIERS, "invoices": 0, "invoiced_fen": 0, "results": "", "reviewed_fen": 0, "review_reasons": "",
    "review_documents": "",
}  # fmt: skip


def sheet(*notes, sums):
    return monthly_application.define(
        cut=cut("monthly-application", sums), notes=frame(ROW, *notes)
    )


def test_notes_with_their_evidence_and_what_finance_answered() -> None:
    found = sheet(
        {"note_number": "J2", "central_fen": 90, "raw_fen": 100, "invoices": 2, "invoiced_fen": 700},
        {"central_fen": -10, "results": "2026-03 approved;2026-04 disallowed", "reviewed_fen": 5,
         "review_reasons": "发票不符", "review_documents": "财审1号"},
        {"scheme_code": MF, "provincial_fen": 7, "municipal_fen": 8},
        sums={(SME, "central"): 80, (MF, "provincial"): 7, (MF, "municipal"): 8},
    )  # fmt: skip
    columns = (
        "number",
        "note_number",
        "central_fen",
        "total_fen",
        "invoices",
        "results_zh",
        "reviewed_fen",
    )
    assert rows(found, "detail", *columns) == [
        (1, "J1", -10, -10, 0, "2026-03 通过；2026-04 核减", 5),
        (2, "J2", 90, 90, 2, "", 0),
        (3, "J1", 0, 15, 0, "", 0),
    ]
    assert rows(found, "by_scheme", "scheme_code", "notes", "enterprises", "interest_fen", "total_fen",
                "invoiced_fen", "reviewed_fen") == [
        (SME, 2, 1, 2_000, 80, 700, 5), (MF, 1, 1, 1_000, 15, 0, 0),
    ]  # fmt: skip


def test_branches_are_those_that_hold_the_notes_today() -> None:
    found = sheet(
        {"central_fen": 1, "holder_code": "B9", "institution_name": "乙支行"},
        {"note_number": "J2", "central_fen": 2, "uscc": "U2"},
        {"note_number": "J3", "central_fen": 4, "uscc": "U2"},
        sums={(SME, "central"): 7},
    )
    assert rows(
        found, "by_branch", "holder_code", "institution_name", "notes", "enterprises", "total_fen"
    ) == [("B1", "甲支行", 2, 1, 6), ("B9", "乙支行", 1, 1, 1)]
    assert rows(found, "detail", "institution_code")[0] == ("B1",)


def test_a_note_whose_period_earns_nothing_is_not_applied_for() -> None:
    found = sheet({"product": 0}, {"note_number": "J2", "product": 5}, sums={})
    assert rows(found, "detail", "note_number") == [("J2",)]


def test_rows_that_differ_from_what_is_posted_are_never_filed() -> None:
    with pytest.raises(BrokenTie, match="central-sme-2026 中央：报表 = 代付贴息明细：9 ≠ 8"):
        sheet({"central_fen": 9}, sums={(SME, "central"): 8})
