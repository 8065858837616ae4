"""How a posted deduction came about, as tables a person redoes with a calculator, each with its articles."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin.sections import Column, Section, link, numbers, texts
from loans.admin.base import in_yuan, own_language, percent, yuan
from loans.values.money import scaled_text
from settlement.admin import wording
from settlement.admin.sources import Notes
from settlement.selectors.vouched import Vouched
from settlement.services.explained import CapStep, DeductionWorking, TierWorking

STOPS = {"overdue": _("逾期"), "extended": _("展期"), "non_performing": _("不良")}
GAPS = {
    "before_drawdown": _("放款前，不贴息"),
    "before_accrual": _("政策计息期开始前，不贴息"),
    "after_term": _("贴息期限已满，不贴息"),
    "rejected": _("财政审核不予贴息"),
    "after_accrual": _("政策计息期已结束，不贴息"),
    "already_paid": _("系统启用前已贴息"),
}
USED = {
    "granted": _("本系统已贴"),
    "outside": _("外部贴息及期初"),
    "opening": _("期初已贴"),
    "leasing": _("融资租赁贴息"),
}


def sections(work: DeductionWorking, vouched: list[Vouched]) -> list[Section]:
    """The working from days to ledger entries; what does not apply is left out."""
    notes = Notes()
    found = [_days(work, notes)]
    if work.product:
        found += [_whole(work, notes), _earned(work, notes)]
        found += [_limits(work, notes)] if work.caps or work.duplicate else []
        found += [_taken_back(work, notes)] if work.taken_back else []
        found += [_shares(work, notes)]
    found += [_posted(work), _entries(vouched)]
    return [*found, *notes.sections()]


def _titled(title: Any, tag: str) -> str:
    return f"{title} {tag}".strip()


def _days(work: DeductionWorking, notes: Notes) -> Section:
    """Segments of unchanged balance, and the days that earn nothing."""
    rows: list[tuple[Any, ...]] = [
        (
            part.starts_on,
            part.ends_on,
            yuan(part.balance_fen),
            yuan(part.base_fen),
            part.days,
            yuan(part.product),
            _remark(part.stops, part.base_fen),
        )
        for part in work.segments
    ]
    gaps = [
        (
            gap.starts_on,
            gap.ends_on,
            "",
            "",
            0,
            yuan(0),
            f"{GAPS[gap.why]} {notes.tag(gap.sources)}",
        )
        for gap in work.gaps
    ]
    total = (_("合计"), "", "", "", work.days, yuan(work.product), "")
    balance = _("余额（%(currency)s）") % {"currency": work.currency}
    return Section(
        title=_titled(
            _("① 积数 = 基数 × 天数"), notes.tag(work.sources["days"], work.sources["base"])
        ),
        columns=[
            *texts(_("起日"), _("止日（不含）")),
            Column(balance, is_number=True),
            *numbers(in_yuan(_("基数")), _("天数"), _("积数（元·天）")),
            *texts(_("说明")),
        ],
        rows=[*sorted([*rows, *gaps], key=lambda row: row[0]), total],
    )


def _remark(stops: tuple[str, ...], base_fen: int) -> str:
    if stops:
        named = gettext("、").join(str(STOPS[stop]) for stop in stops)
        return gettext("%(stops)s，停止贴息，以后不补") % {"stops": named}
    return "" if base_fen else gettext("没有可贴息余额")


def _whole(work: DeductionWorking, notes: Notes) -> Section:
    """What the whole period would earn per tier, exactly."""
    rows = [
        (
            wording.tier_name(tier.tier),
            _("该层级不贴息") if tier.is_off else _formula(work, tier),
            "0.00" if tier.is_off else exact_yuan(tier.whole),
            notes.tag(*(part.sources for part in tier.rates)),
        )
        for tier in work.tiers
    ]
    return Section(
        title=_titled(_("② 全期贴息（精确值，未舍入）"), notes.tag(work.sources["whole"])),
        columns=[
            *texts(_("资金层级"), _("算式")),
            *numbers(in_yuan(_("全期贴息"))),
            *texts(_("依据")),
        ],
        rows=rows,
    )


def _formula(work: DeductionWorking, tier: TierWorking) -> str:
    if work.method == "percent_of_interest":
        full = yuan(work.full_product or 0)
        parts = [
            f"{yuan(work.collection.due_fen)} × {percent(p.rate)} × {yuan(p.product)} ÷ {full}"
            for p in tier.rates
        ]
        return " + ".join(parts)
    parts = [f"{yuan(p.product)} × {percent_e8(p.rate)}" for p in tier.rates]
    text = " + ".join(parts)
    if not work.basis:
        return text
    return f"({text}) ÷ {work.basis}" if len(parts) > 1 else f"{text} ÷ {work.basis}"


def _earned(work: DeductionWorking, notes: Notes) -> Section:
    """What this payment earns before ceilings and caps (D7, D8)."""
    due, paid = yuan(work.collection.due_fen), yuan(work.paid_fen)
    share = gettext("③ 应得 = 全期贴息 × 累计实收 %(paid)s ÷ 应收 %(due)s，四舍五入到分")
    rows: list[tuple[Any, ...]] = [
        (wording.tier_name(t.tier), yuan(t.earned_fen), yuan(t.before_fen), yuan(t.raw_fen))
        for t in work.tiers
    ]
    return Section(
        title=_titled(
            share % {"paid": paid, "due": due},
            notes.tag(work.sources["paid"], work.sources["rounding"]),
        ),
        columns=[
            *texts(_("资金层级")),
            *numbers(in_yuan(_("累计应得")), in_yuan(_("此前应得")), in_yuan(_("本笔应得"))),
        ],
        rows=[*rows, (_("合计"), "", "", yuan(work.raw_fen))],
    )


def _limits(work: DeductionWorking, notes: Notes) -> Section:
    """Ceilings and caps in their order; a shared one counts the notes of every bank."""
    rows: list[tuple[Any, ...]] = []
    if work.duplicate is not None:
        rule = work.duplicate
        rows.append(
            (
                wording.CUTS_SHORT[rule.rule],
                yuan(rule.target_fen),
                yuan(rule.granted_before_fen),
                gettext("其他来源 %(yuan)s") % {"yuan": yuan(rule.others_fen)},
                yuan(max(rule.target_fen - rule.granted_before_fen, 0)),
                yuan(rule.before_fen),
                yuan(rule.after_fen),
                notes.tag(rule.sources),
            )
        )
    rows += [_limit(step, notes) for step in work.caps]
    return Section(
        title=_titled(
            _("④ 上限（已用含其他机构的借据，只计总额）"), notes.tag(work.sources["order"])
        ),
        columns=[
            *texts(_("上限")),
            *numbers(in_yuan(_("限额")), in_yuan(_("此前已用"))),
            *texts(_("已用构成")),
            *numbers(in_yuan(_("剩余")), in_yuan(_("封顶前")), in_yuan(_("封顶后"))),
            *texts(_("依据")),
        ],
        rows=rows,
    )


def _limit(step: CapStep, notes: Notes) -> tuple[Any, ...]:
    parts = gettext("，").join(f"{USED[name]} {yuan(fen)}" for name, fen in step.used_parts if fen)
    name = str(wording.CUTS_SHORT[step.reason])
    return (
        gettext("%(cap)s（核减）") % {"cap": name} if step.is_cut else name,
        yuan(step.limit_fen),
        yuan(step.used_fen),
        parts,
        yuan(step.room_fen),
        yuan(step.before_fen),
        yuan(step.after_fen),
        notes.tag(step.sources),
    )


def _taken_back(work: DeductionWorking, notes: Notes) -> Section:
    """What a payment that lowers the interest paid takes back (D7)."""
    return Section(
        title=_titled(
            _("④ 冲回 = 已贴 × 减少的应得 ÷ 此前应得，四舍五入到分"), notes.tag(work.sources["paid"])
        ),
        columns=[
            *texts(_("资金层级")),
            *numbers(
                in_yuan(_("已贴")), in_yuan(_("减少的应得")), in_yuan(_("此前应得")),
                in_yuan(_("冲回")),
            ),
        ],
        rows=[
            (
                wording.tier_name(back.tier),
                yuan(back.granted_fen),
                yuan(back.lowered_fen),
                yuan(back.earned_before_fen),
                yuan(back.change_fen),
            )
            for back in work.taken_back
        ],
    )  # fmt: skip


def _shares(work: DeductionWorking, notes: Notes) -> Section:
    """What is granted, per tier; a cut is shared in proportion, the rest to the highest (D11)."""
    cuts = gettext("、").join(str(wording.CUTS_SHORT[code]) for code in work.cut_reasons)
    title = gettext("⑤ 贴息 %(granted)s 元，核减 %(cut)s 元") % {
        "granted": yuan(work.granted_fen),
        "cut": yuan(work.cut_fen),
    }
    shared = len(work.tiers) > 1 and work.cut_fen
    return Section(
        title=_titled(
            f"{title}（{cuts}）" if cuts else title,
            notes.tag(work.sources["split"]) if shared else "",
        ),
        columns=[
            *texts(_("资金层级")),
            *numbers(in_yuan(_("本笔应得")), in_yuan(_("贴息"))),
        ],
        rows=[
            *(
                (wording.tier_name(t.tier), yuan(t.raw_fen), yuan(t.granted_fen))
                for t in work.tiers
            ),
            (_("合计"), yuan(work.raw_fen), yuan(work.granted_fen)),
        ],
    )


def _posted(work: DeductionWorking) -> Section:
    """Original and differences as posted, and what they add up to."""
    rows: list[tuple[Any, ...]] = [
        (
            line.sequence,
            line.posted_on,
            link("kernel_run", line.run_id, f"#{line.run_id}"),
            f"v{line.version}",
            *(yuan(fen) for fen in line.change_fen),
            yuan(sum(line.change_fen)),
            own_language(line.why),
        )
        for line in work.postings
    ]
    sums = [yuan(sum(line.change_fen[place] for line in work.postings)) for place in range(3)]
    return Section(
        title=_("⑥ 入账（0 为原始，其后为差额）"),
        columns=[
            *texts(_("序次"), _("入账日"), _("任务"), _("政策版本")),
            *numbers(
                in_yuan(_("中央")), in_yuan(_("省级")), in_yuan(_("市级")), in_yuan(_("合计"))
            ),
            *texts(_("说明")),
        ],
        rows=[*rows, (_("净额"), "", "", "", *sums, yuan(work.posted_fen), "")],
    )


def _entries(vouched: list[Vouched]) -> Section:
    """The ledger entries that hold the money, with that of the same run, fund and month."""
    return Section(
        title=_("⑦ 资金分录（同一任务、资金和收息月份合并记账）"),
        columns=texts(_("序次"), _("资金机构"), _("资金层级"), _("分录"), _("入账日")),
        rows=list(_vouched(vouched)),
    )


def _vouched(vouched: list[Vouched]) -> Iterator[tuple[Any, ...]]:
    for one in vouched:
        seen = (
            link("settlement_ledgerentry", one.entry_id, f"#{one.number}")
            if one.entry_id
            else _("在该机构的资金账，不在您的机构范围内")
        )
        yield one.sequence, one.institution, wording.tier_name(one.tier), seen, one.posted_on


def percent_e8(rate_e8: int) -> str:
    """A rate of 10⁻⁸ a year in percent: 1500000 → `1.50%`."""
    return f"{scaled_text(rate_e8, decimals=6, keep=2)}%"


def exact_yuan(fen: Fraction) -> str:
    """An exact amount in yuan: six decimals, `…` if there are more."""
    micro, rest = divmod(abs(fen.numerator) * 10_000, fen.denominator)
    whole, _point, decimals = scaled_text(micro, decimals=6, keep=2).partition(".")
    return f"{'-' if fen < 0 else ''}{int(whole):,}.{decimals}{'…' if rest else ''}"
