"""The monthly list of new loans (SME-15): one row per labelled drawdown, added up two ways."""

from __future__ import annotations

from datetime import date

import pytest

from reports.definitions import new_loans
from reports.definitions.cut import BrokenTie
from tests.unit.reports.made import MF, NOTE, SME, cut, frame, rows

DRAWN = NOTE | {"status": "eligible", "eligible_fen": 0, "reasons": ""}


def sheet(*notes, drawn_fen=None, **changes):
    listed = frame(DRAWN, *notes)
    if drawn_fen is None:
        drawn_fen = {}
        for code, fen, rate in listed.select(
            "scheme_code", "principal_fen", "exchange_rate_e8"
        ).rows():
            drawn_fen[code] = drawn_fen.get(code, 0) + (2 * fen * rate + 10**8) // (2 * 10**8)
    return new_loans.define(cut=cut("new-loans"), notes=listed, drawn_fen=drawn_fen, **changes)


def test_each_drawdown_in_words_in_order_of_scheme_institution_and_number() -> None:
    found = sheet(
        {"scheme_code": MF, "note_number": "J0", "status": "unjudged"},
        {"note_number": "J2", "institution_code": "B2", "holder_code": "B2"},
        {"status": "ineligible", "reasons": "not_private;purpose_field", "ownership": "state"},
    )
    assert rows(
        found, "detail", "number", "scheme_zh", "note_number", "size", "ownership", "status", "reasons"
    ) == [
        (1, "中小微企业贷款贴息", "J1", "小型", "国有", "不符合", "非民营企业；投向领域不符"),
        (2, "中小微企业贷款贴息", "J2", "小型", "民营", "符合", ""),
        (3, "江苏省制造业贷款财政贴息", "J0", "小型", "民营", "尚未认定", ""),
    ]  # fmt: skip


def test_foreign_currency_is_converted_once_half_up_to_the_fen() -> None:
    """7.5 fen is 8, 7.49999999 is 7; the largest amount at the largest rate stays exact."""
    found = sheet(
        {
            "note_number": "A",
            "principal_fen": 1,
            "exchange_rate_e8": 750_000_000,
            "currency": "USD",
        },
        {
            "note_number": "B",
            "principal_fen": 1,
            "exchange_rate_e8": 749_999_999,
            "currency": "USD",
        },
        {"note_number": "C", "principal_fen": 10**13 - 1, "exchange_rate_e8": 123_456_789},
    )
    assert rows(found, "detail", "note_number", "principal_fen", "drawn_fen") == [
        ("A", 1, 8),
        ("B", 1, 7),
        ("C", 9_999_999_999_999, 12_345_678_899_999),
    ]


def test_summaries_count_notes_and_enterprises_once() -> None:
    found = sheet(
        {"note_number": "A", "eligible_fen": 60_000},
        {
            "note_number": "B",
            "purpose_field": "服务器",
            "status": "ineligible",
            "reasons": "overdue",
        },
        {"note_number": "C", "uscc": "U2", "city_code": "320500", "city_zh": "江苏省苏州市"},
        {"note_number": "D", "scheme_code": MF},
    )
    sums = ("notes", "enterprises", "drawn_fen", "eligible_notes", "eligible_fen")
    assert rows(found, "by_scheme", "scheme_code", *sums) == [
        (SME, 3, 2, 300_000, 2, 60_000),
        (MF, 1, 1, 100_000, 1, 0),
    ]
    assert rows(found, "by_field", "purpose_field", *sums) == [
        ("工业母机", 2, 2, 200_000, 2, 60_000),
        ("服务器", 1, 1, 100_000, 0, 0),
        ("工业母机", 1, 1, 100_000, 1, 0),
    ]
    assert rows(found, "by_region", "city_code", "city_zh", *sums) == [
        ("320100", "江苏省南京市", 2, 1, 200_000, 1, 60_000),
        ("320500", "江苏省苏州市", 1, 1, 100_000, 1, 0),
        ("320100", "江苏省南京市", 1, 1, 100_000, 1, 0),
    ]


def test_a_period_without_drawdowns_has_headings_and_no_rows() -> None:
    found = sheet()
    assert [rows(found, one.key, one.columns[0].key) for one in found.tables] == [[], [], [], []]
    assert all(tie.holds for tie in found.ties)


def test_a_drawdown_that_is_missing_breaks_the_tie_with_both_sums() -> None:
    with pytest.raises(BrokenTie, match="100000 ≠ 100001"):
        sheet({"drawn_on": date(2026, 3, 3)}, drawn_fen={SME: 100_001})


def test_a_note_that_moved_keeps_its_key_and_says_so() -> None:
    moved = sheet({"holder_code": "B9", "institution_name": "乙支行"})
    assert rows(moved, "detail", "institution_code", "institution_name") == [("B1", "乙支行")]
    assert "机构编码为借据的原机构（数据文件口径），所属机构为划转后的现机构。" in moved.footnotes
    assert not any("划转" in note for note in sheet({}).footnotes)


def test_units_and_articles_of_its_columns() -> None:
    found = sheet({})
    kinds = {
        one.key: {column.kind for column in one.columns if column.key == "drawn_fen"}
        for one in found.tables
    }
    assert kinds == {
        "detail": {"yuan"}, "by_scheme": {"wan"}, "by_field": {"wan"}, "by_region": {"wan"},
    }  # fmt: skip
    detail = {column.key: column.article for column in found.tables[0].columns}
    assert (detail["drawn_fen"], detail["status"]) == ("财金〔2026〕4号 二(三)",) * 2
    assert (detail["number"], detail["uscc"], detail["scheme_code"]) == ("", "", "")
