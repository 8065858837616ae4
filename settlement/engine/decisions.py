"""Where the documents are silent: the decisions of domain §3 as settings with a default.

What a scheme file states elsewhere (day count D1, shortfall D19, duplicate rule D22) is cited there.
A file may restate any other decision with its own source; a choice the engine does not compute is
refused when the file is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Decision:
    """One decision: the choices the engine computes (the first is the default) and what it means."""

    choices: tuple[str, ...]
    meaning_zh: str
    meaning_en: str


DECISIONS: dict[str, Decision] = {
    "D2": Decision(("first_day_counted",), "算头不算尾", "the first day counts, the last does not"),
    "D3": Decision(
        ("own_drawdown",),
        "贴息期自该借据放款日起算，届满为对应日或月末",
        "the term runs from the note's own drawdown to the same day of the month, or its last",
    ),
    "D4": Decision(
        ("cut_in_drawdown_order",),
        "本金上限按放款日、机构、借据号依次使用，只削减不取消，还款不释放",
        "a principal cap is given out in drawdown order; it cuts, and repayment frees nothing",
    ),
    "D5": Decision(
        ("balance_in_proportion",),
        "计息本金为当日余额乘合格金额除以借据本金",
        "the base is each day's balance times eligible amount over note principal",
    ),
    "D6": Decision(
        ("stopped_days_lost",),
        "逾期、展期、不良期间不贴息且不补",
        "overdue, extended and non-performing days earn nothing, then or later",
    ),
    "D7": Decision(
        ("in_proportion_to_paid",),
        "部分收息按实收占应收比例",
        "interest collected in part earns in proportion to what is due",
    ),
    "D8": Decision(
        ("half_up_per_collection_and_tier",),
        "每笔收息、每项政策、每级资金四舍五入到分一次",
        "rounded half up to the fen once per collection, scheme and tier",
    ),
    "D9": Decision(
        ("collection_order",),
        "依收息日、机构、借据号、计息起日、流水号顺序使用上限",
        "caps are used in order of collection day, institution, note, period and reference",
    ),
    "D10": Decision(
        ("note_and_calendar_year",),
        "各级贴息合计不超过该借据当年已付利息",
        "all subsidies of a note stay within the interest paid on it that calendar year",
    ),
    "D11": Decision(
        ("lower_tiers_floored",),
        "共同上限按比例削减，下级取整到分，余数归最高一级",
        "a shared cut is in proportion: lower tiers floored, the highest takes the rest",
    ),
    "D12": Decision(
        ("collected_on",), "上限年度为收息日所在年", "a cap's year is that of the collection day"
    ),
    "D13": Decision(("drawdown_day",), "资格以放款日为准", "status is tested on the drawdown day"),
    "D14": Decision(
        ("first_eligible_label",),
        "同组政策以标注在先且合格者为准",
        "of one exclusive group the first eligible label counts",
    ),
    "D15": Decision(
        ("five_year_above_60_months",),
        "原期限超过60个月用5年期LPR，否则1年期",
        "the 5-year LPR above 60 months of original term, else the 1-year",
    ),
    "D16": Decision(
        ("commit_in_drawdown_order",),
        "年度资金按放款顺序以预计贴息额占用",
        "the year's fund is committed in drawdown order by the expected subsidy",
    ),
    "D17": Decision(
        ("whole_months",), "担保费补贴按整月计算", "guarantee-fee subsidy counts whole months"
    ),
    "D18": Decision(
        ("note_rate_once",),
        "外币借据按记录汇率一次折算",
        "a foreign-currency base is converted once at the note's recorded rate",
    ),
    "D20": Decision(
        ("one_run_over_all_facts",),
        "更正以全部已知事实重算为目标，差额另记",
        "the target is one run over all known facts; differences are posted",
    ),
    "D21": Decision(
        ("shown_as_is",), "期限遇休息日不顺延", "a deadline on a rest day is never moved later"
    ),
}
