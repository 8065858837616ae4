"""One deduction as text: numbered steps that a person redoes with a calculator."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from settlement.management.explanation_limits import (
    IN,
    IN2,
    active_tiers,
    limits,
    posted,
    split,
)
from settlement.management.explanation_words import (
    GAPS,
    STOPS,
    Footnotes,
    aligned,
    exact_yuan,
    fraction_yuan,
    percent,
    percent_ppm,
    wrap,
)
from settlement.management.explanation_words import TIERS as TIER_WORDS
from settlement.management.tables import yuan
from settlement.services.explained import (
    DeductionWorking,
    Segment,
    TierWorking,
)

_COUNTED = {
    "months": "整月×30天 whole months × 30, odd days ignored",
    "months_odd_days_360": "整月×30天加零头天数 whole months × 30 + odd days",
}


def deduction(work: DeductionWorking, number: str, notes: Footnotes) -> Iterator[str]:
    """The lines of one collection × scheme."""
    one, scheme = work.collection, work.scheme
    yield f"── {number} 收息 {one.reference} × {scheme.code} {'─' * 20}"
    yield from wrap(
        f"{scheme.name_zh} {scheme.document}，版本 v{scheme.version} sha256 {scheme.sha256[:12]}",
        IN,
    )
    yield from wrap(
        f"计息期 period {one.period_start} → {one.period_end}（不含 exclusive），"
        f"收息日 collected {one.collected_on}，"
        f"应收 due {yuan(one.due_fen)}，本笔实收 paid {yuan(one.paid_fen)} 元",
        IN,
    )
    if work.product:
        yield from _days(work, notes)
        yield from _whole(work, notes)
        yield from _paid(work, notes)
        yield from limits(work, notes)
        yield from split(work, notes)
    else:
        yield from _nothing(work, notes)
    if work.product or work.postings:
        yield from posted(work, notes)


def _nothing(work: DeductionWorking, notes: Footnotes) -> Iterator[str]:
    """Why a collection earns nothing."""
    yield f"{' ' * IN}没有积数，不产生贴息 nothing to subsidise:"
    if not work.is_eligible:
        yield f"{' ' * IN2}该政策现已不符合，应贴 0.00 the label is not eligible any more"
    elif not work.eligible_fen:
        yield f"{' ' * IN2}可贴息金额为 0（见资格认定）the eligible amount is 0, see judgement"
    elif not work.segments and not work.gaps:
        yield f"{' ' * IN2}全期停贴或无余额 stopped or no balance throughout"
    else:
        for part in work.segments:
            yield f"{' ' * IN2}{part.starts_on} → {part.ends_on} {_remark(part)}"
        yield from _gaps(work, notes)


def _remark(part: Segment) -> str:
    if part.stops:
        return f"停贴 {'、'.join(STOPS[stop].split()[0] for stop in part.stops)}"
    return "" if part.base_fen else "无余额 no balance"


def _gaps(work: DeductionWorking, notes: Footnotes) -> Iterator[str]:
    stops = dict.fromkeys(STOPS[stop] for part in work.segments for stop in part.stops)
    if stops:
        tag = notes.tag(work.sources["stops"])
        why = "不贴息，以后不补 earns nothing, then or later"
        yield from wrap(f"停贴 stopped（{'、'.join(stops)}）{why}  {tag}", IN2, 4)
    for gap in work.gaps:
        why = f"{GAPS[gap.why]}，不贴息 not subsidised  {notes.tag(gap.sources)}"
        yield from wrap(f"{gap.starts_on} → {gap.ends_on} {why}", IN2, 4)


def _days(work: DeductionWorking, notes: Footnotes) -> Iterator[str]:
    sources = work.sources
    tag = notes.tag(sources["days"], sources["base"])
    yield f"{' ' * IN}① 积数 product = Σ 基数 base × 天数 days  {tag}"
    if work.eligible_fen == work.principal_fen:
        yield f"{' ' * IN2}基数 base = 余额 balance（全额合格 wholly eligible）"
    else:
        yield from wrap(
            f"基数 base = 余额 balance × 可贴息 eligible {yuan(work.eligible_fen)} ÷ "
            f"本金 principal {yuan(work.principal_fen)}，四舍五入到分 half-up to the fen",
            IN2,
            4,
        )
    if work.day_count in _COUNTED:
        yield f"{' ' * IN2}天数 days: {_COUNTED[work.day_count]}"
    yield from _table(work)
    yield from _gaps(work, notes)


def _table(work: DeductionWorking) -> list[str]:
    rows = [
        (
            str(part.starts_on),
            str(part.ends_on),
            yuan(part.balance_fen),
            yuan(part.base_fen),
            str(part.days),
            yuan(part.product),
            _remark(part),
        )
        for part in work.segments
    ]
    rows.append(("合计 total", "", "", "", str(work.days), yuan(work.product), ""))
    foreign = work.currency != "CNY"
    balance = f"余额 balance {work.currency}" if foreign else "余额 balance"
    base = "基数 base CNY" if foreign else "基数 base"
    header = ("起 from", "止 to(不含)", balance, base, "天 days", "积数 元·天", "")
    return aligned(header, rows, IN2)


def _whole(work: DeductionWorking, notes: Footnotes) -> Iterator[str]:
    over = f" ÷ {work.basis}" if work.basis else ""
    method = {
        "points": f"积数 × 年贴息率 rate{over}",
        "interest_to_lpr_plus": f"积数 × 补贴利率 rate{over}",
        "percent_of_interest": "应收利息 due × 比例 percent × 积数 ÷ 全额积数 full product",
    }[work.method]
    tag = notes.tag(work.sources["whole"])
    yield from wrap(f"② 全期贴息 whole period = {method}（精确 exact）  {tag}", IN, 4)
    if work.method == "interest_to_lpr_plus" and work.lpr and work.lpr.rate_ppm is not None:
        ceiling = work.lpr.rate_ppm + work.above_lpr_ppm
        yield from wrap(
            f"补贴利率 rate = min(借据利率 {percent_ppm(work.rate_ppm)}, LPR "
            f"{percent_ppm(work.lpr.rate_ppm)} + {percent_ppm(work.above_lpr_ppm)} = "
            f"{percent_ppm(ceiling)}) × 比例 share {notes.tag(work.sources['above_lpr'])}",
            IN2,
            4,
        )
    if work.full_product is not None:
        yield f"{' ' * IN2}全额积数 full product（全部天数 every day）{yuan(work.full_product)} 元·天"
    for tier in work.tiers:
        yield from _tier_whole(work, tier, notes)


def _tier_whole(work: DeductionWorking, tier: TierWorking, notes: Footnotes) -> Iterator[str]:
    name = TIER_WORDS[tier.tier]
    if tier.is_off:
        yield f"{' ' * IN2}{name}: 0.00（该级不贴 tier switched off，见资格认定 see judgement）"
        return
    if work.method == "percent_of_interest":
        terms = [
            f"{yuan(work.collection.due_fen)} × {percent_ppm(part.rate)} × {yuan(part.product)} ÷ "
            f"{yuan(work.full_product or 0)}"
            for part in tier.rates
        ]
    else:
        terms = [f"{yuan(part.product)} × {percent(part.rate)}" for part in tier.rates]
    sum_text = " + ".join(terms)
    if work.basis:
        sum_text = f"({sum_text})" if len(terms) > 1 else sum_text
        sum_text += f" ÷ {work.basis}"
    shown = f"{name}: {sum_text} = {exact_yuan(tier.whole)} 元"
    if tier.whole.denominator > 1:
        shown += f"（={fraction_yuan(tier.whole)}，≈ {yuan(_half_up(tier.whole))}）"
    tag = notes.tag(*(part.sources for part in tier.rates))
    yield from wrap(f"{shown}  {tag}", IN2, 4)


def _half_up(fen: Fraction) -> int:
    return (2 * fen.numerator + fen.denominator) // (2 * fen.denominator)


def _paid(work: DeductionWorking, notes: Footnotes) -> Iterator[str]:
    due = work.collection.due_fen
    tag = notes.tag(work.sources["paid"], work.sources["rounding"])
    if work.paid_fen == due and len(work.payments) == 1 and due:
        head = "③ 全额收息，应得 earned = 全期四舍五入到分 whole period, half-up to the fen"
        yield from wrap(f"{head}  {tag}", IN, 4)
        for tier in active_tiers(work):
            yield f"{' ' * IN2}{TIER_WORDS[tier.tier]}: {yuan(tier.raw_fen)}"
    else:
        yield from wrap(
            "③ 累计应得 earned to date = 全期 whole × 实收 paid ÷ 应收 due，四舍五入到分 half-up；"
            f"本笔 raw = 累计应得 − 此前应得 before  {tag}",
            IN,
            4,
        )
        yield from _part_payments(work)
    if len(active_tiers(work)) > 1:
        yield f"{' ' * IN2}合计 raw total: {yuan(work.raw_fen)}"


def _part_payments(work: DeductionWorking) -> Iterator[str]:
    due = work.collection.due_fen
    added = " ".join(
        f"{'−' if p.paid_fen < 0 else '+'} {yuan(abs(p.paid_fen))} ({p.reference})"
        for p in work.payments
    )
    capped = ""
    if work.paid_fen != work.paid_so_far_fen:
        capped = f"，计入 counted {yuan(work.paid_fen)}（0 至应收之间 between 0 and due）"
    yield from wrap(
        f"累计实收 paid so far = {added.removeprefix('+ ')} = {yuan(work.paid_so_far_fen)}{capped}；"
        f"占应收 share {yuan(work.paid_fen)} / {yuan(due)}",
        IN2,
        4,
    )
    for tier in active_tiers(work):
        how = f"{exact_yuan(tier.whole)} × {yuan(work.paid_fen)} ÷ {yuan(due)}"
        if not due:
            how = "无应收 nothing due"
        yield from wrap(
            f"{TIER_WORDS[tier.tier]}: {how} = 累计 {yuan(tier.earned_fen)}；"
            f"− 此前 {yuan(tier.before_fen)} = 本笔 raw {yuan(tier.raw_fen)}",
            IN2,
            4,
        )
