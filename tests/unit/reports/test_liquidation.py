"""The liquidation (SME-18, EQ-10): the whole life of a fund, and clawbacks that are not recovered."""

from __future__ import annotations

import pytest

from reports.definitions import liquidation
from reports.definitions.cut import BrokenTie
from reports.definitions.liquidation import LINE
from tests.unit.reports.made import SME, cut, frame, rows

FUND = {"scheme_code": SME, "fund_code": "H1", "fund_name": "甲银行", "tier": "central",
        "purpose": "interest"}  # fmt: skip
ROW = {**dict.fromkeys(LINE, 0), **FUND}
OPEN = {
    **FUND, "institution_code": "B1", "institution_name": "甲支行", "uscc": "U1",
    "enterprise_name": "甲公司", "contract_number": "H1", "note_number": "J1", "clawback": 1,
    "origin": "difference", "year": 2026, "amount_fen": 0, "received_fen": 0, "offset_fen": 0,
    "written_off_fen": 0, "open_fen": 0, "why": "", "is_funded": True,
}  # fmt: skip
LIFE = {
    "received_fen": 200, "used_fen": 180, "adjusted_fen": -10, "clawback_decided_fen": 20,
    "claimed_fen": 150, "approved_fen": 120, "disallowed_fen": 25, "clawed_back_fen": 12,
    "written_off_fen": 3, "made_good_fen": 5, "returned_fen": 30, "surplus_fen": 7,
    "receivable_fen": 15,
}  # fmt: skip
LEDGER = {"received_fen": 200, "used_fen": 170, "position_fen": 7, "receivable_fen": 15}


def sheet(*clawbacks, lines=(LIFE,), ledger=None, receivable_fen=15):
    return liquidation.define(
        cut=cut("liquidation"), lines=frame(ROW, *lines), clawbacks=frame(OPEN, *clawbacks),
        ledger=LEDGER | (ledger or {}), receivable_fen=receivable_fen,
    )  # fmt: skip


OWED = (
    {"note_number": "J2", "amount_fen": 9, "received_fen": 4, "open_fen": 5, "origin": "review"},
    {"amount_fen": 20, "offset_fen": 8, "written_off_fen": 2, "open_fen": 10},
)


def test_the_whole_life_of_a_fund() -> None:
    found = sheet(*OWED)
    columns = (
        "number", "tier", "received_fen", "used_fen", "adjusted_fen", "claimed_fen", "approved_fen",
        "disallowed_fen", "unsettled_fen", "clawed_back_fen", "returned_fen", "surplus_fen", "gap_fen",
        "receivable_fen",
    )  # fmt: skip
    assert rows(found, "detail", *columns) == [
        (1, "中央", 200, 180, -10, 150, 120, 25, 5, 12, 30, 7, 0, 15)
    ]


def test_schemes_add_up_their_funds() -> None:
    other = {"fund_code": "P1", "received_fen": 1, "used_fen": 4, "claimed_fen": 4, "gap_fen": 3}
    found = sheet(
        *OWED, lines=(LIFE, other), ledger={"received_fen": 201, "used_fen": 174, "position_fen": 4}
    )
    assert rows(
        found, "by_scheme", "received_fen", "claimed_fen", "unsettled_fen", "surplus_fen", "gap_fen"
    ) == [(201, 154, 9, 7, 3)]


def test_each_clawback_that_is_still_owed() -> None:
    found = sheet(*OWED)
    assert rows(
        found, "clawbacks", "number", "note_number", "origin", "amount_fen", "open_fen"
    ) == [
        (1, "J1", "重算差额", 20, 10),
        (2, "J2", "财政审核", 9, 5),
    ]


def test_clawbacks_for_other_institutions_funds_are_shown_and_not_counted() -> None:
    found = sheet(*OWED, {"open_fen": 100, "fund_code": "X", "is_funded": False})
    assert [row[0] for row in rows(found, "clawbacks", "open_fen")] == [10, 5, 100]
    assert "明细含本机构借据在其他机构资金账的追回，不计入本机构应收追回。" in found.footnotes


def test_what_moved_since_the_period_is_said() -> None:
    said = "期末之后追回另有变动，明细合计与期末应收追回不同，分别与资金账勾稽。"
    assert said not in sheet(*OWED).footnotes
    assert said in sheet(OWED[0], receivable_fen=5).footnotes


@pytest.mark.parametrize("name", list(LEDGER))
def test_figures_that_the_ledger_does_not_hold_are_never_filed(name) -> None:
    with pytest.raises(BrokenTie):
        sheet(*OWED, ledger={name: 1})


def test_clawbacks_that_are_not_what_the_funds_are_owed_are_never_filed() -> None:
    with pytest.raises(BrokenTie, match="未收回追回逐笔 = 资金账应收追回：15 ≠ 16"):
        sheet(*OWED, receivable_fen=16)
