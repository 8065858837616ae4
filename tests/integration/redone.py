"""Redo an explanation by hand: integers and fractions only, nothing from the engine."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from fractions import Fraction
from typing import Any

from settlement.services.explained import DeductionWorking, Explanation, Source

TIERS = ("central", "provincial", "municipal")


def half_up(value: Fraction) -> int:
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def redo(explained: Explanation) -> dict[tuple[str, str, str], tuple[Any, ...]]:
    """Recompute every deduction of a note; the result is keyed and shaped like an export's row."""
    running = Running(explained)
    found = {}
    for work in explained.deductions:
        tiers = running.redo(work)
        if work.product:
            raw = {tier.tier: tier.raw_fen for tier in work.tiers}
            raws = [raw.get(tier, 0) for tier in TIERS]
            granted = [tiers.get(tier, 0) for tier in TIERS]
            key = (work.scheme.code, explained.note.institution_code, work.collection.reference)
            found[key] = (
                *(work.days * 100, work.product),
                *raws,
                *granted,
                sum(granted),
                sum(raws) - sum(granted),
                frozenset(work.cut_reasons),
            )
    return found


class Running:
    """Totals that run from one collection to the next."""

    def __init__(self, explained: Explanation) -> None:
        self.labels = {label.scheme.code: label for label in explained.labels}
        self.paid: dict[Any, int] = defaultdict(int)
        self.earned: dict[Any, int] = defaultdict(int)
        self.period: dict[Any, int] = defaultdict(int)
        self.note_year: dict[int, int] = defaultdict(int)
        self.interest: dict[int, int] = defaultdict(int)
        self.seen: set[int] = set()

    def redo(self, work: DeductionWorking) -> dict[str, int]:
        one = work.collection
        year = one.collected_on.year
        if one.collection_id not in self.seen:
            self.seen.add(one.collection_id)
            self.paid[one.period_start, one.period_end] += one.paid_fen
            self.interest[year] += one.paid_fen
        self.tile(work)
        if not work.product:
            assert work.tiers == ()
            return {}
        self.earn(work)
        uncut = self.taken_back(work) if work.taken_back else self.granted(work)
        tiers = self.of_the_fund(work, uncut)
        for tier in work.tiers:
            assert tier.granted_fen == tiers[tier.tier], work
            self.period[self.key(work, tier.tier)] += uncut[tier.tier]
        assert work.granted_fen == sum(tiers.values())
        assert work.cut_fen == work.raw_fen - sum(tiers.values())
        shared = work.pro_rata  # a fund shared in proportion does not feed back into ceilings
        self.note_year[year] += shared.before_fen if shared else sum(tiers.values())
        named = {step.reason for step in work.caps if step.is_cut}
        capped = self.labels[work.scheme.code].eligible
        if capped and capped.eligible_fen < capped.converted_fen:
            named.add("principal_cap")
        others = {"net_off", "higher_of", "fund_pro_rata"}
        assert named == set(work.cut_reasons) - others
        return tiers

    def key(self, work: DeductionWorking, tier: str) -> tuple[Any, ...]:
        return work.collection.period_start, work.collection.period_end, work.scheme.code, tier

    def tile(self, work: DeductionWorking) -> None:
        """Segments and gaps cover the period once; each base, day and product is redone."""
        parts = sorted((p.starts_on, p.ends_on) for p in (*work.segments, *work.gaps))
        day = work.collection.period_start
        for start, end in parts if work.segments else ():
            assert start == day, work
            day = end
        assert not work.segments or day == work.collection.period_end
        label = self.labels[work.scheme.code]
        assert label.eligible is not None
        assert label.eligible.eligible_fen == work.eligible_fen
        for part in work.segments:
            share = Fraction(part.balance_fen * work.eligible_fen, work.principal_fen)
            assert part.base_fen == half_up(share)
            counted = part.base_fen > 0 and not part.stops
            if work.day_count in ("", "actual_360", "actual_365"):
                assert part.days == (
                    counted and (part.ends_on - part.starts_on) // timedelta(days=1)
                )
            assert part.product == part.base_fen * part.days
        assert work.product == sum(part.product for part in work.segments)
        assert work.days == sum(part.days for part in work.segments)

    def earn(self, work: DeductionWorking) -> None:
        one = work.collection
        so_far = self.paid[one.period_start, one.period_end]
        assert so_far == work.paid_so_far_fen == sum(p.paid_fen for p in work.payments)
        assert work.paid_fen == min(max(so_far, 0), one.due_fen)
        for tier in work.tiers:
            assert sum(part.product for part in tier.rates) == work.product
            total = sum(part.product * part.rate for part in tier.rates)
            if work.method == "percent_of_interest":
                assert work.full_product is not None
                whole = Fraction(one.due_fen * total, work.full_product * 10**6)
            else:
                whole = Fraction(total, work.basis * 10**8)
            assert whole == tier.whole
            earned = half_up(whole * work.paid_fen / one.due_fen) if one.due_fen else 0
            key = self.key(work, tier.tier)
            assert (earned, self.earned[key]) == (tier.earned_fen, tier.before_fen)
            assert tier.raw_fen == earned - self.earned[key]
            self.earned[key] = earned
        assert work.raw_fen == sum(tier.raw_fen for tier in work.tiers)

    def taken_back(self, work: DeductionWorking) -> dict[str, int]:
        assert min(tier.raw_fen for tier in work.tiers) < 0
        assert work.caps == ()
        found = {}
        for tier, back in zip(work.tiers, work.taken_back, strict=True):
            assert (tier.tier, -tier.raw_fen, tier.before_fen) == (
                *(back.tier, back.lowered_fen, back.earned_before_fen),
            )
            assert back.granted_fen == self.period[self.key(work, tier.tier)]
            part = Fraction(back.granted_fen * back.lowered_fen, back.earned_before_fen or 1)
            found[tier.tier] = -half_up(part)
        return found

    def granted(self, work: DeductionWorking) -> dict[str, int]:
        left = work.raw_fen
        if work.duplicate is not None:
            step = work.duplicate
            if step.rule == "net_off":
                assert step.target_fen == max(step.own_fen - step.others_fen, 0)
            else:
                assert step.target_fen == (step.own_fen if step.own_fen > step.others_fen else 0)
            assert step.before_fen == left
            left = max(step.target_fen - step.granted_before_fen, 0)
            assert step.after_fen == left
        for cap in work.caps:
            assert cap.used_fen == sum(amount for _, amount in cap.used_parts)
            assert cap.before_fen == left, work
            left = min(left, max(cap.limit_fen - cap.used_fen, 0))
            assert cap.after_fen == left
            if cap.reason == "interest_ceiling":
                year = work.collection.collected_on.year
                assert cap.limit_fen == self.interest[year]
                assert dict(cap.used_parts)["granted"] == self.note_year[year]
        return self.shared({tier.tier: tier.raw_fen for tier in work.tiers}, left)

    def of_the_fund(self, work: DeductionWorking, uncut: dict[str, int]) -> dict[str, int]:
        fund = work.pro_rata
        if fund is None or fund.all_fen <= fund.fund_fen:
            return uncut
        whole = sum(uncut.values())
        assert fund.before_fen == whole
        part = abs(whole) * fund.fund_fen // fund.all_fen
        if whole < 0:
            assert fund.after_fen == -part
            backwards = {tier: -amount for tier, amount in uncut.items()}
            return {tier: -amount for tier, amount in self.shared(backwards, part).items()}
        assert fund.after_fen >= part
        return self.shared(uncut, fund.after_fen)

    def shared(self, raw: dict[str, int], total: int) -> dict[str, int]:
        whole = sum(raw.values())
        if total == whole or not whole:
            return raw
        found = {tier: amount * total // whole for tier, amount in raw.items()}
        highest = next(tier for tier in TIERS if raw.get(tier, 0) > 0)
        found[highest] += total - sum(found.values())
        return found


def redo_labels(explained: Explanation) -> None:
    """Recompute the amounts of every label, and see that each value says where it comes from."""
    for label in explained.labels:
        if label.eligible is not None:
            amount = label.eligible
            base = explained.note.principal_fen
            base = explained.note.equipment_fen if amount.base == "equipment" else base
            rate = Fraction(amount.exchange_rate_e8, 10**8)
            assert amount.converted_fen == half_up(base * rate)
            left = amount.converted_fen
            for cap in amount.caps:
                assert cap.before_fen == left
                left = min(left, max(cap.limit_fen - cap.used_fen, 0))
                assert cap.after_fen == left
                assert all_said(cap.sources)
            assert left == amount.eligible_fen
            assert all_said(amount.sources)
        if label.commitment is not None:
            one = label.commitment
            total = sum(part.days * part.rate for part in one.parts)
            assert one.commitment_fen == half_up(Fraction(one.eligible_fen * total, one.divisor))
            room = None if one.fund_fen is None else one.fund_fen - one.used_fen
            assert one.fits == (room is None or room >= one.commitment_fen)
            assert one.fits == (label.status == "eligible")
        for refusal in label.refusals:
            if refusal.reason != "institution_not_participating":
                assert all_said(refusal.sources), refusal
    for work in explained.deductions:
        for tier in work.tiers:
            assert all(all_said(part.sources) for part in tier.rates)
        assert all(all_said(cap.sources) for cap in work.caps)
        named = (
            "days",
            "base",
            "stops",
            "whole",
            "paid",
            "rounding",
            "order",
            "split",
            "difference",
        )
        assert all(all_said(work.sources[name]) for name in named)


def all_said(sources: tuple[Source, ...]) -> bool:
    return bool(sources) and all(
        source.document and (source.article or source.assumed_because) for source in sources
    )
