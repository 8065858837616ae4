"""The annual settlement (SME-16, EQ-09): parts of a year and what no part states, added up by fund."""

from __future__ import annotations

import pytest

from reports.definitions import annual_settlement
from reports.definitions.annual_settlement import LINE
from reports.definitions.cut import BrokenTie
from tests.unit.reports.made import MF, SME, cut, frame, rows

FUND = {"scheme_code": SME, "fund_code": "H1", "fund_name": "甲银行", "tier": "central",
        "purpose": "interest"}  # fmt: skip
ROW = {
    **dict.fromkeys(LINE, 0), **FUND, "part": 1, "state": "booked",
}  # fmt: skip


def lines(*listed):
    nulls = ("approved_fen", "disallowed_fen", "next_year_need_fen")
    kept = [ROW | dict.fromkeys(nulls) | one for one in listed]
    return frame(ROW, *kept)


def sheet(*listed, sums=None, with_needs=True, **ledger):
    zero = dict.fromkeys(("received_fen", "used_fen", "position_fen", "receivable_fen"), 0)
    return annual_settlement.define(
        cut=cut("annual-settlement", sums), lines=lines(*listed), ledger=zero | ledger,
        with_needs=with_needs, basis_zh="依据",
    )  # fmt: skip


PARTS = (
    {"part": 0, "state": "ledger", "opening_fen": 15, "used_fen": 30, "claimed_fen": 30, "gap_fen": 15,
     "receivable_fen": 2},
    {"part": 2, "state": "submitted", "opening_fen": 40, "used_fen": 25, "adjusted_fen": -2,
     "claimed_fen": 23, "surplus_fen": 15, "receivable_fen": 2, "next_year_need_fen": 70},
    {"received_fen": 100, "used_fen": 60, "claimed_fen": 60, "surplus_fen": 40, "approved_fen": 55,
     "disallowed_fen": 5, "next_year_need_fen": 60},
)  # fmt: skip


def test_parts_come_in_order_and_what_is_not_stated_last() -> None:
    found = sheet(*PARTS, received_fen=100, used_fen=113, position_fen=-15, receivable_fen=2)
    columns = (
        "number",
        "basis_zh",
        "opening_fen",
        "claimed_fen",
        "approved_fen",
        "surplus_fen",
        "gap_fen",
    )
    assert rows(found, "detail", *columns) == [
        (1, "第1期·已入账", 0, 60, 55, 40, 0),
        (2, "第2期·已提交", 40, 23, None, 15, 0),
        (3, "资金账（未申报）", 15, 30, None, 0, 15),
    ]


def test_a_fund_adds_up_flows_and_keeps_its_first_opening_and_last_balance() -> None:
    found = sheet(*PARTS, received_fen=100, used_fen=113, position_fen=-15, receivable_fen=2)
    columns = (
        "tier", "opening_fen", "received_fen", "used_fen", "adjusted_fen", "claimed_fen", "approved_fen",
        "disallowed_fen", "surplus_fen", "gap_fen", "receivable_fen", "next_year_need_fen",
    )  # fmt: skip
    assert rows(found, "by_fund", *columns) == [("中央", 0, 100, 115, -2, 113, 55, 5, 0, 15, 2, 70)]


def test_funds_stand_by_scheme_institution_purpose_and_tier() -> None:
    found = sheet(
        {"scheme_code": MF, "tier": "municipal"},
        {"scheme_code": MF, "tier": "provincial"},
        {"purpose": "guarantee_fee"},
        {},
        {"fund_code": "G1"},
    )
    assert rows(
        found, "by_fund", "scheme_code", "fund_code", "purpose", "tier", "approved_fen"
    ) == [
        (SME, "G1", "贷款贴息", "中央", None),
        (SME, "H1", "贷款贴息", "中央", None),
        (SME, "H1", "担保费补贴", "中央", None),
        (MF, "H1", "贷款贴息", "省级", None),
        (MF, "H1", "贷款贴息", "市级", None),
    ]


def test_what_is_left_of_a_year_has_no_need_unless_it_is_the_whole_year() -> None:
    found = sheet({}, with_needs=False)
    (by_fund,) = (one for one in found.tables if one.key == "by_fund")
    assert "next_year_need_fen" not in {column.key for column in by_fund.columns}
    assert "依据" in found.footnotes


def test_what_was_paid_for_the_institutions_own_notes_stands_beside() -> None:
    sums = {(MF, "municipal"): 3, (MF, "provincial"): 4, (SME, "central"): 0}
    found = sheet({}, sums=sums)
    assert rows(found, "of_notes", "scheme_code", "tier", "paid_fen") == [
        (MF, "省级", 4), (MF, "市级", 3),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "fen"),
    [("received_fen", 99), ("used_fen", 112), ("position_fen", 15), ("receivable_fen", 0)],
)
def test_figures_that_the_ledger_does_not_hold_are_never_filed(name, fen) -> None:
    right = {"received_fen": 100, "used_fen": 113, "position_fen": -15, "receivable_fen": 2}
    with pytest.raises(BrokenTie, match=f"≠ {fen}（"):
        sheet(*PARTS, **right | {name: fen})
