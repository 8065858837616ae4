"""What a forecast of needs assumes, in the words of its footnotes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from loans.values.money import scaled_text
from reports.definitions.period import Period

PERCENT_DECIMALS = 4  # parts per million as percent


@dataclass(frozen=True)
class Said:
    """What a forecast rests on. `growth_ppm` None: existing notes only; no `base_year` then.

    `known_through`: the last recorded drawdown; `closed`: schemes that take no new notes any more;
    `funds_elsewhere`: institutions outside those reported on whose funds pay for them; `has_holidays`:
    whether the year's are published.
    """

    period: Period
    quarterly: bool
    growth_ppm: int | None
    base_year: int
    known_through: date | None
    has_coming: bool
    closed: tuple[str, ...]
    funds_elsewhere: tuple[str, ...]
    has_money: bool
    has_holidays: bool


def footnotes(said: Said) -> tuple[str, ...]:
    """Every assumption, and what is not counted."""
    return (
        *_existing(said),
        *_coming(said),
        *_money(said),
        "未计入：担保费补贴；已收息期间的欠息；尚未登记的提前还款、逾期、展期和退出；更正差额和追回。",
    )


def _existing(said: Said) -> list[str]:
    day, rest = said.period.start, "按季" if said.quarterly else "按月"
    return [
        f"现有贷款：自{_zh(day)}前已收利息之后逐笔推演，已登记的还本、状态、到期、贴息期限、上限和"
        "资金层级均按政策计入；此后实际收息不计，由推演代替。",
        "假定每月20日（按季为季末月20日）结息，利息计至21日（不含），按余额和合同利率以360天计，足额收取；"
        "到期借据的末次利息于到期日收取；已登记的计划收息按其日期和期间计入。",
        f"结息频率按每笔借据最近一期满一个月的收息或计划推定（超过一个月为按季），无法推定的假定{rest}。",
        f"按收息日归期：{said.period.start.year}年12月20日后的应计利息属次年需求。",
    ]


def _coming(said: Said) -> list[str]:
    if said.growth_ppm is None:
        return ["未计预计新增放款（仅现有贷款）。"]
    known = "无放款记录" if said.known_through is None else f"放款登记至{_zh(said.known_through)}"
    found = [
        f"预计新增（假定）：{said.base_year}年合格借据于本年同月同日再次放款，金额乘以（1＋"
        f"{scaled_text(said.growth_ppm, decimals=PERCENT_DECIMALS)}%）；{known}，仅预计其后的放款。",
        "预计新增按机构、收息日和资金层级汇总后四舍五入到分一次；不计还本、金额上限和利息上限，"
        f"期限与基年借据相同，{'按季' if said.quarterly else '按月'}结息。",
    ]
    if not said.has_coming:
        found.append(f"{said.base_year}年无可比照的合格放款，或放款期已结束，预计新增为零。")
    if said.closed:
        found.append(f"放款期已结束、不预计新增：{'、'.join(said.closed)}。")
    return found


def _money(said: Said) -> list[str]:
    if said.period.is_year:
        found = [
            "申请额＝合计－上年结余，不低于零；上年结余为以前年度入账所留专户余额减银行垫付，缺口为负。",
            "结息日前预拨资金需求依结息日先后使用可用资金，假定前一结息日缺口已到账。",
        ]
    else:
        found = [
            "申请额为各结息日缺口之和；缺口＝需求－本日计划已预留＋须先归还的银行垫付－可用资金，不低于零；可用资金为专户余额减全部预留，"
            "依结息日先后使用，假定前一结息日缺口已到账。",
        ]
    found.append(
        "资金须在结息日前到账，最迟到账日为结息日前最后一个工作日；其中到期日或计划收息日早于结息日的"
        "部分须更早到账。"
    )
    if not said.has_holidays:
        year = said.period.start.year
        found.append(f"{year}年节假日安排尚未导入（import_holidays），最迟到账日空缺。")
    if said.funds_elsewhere:
        names = "、".join(said.funds_elsewhere)
        found.append(f"贴息资金由{names}管理，其余额和预留未列入本表。")
    elif not said.has_money:
        found.append("尚无资金账，可用资金和上年结余为零。")
    return found


def _zh(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
