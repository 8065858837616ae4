"""The annual demand as data: asks in order of days, tables that add up, assumptions in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest

from reports.definitions.advance import Day, Step, ask
from reports.definitions.annual_demand import DRAWDOWNS, MONEY, NEEDS, RESERVED, Figures, define
from reports.definitions.cut import BrokenTie, Cut, Money
from reports.definitions.demand_notes import Said, footnotes
from reports.definitions.filing import SchemeTitle
from reports.definitions.period import Period, parse
from reports.definitions.sheet import Heading, Sheet

D = date
SCHEMES = (
    SchemeTitle("b-first", "甲贴息", "甲文〔2026〕1号"),
    SchemeTitle("a-second", "乙贴息", "乙文〔2026〕2号"),
)


def period(code: str) -> Period:
    found = parse(code)
    assert found is not None
    return found


def cut(code: str = "2027") -> Cut:
    heading = Heading("annual-demand", "年度资金需求申请", "H1", "甲银行", code, code, "万元")
    return Cut(heading, SCHEMES, "甲文 一", ("假定",), Money({}, {}, {}))


def need(on: date, existing: int, coming: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "scheme_code": "b-first", "institution_code": "N1", "institution_name": "甲支行",
        "fund_code": "F1", "fund_name": "甲分行", "tier": "central", "collected_on": on,
        "existing_fen": existing, "coming_fen": coming, **fields,
    }  # fmt: skip


def fund(**fields: Any) -> dict[str, Any]:
    return {
        "scheme_code": "b-first", "fund_code": "F1", "fund_name": "甲分行", "tier": "central",
        "special_account_fen": 0, "reserved_fen": 0, "owed_fen": 0, "carried_fen": 0, **fields,
    }  # fmt: skip


def figures(
    needs: list[dict[str, Any]],
    money: Sequence[dict[str, Any]] = (),
    reserved: Sequence[tuple[Any, ...]] = (),
    lending: list[tuple[Any, ...]] | None = None,
) -> Figures:
    return Figures(
        needs=pl.DataFrame(needs, schema=NEEDS),
        money=pl.DataFrame(money, schema=MONEY),
        reserved=pl.DataFrame(reserved, schema=RESERVED, orient="row"),
        drawdowns=None if lending is None else pl.DataFrame(lending, schema=DRAWDOWNS, orient="row"),
        forecast_fen=(sum(n["existing_fen"] for n in needs), sum(n["coming_fen"] for n in needs)),
    )  # fmt: skip


def rows(sheet: Sheet, key: str, *columns: str) -> list[tuple[Any, ...]]:
    table = next(one for one in sheet.tables if one.key == key)
    return pl.concat(table.parts()).select(columns).rows()


def test_money_is_used_in_order_of_days_and_what_was_missing_has_arrived() -> None:
    days = [Day(300), Day(500), Day(100), Day(50)]
    assert ask(available_fen=450, owed_fen=0, days=days) == [
        Step(450, 0, 0), Step(150, 0, 350), Step(0, 0, 100), Step(0, 0, 50),
    ]  # fmt: skip
    assert ask(available_fen=450, owed_fen=0, days=[]) == []


def test_what_plans_hold_serves_their_own_day_and_the_bank_is_repaid_first() -> None:
    days = [Day(300, 200), Day(100, 400), Day(80)]
    assert ask(available_fen=50, owed_fen=70, days=days) == [
        Step(50, 70, 120), Step(0, 0, 0), Step(0, 0, 80),
    ]  # fmt: skip


def test_a_year_asks_for_the_need_less_what_earlier_years_left() -> None:
    needs = [
        need(D(2027, 1, 20), 1_000, 10),
        need(D(2027, 2, 20), 2_000, 20, institution_code="N2", institution_name="乙支行"),
        need(D(2027, 2, 20), 400, tier="municipal"),
        need(D(2027, 2, 20), 70, scheme_code="a-second", tier="provincial"),
    ]
    money = [
        fund(carried_fen=1_130, special_account_fen=5_000),
        fund(tier="municipal", carried_fen=-100, owed_fen=100),
        fund(scheme_code="a-second", tier="provincial", carried_fen=90, special_account_fen=90),
        fund(scheme_code="a-second", tier="central"),
    ]
    sheet = define(cut=cut(), period=period("2027"), figures=figures(needs, money), notes=["注"])
    columns = ("scheme_zh", "tier", "existing_fen", "coming_fen", "total_fen", "less_fen", "apply_fen")  # fmt: skip
    assert rows(sheet, "summary", *columns) == [
        ("甲贴息", "中央", 3_000, 30, 3_030, 1_130, 1_900),
        ("甲贴息", "市级", 400, 0, 400, -100, 500),
        ("乙贴息", "省级", 70, 0, 70, 90, 0),
    ]
    assert rows(sheet, "by_month", "month", "scheme_zh", "tier", "total_fen") == [
        (D(2027, 1, 1), "甲贴息", "中央", 1_010),
        (D(2027, 2, 1), "甲贴息", "中央", 2_020),
        (D(2027, 2, 1), "甲贴息", "市级", 400),
        (D(2027, 2, 1), "乙贴息", "省级", 70),
    ]
    assert rows(sheet, "by_branch", "scheme_zh", "institution_name", "tier", "total_fen") == [
        ("甲贴息", "甲支行", "中央", 1_010),
        ("甲贴息", "甲支行", "市级", 400),
        ("甲贴息", "乙支行", "中央", 2_020),
        ("乙贴息", "甲支行", "省级", 70),
    ]
    assert [one.key for one in sheet.tables] == [
        "summary", "by_day", "by_month", "by_branch", "by_branch_month",
    ]  # fmt: skip
    assert sheet.footnotes == ("注", "假定")
    assert {c.article for one in sheet.tables for c in one.columns if c.key == "total_fen"} == {
        "甲文 一"
    }
    assert [tie.one_fen for tie in sheet.ties] == [3_470] * 4 + [30] * 4


def test_interest_days_tell_what_must_arrive_before_them() -> None:
    needs = [
        need(D(2027, 4, 3), 400),  # a note that matures
        need(D(2027, 4, 20), 600),
        need(D(2027, 4, 25), 50),  # a plan of its own day
        need(D(2027, 6, 20), 900, 100),
    ]
    money = [fund(special_account_fen=1_500, reserved_fen=300, owed_fen=20)]
    held = [("b-first", "F1", "central", D(2027, 4, 25), 50), ("b-first", "F1", "central", D(2027, 6, 20), 250)]  # fmt: skip
    known = replace(figures(needs, money, held), arrive_by={D(2027, 4, 20): D(2027, 4, 19)})
    sheet = define(cut=cut("2027-Q2"), period=period("2027-Q2"), figures=known, notes=[])
    assert rows(sheet, "by_day", "due_on", "arrive_by") == [
        (D(2027, 4, 20), D(2027, 4, 19)),
        (D(2027, 6, 20), None),
    ]
    assert rows(
        sheet, "by_day", "due_on", "total_fen", "earlier_fen", "held_fen", "available_fen",
        "first_owed_fen", "gap_fen",
    ) == [
        (D(2027, 4, 20), 1_050, 400, 50, 1_200, 20, 0),
        (D(2027, 6, 20), 1_000, 0, 250, 180, 0, 570),
    ]  # fmt: skip
    assert rows(sheet, "summary", "total_fen", "less_fen", "apply_fen") == [(2_050, 1_180, 570)]


def test_a_month_has_no_table_by_month_and_branch_and_a_debt_alone_is_asked_for() -> None:
    sheet = define(
        cut=cut("2027-03"),
        period=period("2027-03"),
        figures=figures([], [fund(owed_fen=5)], lending=[("b-first", "N1", "甲支行", D(2027, 3, 1), 2, 100, 110)]),
        notes=[],
    )  # fmt: skip
    assert [one.key for one in sheet.tables] == [
        "summary", "by_day", "by_month", "by_branch", "lending",
    ]  # fmt: skip
    assert rows(sheet, "by_day", "due_on", "total_fen", "gap_fen") == [(D(2027, 3, 20), 0, 5)]
    assert rows(sheet, "lending", "notes", "base_fen", "expected_fen") == [(2, 100, 110)]


def test_figures_that_do_not_add_up_are_never_a_paper() -> None:
    found = figures([need(D(2027, 1, 20), 1_000, 10)])
    for wrong in ((999, 10), (1_000, 11)):
        with pytest.raises(BrokenTie, match="年度资金需求申请勾稽不平"):
            define(
                cut=cut(), period=period("2027"), figures=replace(found, forecast_fen=wrong),
                notes=[],
            )  # fmt: skip


SAID = Said(
    period=period("2027"), quarterly=False, growth_ppm=50_000, base_year=2026,
    known_through=D(2026, 12, 30), has_coming=True, closed=("甲贴息",), funds_elsewhere=(),
    has_money=True, has_holidays=True,
)  # fmt: skip


def test_every_assumption_is_said() -> None:
    text = "\n".join(footnotes(SAID))
    for part in ("2027年1月1日前已收利息", "2026年合格借据", "（1＋5%）", "登记至2026年12月30日",
                 "不预计新增：甲贴息", "申请额＝合计－上年结余", "无法推定的假定按月", "未计入：担保费补贴"):  # fmt: skip
        assert part in text
    assert "预计新增为零" not in text
    assert "尚无资金账" not in text
    assert "节假日" not in text
    assert "2027年节假日安排尚未导入" in "\n".join(footnotes(replace(SAID, has_holidays=False)))


@pytest.mark.parametrize(
    ("ppm", "text"), [(0, "0%"), (1, "0.0001%"), (125_000, "12.5%"), (-1_000_000, "-100%")]
)
def test_growth_is_said_exactly(ppm: int, text: str) -> None:
    assert any(f"（1＋{text}）" in note for note in footnotes(replace(SAID, growth_ppm=ppm)))


def test_what_is_not_assumed_is_not_said() -> None:
    said = replace(
        SAID, period=period("2027-03"), growth_ppm=None, quarterly=True, has_money=False,
        closed=(), funds_elsewhere=("甲分行",),
    )  # fmt: skip
    text = "\n".join(footnotes(said))
    assert "未计预计新增放款" in text
    assert "无法推定的假定按季" in text
    assert "由甲分行管理" in text
    assert "基年" not in text
    assert "上年结余" not in text
    none = "\n".join(
        footnotes(replace(SAID, has_coming=False, has_money=False, known_through=None))
    )
    assert "预计新增为零" in none
    assert "尚无资金账" in none
    assert "无放款记录" in none
