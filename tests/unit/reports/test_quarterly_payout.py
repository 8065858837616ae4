"""The quarterly summary of pay-outs (MF-26): by branch, city, tier and way of paying."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reports.definitions import quarterly_payout
from reports.definitions.cut import BrokenTie, notes_of_money
from tests.unit.reports.made import MF, SME, TIERS, cut, frame, rows

ROW = {
    "scheme_code": MF, "fund_code": "P1", "fund_name": "甲分行", "uscc": "U1", "enterprise_name": "甲公司",
    "city_code": "320100", "city_zh": "江苏省南京市", "note_id": 1, **TIERS, "paid_out_fen": 0,
    "arrived_fen": 0, "offset_fen": 0,
}  # fmt: skip
SUMS = {(MF, "provincial"): 111, (MF, "municipal"): 107}


def sheet(*notes, sums=SUMS, **money):
    return quarterly_payout.define(
        cut=cut("quarterly-payout", sums, **money), notes=frame(ROW, *notes)
    )


NOTES = (
    {"provincial_fen": 100, "municipal_fen": 100},
    {"note_id": 2, "provincial_fen": 10, "municipal_fen": 10, "paid_out_fen": 15, "arrived_fen": 9,
     "offset_fen": 5},
    {"note_id": 3, "uscc": "U2", "enterprise_name": "乙公司", "provincial_fen": 5, "municipal_fen": -3,
     "city_code": "320500", "city_zh": "江苏省苏州市"},
    {"note_id": 1, "provincial_fen": -4, "fund_code": "P2", "fund_name": "乙分行"},
)  # fmt: skip


def test_each_enterprise_by_fund_and_city_and_how_it_was_paid() -> None:
    found = sheet(*NOTES)
    columns = ("number", "fund_code", "city_code", "uscc", "notes", "provincial_fen", "municipal_fen",
               "total_fen", "netted_fen", "paid_out_fen", "arrived_fen", "offset_fen")  # fmt: skip
    assert rows(found, "detail", *columns) == [
        (1, "P1", "320100", "U1", 2, 110, 110, 220, 200, 15, 9, 5),
        (2, "P1", "320500", "U2", 1, 5, -3, 2, 2, 0, 0, 0),
        (3, "P2", "320100", "U1", 1, -4, 0, -4, -4, 0, 0, 0),
    ]


def test_branches_and_cities_count_enterprises_and_notes_once() -> None:
    found = sheet(*NOTES)
    columns = (
        "fund_code",
        "enterprises",
        "notes",
        "provincial_fen",
        "municipal_fen",
        "paid_out_fen",
    )
    assert rows(found, "by_branch", *columns) == [
        ("P1", 2, 3, 115, 107, 15), ("P2", 1, 1, -4, 0, 0),
    ]  # fmt: skip
    assert rows(found, "by_city", "city_zh", *columns) == [
        ("江苏省南京市", "P1", 1, 2, 110, 110, 15),
        ("江苏省苏州市", "P1", 1, 1, 5, -3, 0),
        ("江苏省南京市", "P2", 1, 1, -4, 0, 0),
    ]


def test_a_branch_below_its_fund_ties_to_deductions_alone_and_says_so() -> None:
    found = sheet(*NOTES, funded={}, ledger={})
    assert [(tie.one_fen, tie.other_fen) for tie in found.ties[:4]] == [
        (111, 111), (0, 0), (107, 107), (0, 0),
    ]  # fmt: skip
    (said,) = notes_of_money(cut("x", SUMS, funded={}, ledger={}).money)
    assert said == (
        f"{MF}：本范围无资金账，贴息由上级或原资金机构的资金账列支，只与代付贴息明细勾稽。"
    )


def test_what_ties_is_told_in_the_words_of_the_columns() -> None:
    told = [tie.name_zh for tie in sheet(*NOTES).ties if tie.name_zh.startswith("明细")]
    assert told == [
        "明细 = 分市汇总 拨付", "明细 = 分市汇总 直接抵减", "明细 = 分市汇总 直接拨付",
        "明细 = 分行汇总 拨付", "明细 = 分行汇总 直接抵减", "明细 = 分行汇总 直接拨付",
    ]  # fmt: skip


def test_a_note_that_moved_to_another_fund_parts_rows_from_ledger_and_is_told() -> None:
    money = {"funded": {(MF, "provincial"): 200}, "ledger": {(MF, "provincial"): 200}}
    found = sheet({"provincial_fen": 111, "municipal_fen": 107}, **money)
    assert all(tie.holds for tie in found.ties)
    (said,) = notes_of_money(cut("x", SUMS, **money).money)
    assert "的差额 0.18 元" in said


def test_a_ledger_that_says_otherwise_is_never_filed() -> None:
    with pytest.raises(BrokenTie, match="资金账发生额：111 ≠ 112"):
        sheet(*NOTES, ledger=SUMS | {(MF, "provincial"): 112})


def test_tiers_that_no_scheme_pays_from_have_no_column_unless_something_is_posted_there() -> None:
    def tiers(code: str, sums: dict) -> list[str]:
        one = cut("quarterly-payout", sums)
        only = replace(one, schemes=tuple(x for x in one.schemes if x.code == code))
        found = quarterly_payout.define(cut=only, notes=frame(ROW))
        titles = [column.title_zh for column in found.tables[0].columns]
        return [title for title in titles if title.startswith("拨付")]

    assert tiers(SME, {}) == ["拨付·中央", "拨付合计"]
    assert tiers(MF, {}) == ["拨付·省级", "拨付·市级", "拨付合计"]
    with pytest.raises(BrokenTie):
        tiers(SME, {(SME, "municipal"): 5})
    posted = replace(cut("quarterly-payout", {(SME, "municipal"): 5}), schemes=())
    assert posted.tiers == ("municipal",)
