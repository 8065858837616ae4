"""How a deduction came about: the engine's own working, put in the order a person redoes it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from fractions import Fraction

import polars as pl

from loans.selectors import facts
from settlement.engine import TIERS, Terms
from settlement.engine.codes import LAST_DAY, PPM_ONE, cut_reasons
from settlement.engine.rates import denominator
from settlement.engine.terms_model import AmountCap
from settlement.services.explained import (
    CapStep,
    Collection,
    DeductionWorking,
    DuplicateStep,
    Gap,
    ProRata,
    RatedProduct,
    SchemeText,
    Segment,
    Source,
    Sources,
    TakenBack,
    TierWorking,
    cite,
)
from settlement.services.explained_labels import lpr_of
from settlement.services.explained_work import Key, Row, Working, granted, raws, taken_back

DUPLICATE_RULES = ("net_off", "higher_of")


def explain_collection(
    work: Working, one: Collection, scheme: SchemeText, enrolment: Row | None
) -> DeductionWorking:
    """One collection under one scheme; without a row of the engine its product is zero."""
    key = (one.collection_id, scheme.code)
    terms = work.terms[scheme.code]
    row = work.rows.get(key)
    payments = _payments(work, one)
    paid = sum(payment.paid_fen for payment in payments)
    return DeductionWorking(
        collection=one,
        scheme=scheme,
        is_eligible=enrolment is not None,
        currency=work.note.currency,
        method=terms.method,
        day_count=terms.day_count,
        basis=terms.basis,
        eligible_fen=enrolment["eligible_fen"] if enrolment else 0,
        principal_fen=work.note.principal_fen,
        rate_ppm=work.note.rate_ppm,
        lpr=lpr_of(work.note, terms),
        above_lpr_ppm=terms.above_lpr_ppm,
        segments=tuple(_segments(work, key)),
        gaps=tuple(_gaps(work, one, terms, enrolment)) if enrolment else (),
        days=row["days"] if row else 0,
        product=row["product"] if row else 0,
        full_product=row["full_product"] if row else None,
        payments=payments,
        paid_so_far_fen=paid,
        paid_fen=min(max(paid, 0), one.due_fen),
        tiers=_tiers(work, key, terms, enrolment, row) if row and enrolment else (),
        raw_fen=row["raw_fen"] if row else 0,
        duplicate=_duplicate(work, key, terms) if row else None,
        caps=tuple(_caps(work, key, terms, row)) if row else (),
        pro_rata=_pro_rata(work, key, terms, row) if row else None,
        taken_back=tuple(_taken_back(work, key, terms, row)) if row else (),
        granted_fen=sum(granted(row)) if row else 0,
        cut_reasons=tuple(cut_reasons(row["cut_reasons"])) if row else (),
        postings=tuple(work.postings.get(key, ())),
        difference=work.differences.get(key),
        blocked_by=(
            work.blocks.get(scheme.code, ()) if max(work.differences.get(key, (0,))) > 0 else ()
        ),
        sources=_sources(work, key, terms),
    )


def _sources(work: Working, key: Key, terms: Terms) -> dict[str, Sources]:
    """The sources of each step, by its name; priority where schemes share the collection."""
    shared = any((key[0], code) in work.rows for code in work.terms if code != key[1])
    return {
        "days": cite(terms, "D2"),
        "base": cite(terms, "eligible.base", "D5"),
        "stops": cite(terms, "D6"),
        "whole": cite(terms, "rate.method", "rate.day_count"),
        "above_lpr": cite(terms, "rate.above_lpr"),
        "paid": cite(terms, "D7"),
        "rounding": cite(terms, "D8"),
        "order": cite(terms, "D9", "D12", *(["priority"] if shared else [])),
        "principal_cap": cite(
            terms, *(cap.limit_fen.blocks[0].key for cap in terms.principal_caps)
        ),
        "split": cite(terms, "D11"),
        "difference": cite(terms, "D20"),
    }


def _payments(work: Working, one: Collection) -> tuple[Collection, ...]:
    place = work.collections.index(one)
    period = (one.period_start, one.period_end)
    return tuple(
        c for c in work.collections[: place + 1] if (c.period_start, c.period_end) == period
    )


def _segments(work: Working, key: Key) -> Iterator[Segment]:
    stops = work.evidence.facts.stops.filter(pl.col("note_id") == work.note.note_id)
    known = [
        (stop["status"], stop["starts_on"], stop["ends_on"] or LAST_DAY)
        for stop in stops.sort("starts_on").iter_rows(named=True)
    ]
    for row in work.segments[key]:
        start, end = row["starts_on"], row["ends_on"]
        held = (status for status, first, last in known if first < end and start < last)
        yield Segment(
            starts_on=start,
            ends_on=end,
            balance_fen=row["balance_fen"],
            base_fen=row["base_fen"],
            days=row["days"],
            product=row["product"],
            stops=tuple(dict.fromkeys(held)) if row["stopped"] else (),
        )


def _gaps(work: Working, one: Collection, terms: Terms, enrolment: Row) -> Iterator[Gap]:
    start, end = one.period_start, one.period_end
    first, last = enrolment["subsidised_from"], enrolment["subsidised_until"]
    if start < first and first == work.note.drawn_on:
        yield Gap(start, min(first, end), "before_drawdown", cite(terms, "D6"))
    elif start < first:
        yield Gap(start, min(first, end), "before_accrual", cite(terms, "window.accrued"))
    opened = _paid_through(work, terms)
    if opened is not None and max(start, first) < min(opened, end, last):
        yield Gap(max(start, first), min(opened, end, last), "already_paid", ())
    if last < end and last == max(terms.accrued.ends_on, first):
        yield Gap(max(last, start), end, "after_accrual", cite(terms, "window.accrued"))
    elif last < end and _is_rejected(work, terms, last):
        yield Gap(max(last, start), end, "rejected", ())
    elif last < end:
        yield Gap(max(last, start), end, "after_term", cite(terms, "window.term", "D3"))


def _is_rejected(work: Working, terms: Terms, last: date) -> bool:
    """Does a rejection by finance, not the term, end the subsidised days?"""
    found = facts.rejections(note_id=work.note.note_id)
    own = found.filter(pl.col("scheme_code") == terms.code)["rejected_from"].to_list()
    return any(day <= last for day in own)


def _paid_through(work: Working, terms: Terms) -> date | None:
    opened = work.evidence.facts.opening.filter(
        (pl.col("note_id") == work.note.note_id) & (pl.col("scheme_code") == terms.code)
    )
    found: date | None = opened["paid_through"].max()  # type: ignore[assignment]
    return found


def _tiers(
    work: Working, key: Key, terms: Terms, enrolment: Row, row: Row
) -> tuple[TierWorking, ...]:
    off = enrolment["tiers_off"].split(";")
    return tuple(_tier(work, key, terms, row, tier, is_off=tier in off) for tier in terms.tiers)


def _tier(
    work: Working, key: Key, terms: Terms, row: Row, tier: str, *, is_off: bool
) -> TierWorking:
    numerator = int(row[f"numerator_{tier}"])
    percent = terms.method == "percent_of_interest"
    divisor = row["full_product"] * PPM_ONE if percent else denominator(terms)
    whole = Fraction(numerator * (row["interest_due_fen"] if percent else 1), divisor)
    before, raw = row[f"before_{tier}_fen"], row[f"raw_{tier}_fen"]
    return TierWorking(
        tier=tier,
        rates=tuple(_rated(work, key, terms, tier)),
        numerator=numerator,
        denominator=divisor,
        whole=whole,
        earned_fen=before + raw,
        before_fen=before,
        raw_fen=raw,
        granted_fen=row[f"{tier}_fen"],
        is_off=is_off,
    )


def _rated(work: Working, key: Key, terms: Terms, tier: str) -> Iterator[RatedProduct]:
    """The product by rate of one tier, in order of days."""
    dated = terms.rate_of(tier)
    assert dated is not None
    sums: dict[tuple[int, str], int] = defaultdict(int)
    for segment in work.segments[key]:
        if segment["product"]:
            day = work.note.drawn_on if dated.by == "drawdown" else segment["starts_on"]
            sums[segment[f"rate_{tier}"], dated.on(day).key] += segment["product"]
    for (rate, source), product in sums.items():
        keys = dict.fromkeys((source, f"rate.tiers.{tier}"))
        yield RatedProduct(rate, product, cite(terms, *keys))


def _duplicate(work: Working, key: Key, terms: Terms) -> DuplicateStep | None:
    steps = [step for step in work.steps[key] if step["step"] in DUPLICATE_RULES]
    if not steps:
        return None
    step = steps[0]
    own, others = step["limit_fen"], step["used_fen"]
    target = max(own - others, 0)
    if step["step"] == "higher_of":
        target = own if own > others else 0
    return DuplicateStep(
        rule=step["step"],
        own_fen=own,
        others_fen=others,
        target_fen=target,
        granted_before_fen=_offered_before(work, key),
        before_fen=step["before_fen"],
        after_fen=step["after_fen"],
        sources=cite(terms, "duplicate_rule"),
    )


def _offered_before(work: Working, key: Key) -> int:
    """What the duplicate rule let through earlier for the same note, scheme and year."""
    own = work.rows[key]
    total = 0
    for other, row in work.rows.items():
        if other == key:
            break
        same = (row["note_id"], row["scheme_code"]) == (own["note_id"], own["scheme_code"])
        if same and row["collected_on"].year == own["collected_on"].year:
            lowered = min(raws(row)) < 0
            total += sum(work.walked[other]) if lowered else work.steps[other][0]["after_fen"]
    return total


def _caps(work: Working, key: Key, terms: Terms, row: Row) -> Iterator[CapStep]:
    for step in work.steps[key]:
        if step["step"] in DUPLICATE_RULES:
            continue
        ceiling = step["step"] == "interest_ceiling"
        parts = _ceiling_parts(work, row) if ceiling else _cap_parts(work, terms, row, step["step"])
        known = sum(amount for _name, amount in parts)
        keys = [step["key"], "D10"] if ceiling else [step["key"]]
        yield CapStep(
            reason=step["step"],
            limit_fen=step["limit_fen"],
            used_fen=step["used_fen"],
            before_fen=step["before_fen"],
            after_fen=step["after_fen"],
            used_parts=(("granted", step["used_fen"] - known), *parts),
            sources=_once(cite(terms, *keys)),
        )


def _once(sources: Iterable[Source]) -> Sources:
    """A value assumed for a decision already says so; the decision's own line would repeat it."""
    found = tuple(sources)
    if len(found) > 1 and found[0].assumed_because.startswith(found[1].key):
        return found[:1]
    return found


def _ceiling_parts(work: Working, row: Row) -> list[tuple[str, int]]:
    opened = _opened(work, [row["note_id"]], None, row["collected_on"].year, span="year")
    return [("outside", row["outside_fen"] - opened), ("opening", opened)]


def _cap_parts(work: Working, terms: Terms, row: Row, reason: str) -> list[tuple[str, int]]:
    cap = next(cap for cap in terms.amount_caps if cap.reason == reason)
    year = row["collected_on"].year
    parts = [("opening", _opened(work, _members(work, cap, row), terms.code, year, span=cap.span))]
    if cap.joint:
        leased = work.evidence.facts.leasing.filter(
            (pl.col("enterprise_id") == row["enterprise_id"]) & (pl.col("year") == year)
        )
        parts.append(("leasing", int(leased["amount_fen"].sum())))
    return parts


def _members(work: Working, cap: AmountCap, row: Row) -> list[int]:
    """The notes that share a cap with a row's."""
    column = f"{cap.per}_id"
    notes = work.evidence.facts.notes
    found: list[int] = notes.filter(pl.col(column) == row[column])["note_id"].to_list()
    return found


def _opened(work: Working, note_ids: list[int], scheme: str | None, year: int, *, span: str) -> int:
    opening = work.evidence.facts.opening.filter(pl.col("note_id").is_in(note_ids))
    if scheme is not None:
        opening = opening.filter(pl.col("scheme_code") == scheme)
    within = pl.col("year") == year if span == "year" else pl.col("year") <= year
    return int(opening.filter(within)["amount_fen"].sum())


def _pro_rata(work: Working, key: Key, terms: Terms, row: Row) -> ProRata | None:
    year = row["collected_on"].year
    fund = work.evidence.facts.funds.filter(
        (pl.col("scheme_code") == terms.code) & (pl.col("year") == year)
    )
    if terms.fund_method != "pro_rata" or fund.is_empty():
        return None
    whole = sum(
        sum(tiers)
        for other, tiers in work.walked.items()
        if other[1] == terms.code and work.rows[other]["collected_on"].year == year
    )
    return ProRata(
        year=year,
        fund_fen=fund["amount_fen"].item(),
        all_fen=whole,
        before_fen=sum(work.walked[key]),
        after_fen=sum(granted(row)),
        sources=cite(terms, "fund_method"),
    )


def _taken_back(work: Working, key: Key, terms: Terms, row: Row) -> Iterator[TakenBack]:
    if min(raws(row)) < 0:
        for tier, so_far in zip(TIERS, work.granted_so_far[key], strict=True):
            if tier in terms.tiers:
                yield taken_back(row, tier, so_far)
