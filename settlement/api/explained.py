"""The working of a deduction as plain values: steps in the order a person redoes them, with articles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from loans.values.money import percent_from_ppm, scaled_text, yuan_from_fen
from settlement.services.explained import CapStep, Collection, DeductionWorking, Sources
from settlement.services.own_explanations import OwnWorking

FEN_OF_PRODUCT = 2  # fen-days as yuan-days
FEN_PER_YUAN = 100
RATE_DECIMALS = 6  # 10⁻⁸ a year as percent
METHODS = {
    "points": "积数 × 年贴息率 ÷ 年天数 / product × rate ÷ days of the year",
    "interest_to_lpr_plus": "积数 × 补贴利率 ÷ 年天数 / product × subsidised rate ÷ days of the year",
    "percent_of_interest": "应收利息 × 比例 × 积数 ÷ 全额积数 / interest due × share × product ÷ full product",
}
SourceOut = inline_serializer(
    "ExplanationSource",
    {
        "key": serializers.CharField(),
        "document": serializers.CharField(),
        "article": serializers.CharField(help_text="空 = 假定 / empty: assumed"),
        "assumed_because": serializers.CharField(),
    },
    many=True,
)
StepOut = inline_serializer(
    "ExplanationStep",
    {
        "step": serializers.ChoiceField(
            ["product", "whole_period", "earned", "limits", "granted", "posted"]
        ),
        "title": serializers.CharField(help_text="中文 / English"),
        "result": serializers.CharField(
            help_text="元；积数为元·天；全期贴息为精确分数"
            " / yuan; of a product, yuan-days; of the whole period an exact fraction"
        ),
        "lines": serializers.ListField(child=serializers.DictField()),
        "sources": SourceOut,
    },
    many=True,
)
ExplanationOut = inline_serializer(
    "Explanation",
    {
        "title": serializers.CharField(),
        "scheme": serializers.DictField(),
        "collection": serializers.DictField(),
        "is_current": serializers.BooleanField(
            help_text="入账后没有新的事实 / nothing was told of the borrower since"
        ),
        "agrees": serializers.BooleanField(
            help_text="按现有事实重算与入账一致 / the facts still give what was posted"
        ),
        "steps": StepOut,
    },
)


def explanation(found: OwnWorking) -> dict[str, Any]:
    """The whole explanation of one collection under one scheme; amounts in yuan."""
    work = found.working
    scheme = work.scheme
    return {
        "title": f"收息 {work.collection.reference} × {scheme.code} {scheme.name_zh}"
        f" / collection {work.collection.reference} × {scheme.code} {scheme.name_en}",
        "scheme": {
            "code": scheme.code,
            "name_zh": scheme.name_zh,
            "name_en": scheme.name_en,
            "document": scheme.document,
            "version": scheme.version,
            "sha256": scheme.sha256,
            "is_in_force": scheme.is_in_force,
        },
        "collection": _collection(work.collection),
        "is_current": found.is_current,
        "agrees": found.agrees,
        "steps": list(_steps(work)),
    }


def _steps(work: DeductionWorking) -> Iterator[dict[str, Any]]:
    yield _product(work)
    if work.tiers:
        yield _whole(work)
        yield _earned(work)
        yield _limits(work)
        yield _granted(work)
    yield _posted(work)


def _step(
    name: str, title: str, result: str, lines: Sequence[dict[str, Any]], *sources: Sources
) -> dict[str, Any]:
    told = [
        {
            "key": one.key,
            "document": one.document,
            "article": one.article,
            "assumed_because": one.assumed_because,
        }
        for group in sources
        for one in group
    ]
    return {
        "step": name,
        "title": title,
        "result": result,
        "lines": list(lines),
        "sources": [one for place, one in enumerate(told) if one not in told[:place]],
    }


def _collection(one: Collection) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "collected_on": one.collected_on.isoformat(),
        "period_start": one.period_start.isoformat(),
        "period_end": one.period_end.isoformat(),
        "interest_due": yuan_from_fen(one.due_fen),
        "interest_paid": yuan_from_fen(one.paid_fen),
    }


def _days(fen_days: int) -> str:
    return scaled_text(fen_days, decimals=FEN_OF_PRODUCT, keep=FEN_OF_PRODUCT)


def _product(work: DeductionWorking) -> dict[str, Any]:
    """Days of unchanged balance, and those that earn nothing and why."""
    segments = [
        {
            "from": part.starts_on.isoformat(),
            "to": part.ends_on.isoformat(),
            "balance": yuan_from_fen(part.balance_fen),
            "base": yuan_from_fen(part.base_fen),
            "days": part.days,
            "product": _days(part.product),
            "why_none": list(part.stops),
        }
        for part in work.segments
    ]
    gaps = [
        {
            "from": gap.starts_on.isoformat(),
            "to": gap.ends_on.isoformat(),
            "days": 0,
            "product": _days(0),
            "why_none": [gap.why],
        }
        for gap in work.gaps
    ]
    gap_sources = [gap.sources for gap in work.gaps]
    sources = (work.sources["days"], work.sources["base"], work.sources["stops"], *gap_sources)
    title = "积数 = Σ 基数 × 天数 / product = Σ base × days"
    return _step("product", title, _days(work.product), [*segments, *gaps], *sources)


def _whole(work: DeductionWorking) -> dict[str, Any]:
    """Each tier's subsidy of the whole period, exact: numerator ÷ denominator, in fen."""
    lines = [
        {
            "tier": tier.tier,
            "rates": [
                {"rate_percent": _rate(work, part.rate), "product": _days(part.product)}
                for part in tier.rates
            ],
            "fen_exact": f"{tier.whole.numerator}/{tier.whole.denominator}",
            "is_off": tier.is_off,
        }
        for tier in work.tiers
    ]
    rates = [part.sources for tier in work.tiers for part in tier.rates]
    total = sum((tier.whole for tier in work.tiers), Fraction(0))
    title = f"全期贴息 = {METHODS[work.method]}"
    exact = Fraction(total.numerator, total.denominator * FEN_PER_YUAN)
    return _step("whole_period", title, str(exact), lines, work.sources["whole"], *rates)


def _rate(work: DeductionWorking, rate: int) -> str:
    if work.method == "percent_of_interest":
        return percent_from_ppm(rate)
    return scaled_text(rate, decimals=RATE_DECIMALS, keep=2)


def _earned(work: DeductionWorking) -> dict[str, Any]:
    """Earned to date by what of the interest is paid, less what was earned before (D7, D8)."""
    lines = [
        {
            "tier": tier.tier,
            "interest_due": yuan_from_fen(work.collection.due_fen),
            "interest_paid_to_date": yuan_from_fen(work.paid_fen),
            "earned_to_date": yuan_from_fen(tier.earned_fen),
            "earned_before": yuan_from_fen(tier.before_fen),
            "raw": yuan_from_fen(tier.raw_fen),
        }
        for tier in work.tiers
    ]
    title = (
        "应得 = 全期 × 实收 ÷ 应收，四舍五入到分，减此前应得"
        " / earned = whole × paid ÷ due, half-up, less earned before"
    )
    sources = (work.sources["paid"], work.sources["rounding"])
    return _step("earned", title, yuan_from_fen(work.raw_fen), lines, *sources)


def _limits(work: DeductionWorking) -> dict[str, Any]:
    """Ceilings, caps and duplicate rules in their order, or what a lower interest takes back."""
    lines = [*_duplicate(work), *map(_cap, work.caps), *_taken_back(work)]
    steps = [] if work.duplicate is None else [work.duplicate.sources]
    sources = (work.sources["order"], *steps, *(cap.sources for cap in work.caps))
    title = "限额：剩余 = 限额 − 已用，取小 / limits: room = limit − used, the lesser of both"
    left = yuan_from_fen(work.granted_fen)
    return _step("limits", title, left, lines, *sources)


def _duplicate(work: DeductionWorking) -> Iterator[dict[str, Any]]:
    step = work.duplicate
    if step is not None:
        yield {
            "rule": step.rule,
            "own": yuan_from_fen(step.own_fen),
            "others": yuan_from_fen(step.others_fen),
            "target": yuan_from_fen(step.target_fen),
            "granted_before": yuan_from_fen(step.granted_before_fen),
            "before": yuan_from_fen(step.before_fen),
            "after": yuan_from_fen(step.after_fen),
        }


def _cap(cap: CapStep) -> dict[str, Any]:
    return {
        "rule": cap.reason,
        "limit": yuan_from_fen(cap.limit_fen),
        "used": yuan_from_fen(cap.used_fen),
        "room": yuan_from_fen(cap.room_fen),
        "before": yuan_from_fen(cap.before_fen),
        "after": yuan_from_fen(cap.after_fen),
    }


def _taken_back(work: DeductionWorking) -> Iterator[dict[str, Any]]:
    for back in work.taken_back:
        yield {
            "rule": "taken_back",
            "tier": back.tier,
            "granted": yuan_from_fen(back.granted_fen),
            "lowered": yuan_from_fen(back.lowered_fen),
            "earned_before": yuan_from_fen(back.earned_before_fen),
            "change": yuan_from_fen(back.change_fen),
        }


def _granted(work: DeductionWorking) -> dict[str, Any]:
    """What each tier pays; a cut is shared in proportion, the rest to the highest tier (D11)."""
    lines = [
        {
            "tier": tier.tier,
            "raw": yuan_from_fen(tier.raw_fen),
            "granted": yuan_from_fen(tier.granted_fen),
        }
        for tier in work.tiers
    ]
    cuts = ", ".join(work.cut_reasons)
    title = f"贴息，核减 {yuan_from_fen(work.cut_fen)} 元 / subsidy, {yuan_from_fen(work.cut_fen)} yuan cut"
    told = f"{title} ({cuts})" if cuts else title
    return _step("granted", told, yuan_from_fen(work.granted_fen), lines, work.sources["split"])


def _posted(work: DeductionWorking) -> dict[str, Any]:
    """The original and its differences."""
    lines = [
        {
            "sequence": line.sequence,
            "posted_on": line.posted_on.isoformat(),
            "run": line.run_id,
            "version": line.version,
            "central": yuan_from_fen(line.change_fen[0]),
            "provincial": yuan_from_fen(line.change_fen[1]),
            "municipal": yuan_from_fen(line.change_fen[2]),
            "why": line.why,
        }
        for line in work.postings
    ]
    title = "入账：0 为原始，其后为差额 / posted: 0 is the original, then differences"
    return _step("posted", title, yuan_from_fen(work.posted_fen), lines, work.sources["difference"])
