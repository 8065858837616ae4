"""The monthly report on execution (SME-19, EQ-13): lending, balances, rates, subsidies, funds, exits."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import polars as pl
import pytest

from reports.definitions import monthly_execution
from reports.definitions.cut import BrokenTie
from reports.definitions.monthly_execution import Facts
from tests.unit.reports.made import MF, NOTE, SME, SUBSIDY, cut, frame, period, rows

NEVER = date(2099, 1, 1)
BOOK = NOTE | {
    "repaid_fen": 0,
    "last_repaid_on": NEVER,
    "overdue": False,
    "non_performing": False,
    "subsidised_until": NEVER,
    "rejected_from": NEVER,
}
FUND = {
    "scheme_code": SME, "fund_code": "H1", "fund_name": "甲银行", "tier": "central",
    "purpose": "interest", "opening_fen": 0, "received_fen": 0, "received_ytd_fen": 0, "used_fen": 0,
    "used_ytd_fen": 0, "recovered_ytd_fen": 0, "other_ytd_fen": 0, "balance_fen": 0, "later_fen": 0,
    "held_fen": 0,
}  # fmt: skip
NOTICES = pl.DataFrame(
    {
        "scheme_code": [SME], "due": [9], "corrections": [1], "sent": [3], "delivered": [2],
        "waiting": [1], "failed": [1], "no_contact": [1], "no_gateway": [1],
    },
)  # fmt: skip
MARCH = period("2026-03")


def sheet(*notes, subsidies=(), funds=(), at=MARCH, money=None, **changed):
    book = frame(BOOK, *notes)
    open_fen = (pl.col("principal_fen") - pl.col("repaid_fen")).clip(0)
    drawn = book.filter(pl.col("drawn_on") >= at.start)
    facts = {
        "book": book,
        "subsidies": frame(SUBSIDY, *subsidies),
        "funds": frame(FUND, *funds),
        "drawn_fen": _by_scheme(drawn, pl.col("principal_fen")),
        "balance_fen": _by_scheme(book, open_fen),
        "fees_fen": 0,
        "notices": NOTICES.clear(),
    }
    return monthly_execution.define(
        cut=cut("monthly-execution", money), period=at, facts=Facts(**facts | changed)
    )


def _by_scheme(book: pl.DataFrame, fen: pl.Expr) -> dict[str, int]:
    return dict(book.group_by("scheme_code").agg(fen.sum()).iter_rows())


def test_lending_of_the_period_and_the_year_and_what_is_owed_at_its_end() -> None:
    found = sheet(
        {"note_number": "A", "principal_fen": 700, "repaid_fen": 100},
        {"note_number": "B", "principal_fen": 500, "drawn_on": date(2026, 1, 31), "uscc": "U2"},
        {"note_number": "C", "principal_fen": 300, "drawn_on": date(2025, 12, 31)},
        {"note_number": "D", "principal_fen": 200, "repaid_fen": 250, "uscc": "U3"},
    )
    columns = (
        "notes", "enterprises", "drawn_fen", "ytd_notes", "ytd_enterprises", "ytd_drawn_fen",
        "open_notes", "open_enterprises", "balance_fen",
    )  # fmt: skip
    assert rows(found, "by_scheme", *columns) == [(2, 2, 900, 3, 3, 1_400, 3, 2, 1_400)]


def test_the_rate_is_weighted_by_balances_and_rounded_half_up_to_the_ppm() -> None:
    """(1 × 30,000 + 1 × 30,001) ÷ 2 = 30,000.5 → 30,001; repaid notes do not count."""
    found = sheet(
        {"note_number": "A", "principal_fen": 1, "rate_ppm": 30_000},
        {"note_number": "B", "principal_fen": 1, "rate_ppm": 30_001},
        {"note_number": "C", "principal_fen": 9, "repaid_fen": 9, "rate_ppm": 99_999},
        {"note_number": "D", "scheme_code": MF, "principal_fen": 5, "repaid_fen": 5},
    )
    assert rows(found, "by_scheme", "scheme_code", "rate_ppm") == [(SME, 30_001), (MF, None)]


def test_what_ties_is_told_in_the_words_of_the_columns() -> None:
    told = [tie.name_zh for tie in sheet({}).ties if tie.name_zh.startswith("执行情况 =")]
    amounts = ("本期发放金额", "累计发放金额", "期末贴息贷款余额", "本期贴息合计", "累计贴息合计")
    assert told == [f"执行情况 = {by} {one}" for by in ("分领域", "分地区") for one in amounts]


def test_a_weighted_rate_of_amounts_beyond_64_bits_is_exact() -> None:
    notes = [
        {"note_number": f"N{n:04}", "principal_fen": 10**13 - n, "rate_ppm": 36_000 + n}
        for n in range(2_000)
    ]
    weight = sum(one["principal_fen"] for one in notes)
    product = sum(one["principal_fen"] * one["rate_ppm"] for one in notes)
    assert product > 2**63
    exact = Fraction(product, weight)
    rounded = (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
    assert rows(sheet(*notes), "by_scheme", "rate_ppm") == [(rounded,)]


def test_subsidies_by_tier_with_corrections_also_where_nothing_is_lent_any_more() -> None:
    money = {(SME, "central"): 70, (MF, "provincial"): -5, (MF, "municipal"): 3}
    found = sheet(
        {"principal_fen": 700},
        subsidies=(
            {"central_fen": 100, "ytd_central_fen": 400},
            {"central_fen": -30, "ytd_central_fen": -30, "purpose_field": "服务器"},
            {"scheme_code": MF, "provincial_fen": -5, "ytd_provincial_fen": 6, "municipal_fen": 3,
             "ytd_municipal_fen": 3, "city_code": "320500", "city_zh": "江苏省苏州市"},
        ),
        funds=({"used_fen": 68, "used_ytd_fen": 0},),
        money=money,
    )  # fmt: skip
    sums = ("central_fen", "provincial_fen", "municipal_fen", "total_fen", "ytd_total_fen")
    assert rows(found, "by_scheme", "scheme_code", "balance_fen", *sums) == [
        (SME, 700, 70, 0, 0, 70, 370),
        (MF, 0, 0, -5, 3, -2, 9),
    ]
    assert rows(found, "by_field", "purpose_field", "balance_fen", "total_fen", "notes") == [
        ("工业母机", 700, 100, 1), ("服务器", 0, -30, 0), ("工业母机", 0, -2, 0),
    ]  # fmt: skip
    assert rows(found, "by_region", "city_code", "total_fen") == [
        ("320100", 70), ("320500", -2),
    ]  # fmt: skip


def test_money_of_finance_received_used_and_left() -> None:
    fund = {
        "opening_fen": 50, "received_fen": 10, "received_ytd_fen": 100, "used_fen": 40,
        "used_ytd_fen": 120, "recovered_ytd_fen": -7, "other_ytd_fen": 2, "balance_fen": 25,
        "later_fen": -30, "held_fen": -5,
    }  # fmt: skip
    money = {"held": {(SME, "central"): 0}, "funded": {(SME, "central"): 40}}
    whole = cut("monthly-execution", ledger={(SME, "central"): 40}, **money)
    book = {"book": frame(BOOK), "subsidies": frame(SUBSIDY), "drawn_fen": {}, "balance_fen": {}}
    book["notices"] = NOTICES.clear()
    fees = {"purpose": "guarantee_fee", "used_fen": 3, "balance_fen": 0}
    facts = Facts(**book, funds=frame(FUND, fees, fund), fees_fen=3)
    found = monthly_execution.define(cut=whole, period=MARCH, facts=facts)
    assert rows(found, "funds", "tier", "purpose", "used_fen", "balance_fen") == [
        ("中央", "担保费补贴", 3, 0), ("中央", "贷款贴息", 40, 25),
    ]  # fmt: skip
    for wrong in ({"balance_fen": 26}, {"held_fen": -6}, {"used_fen": 41}):
        facts = Facts(**book, funds=frame(FUND, fees, fund | wrong), fees_fen=3)
        with pytest.raises(BrokenTie):
            monthly_execution.define(cut=whole, period=MARCH, facts=facts)


def test_notes_overdue_or_gone_by_the_end_of_the_period() -> None:
    found = sheet(
        {"note_number": "A", "overdue": True, "non_performing": True, "principal_fen": 5},
        {"note_number": "B", "rejected_from": date(2026, 3, 1), "subsidised_until": date(2026, 3, 1)},
        {"note_number": "C", "rejected_from": date(2026, 4, 1), "subsidised_until": date(2026, 4, 1)},
        {"note_number": "D", "subsidised_until": date(2026, 3, 31)},
        {"note_number": "E", "repaid_fen": 100_000, "last_repaid_on": date(2026, 2, 3)},
        {"note_number": "F", "repaid_fen": 100_000, "last_repaid_on": date(2025, 12, 31)},
        {"note_number": "G", "repaid_fen": 100_000, "last_repaid_on": date(2026, 3, 2),
         "matures_on": date(2026, 3, 2), "drawn_on": date(2025, 3, 2)},
        {"note_number": "H", "overdue": True, "repaid_fen": 100_000,
         "last_repaid_on": date(2026, 3, 2), "matures_on": date(2026, 3, 2)},
    )  # fmt: skip
    assert rows(found, "exit_notes", "number", "state_zh", "note_number", "left_on") == [
        (1, "逾期", "A", None),
        (2, "不良", "A", None),
        (3, "财政不予贴息", "B", date(2026, 3, 1)),
        (4, "贴息期满", "D", date(2026, 3, 31)),
        (5, "提前结清", "E", date(2026, 2, 3)),
    ]
    assert rows(found, "exits", "state_zh", "notes", "enterprises", "balance_fen") == [
        ("逾期", 1, 1, 5), ("不良", 1, 1, 5), ("财政不予贴息", 1, 1, 100_000),
        ("贴息期满", 1, 1, 100_000), ("提前结清", 1, 1, 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"drawn_fen": {SME: 699}},
        {"balance_fen": {SME: 701}},
        {"money": {(SME, "central"): 1}},
        {"subsidies": ({"central_fen": 1},)},
    ],
)
def test_whatever_does_not_add_up_is_never_filed(wrong) -> None:
    with pytest.raises(BrokenTie):
        sheet({"principal_fen": 700}, **wrong)


def test_what_enterprises_were_told_is_counted_once_anything_was_sent() -> None:
    assert "notices" not in [one.key for one in sheet().tables]
    found = sheet(notices=NOTICES)
    assert rows(found, "notices", "due", "corrections", "sent", "delivered", "failed", "no_contact") == [
        (9, 1, 3, 2, 1, 1)
    ]  # fmt: skip
