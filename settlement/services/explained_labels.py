"""Why a label was judged as it was: each refusal with demand and fact, amounts with their caps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from loans.selectors import facts
from loans.selectors.notes import NoteCard, participations_above, titles_of
from settlement.engine import Terms, exact
from settlement.engine.codes import ELIGIBLE, LAST_DAY, WAITING_REASON
from settlement.engine.commitment import commitment_fen, divisor
from settlement.engine.eligibility import LPR_TENOR_MONTHS
from settlement.engine.months import add_months, months_and_odd_days
from settlement.engine.rates import annual, cells
from settlement.engine.terms_model import PrincipalCap, Window
from settlement.selectors.working import committed_before
from settlement.services.explained import (
    Commitment,
    CommitmentPart,
    EligibleAmount,
    LabelWorking,
    Lpr,
    PrincipalCapStep,
    Records,
    Refusal,
    SchemeText,
    TierOff,
    cite,
)

UNJUDGED = "unjudged"


@dataclass(frozen=True)
class Judged:
    """What the explanation of a label reads.

    `attributes` are the note's and borrower's on the drawdown day, `others` the eligible or
    fund-exhausted labels of the note's group of enterprises in D4's order, `groups` the exclusive
    group of each scheme. `scope` is the reader's range of institutions.
    """

    note: NoteCard
    terms: Terms
    row: dict[str, Any]
    attributes: dict[str, Any]
    others: list[dict[str, Any]]
    overdue: list[dict[str, Any]]
    groups: dict[str, str]
    funds: dict[tuple[str, int], int]
    scope: tuple[int, int]

    @property
    def reasons(self) -> list[str]:
        """The stored reasons, in order of precedence."""
        return [reason for reason in self.row["reasons"].split(";") if reason]

    def earlier(self) -> Iterator[dict[str, Any]]:
        """Eligible labels of this scheme on notes drawn earlier (D4)."""
        own = d4_key(self.attributes)
        for other in self.others:
            same = other["scheme_code"] == self.terms.code and other["status"] == ELIGIBLE
            if same and d4_key(other) < own:
                yield other

    def sees(self, other: dict[str, Any]) -> bool:
        """Whether another note is in the reader's scope."""
        low, high = self.scope
        return bool(low <= other["institution_id"] <= high)


Made = tuple[Records, Records, tuple[str, ...]]


def d4_key(row: dict[str, Any]) -> tuple[date, str, str]:
    """A note's place in the order in which caps and funds are given out (D4)."""
    return row["drawn_on"], row["institution_code"], row["note_number"]


def _window(window: Window, day: date, key: str) -> Made:
    return ((window.starts_on, window.ends_on),), ((day,),), (key,)


def _among(allowed: tuple[str, ...], found: str, key: str) -> Made:
    return tuple((one,) for one in allowed), ((found,),), (key,)


def _participation(one: Judged) -> Made:
    note = one.note
    known = participations_above(institution_id=note.origin_id, scheme_code=one.terms.code)
    listed = tuple((p.institution_code, p.valid_from, p.valid_to) for p in known)
    return listed, ((note.institution_code, note.drawn_on),), ()


def _industry(one: Judged) -> Made:
    held = titles_of(enterprise_id=one.note.enterprise_id)
    wanted = (one.terms.industry or (), one.terms.titles)
    found = ((one.attributes["industry_code"],), *held)
    return wanted, found, ("eligible.industry", "eligible.titles")


def _overdue(one: Judged) -> Made:
    found = tuple(
        (*_named(one, stop), stop["starts_on"], stop["ends_on"])
        for stop in one.overdue
        if stop["starts_on"] <= one.note.drawn_on
        and (stop["ends_on"] is None or one.note.drawn_on < stop["ends_on"])
    )
    return ((one.note.drawn_on,),), found, ("eligible.refuse_overdue",)


def _rate(one: Judged) -> Made:
    wanted = ((one.row["lpr_ppm"], one.terms.rate_ceiling_ppm),)
    return wanted, ((one.note.rate_ppm,),), ("eligible.rate_above_lpr", "D15")


def _exclusive(one: Judged) -> Made:
    found = tuple(
        (other["scheme_code"],)
        for other in one.others
        if other["note_id"] == one.note.note_id
        and other["status"] == ELIGIBLE
        and one.groups.get(other["scheme_code"]) == one.terms.exclusive_group
    )
    return ((one.terms.exclusive_group,),), found, ("exclusive_group", "D14")


def _one_bank(one: Judged) -> Made:
    year = one.note.drawn_on.year
    first = next(
        (
            other
            for other in one.others
            if other["scheme_code"] == one.terms.code
            and other["enterprise_id"] == one.note.enterprise_id
            and other["drawn_on"].year == year
        ),
        None,
    )
    found = () if first is None else ((*_named(one, first), first["drawn_on"]),)
    return ((year,),), found, ("eligible.one_bank",)


def _named(one: Judged, other: dict[str, Any]) -> tuple[str, str]:
    """Institution and number of another note, if the reader may know them."""
    return (other["institution_code"], other["note_number"]) if one.sees(other) else ("", "")


def _fund(one: Judged) -> Made:
    work = commitment(one, _amount(one).eligible_fen)
    assert work is not None
    found = ((work.commitment_fen,),)
    return ((work.year, work.fund_fen, work.used_fen),), found, ("fund_method", "D16")


def _lpr_missing(one: Judged) -> Made:
    key = "eligible.rate_above_lpr" if one.terms.rate_ceiling_ppm is not None else "rate.above_lpr"
    return ((one.note.drawn_on,),), (), (key, "D15")


REFUSALS: dict[str, Callable[[Judged], Made]] = {
    # covering participations (institution, first day, last day or None) | institution, drawdown
    "institution_not_participating": _participation,
    # first day, day after the last | day
    "drawn_outside_window": lambda j: _window(j.terms.drawn, j.note.drawn_on, "window.drawn"),
    "signed_outside_window": lambda j: _window(j.terms.signed, j.note.signed_on, "window.signed"),
    # prefix of region codes | region code
    "region": lambda j: (
        ((j.terms.region_prefix,),),
        ((j.attributes["region_code"],),),
        ("eligible.region_prefix",),
    ),
    # (section, first and last division), titles | industry code, then (title, first, last day) …
    "industry_or_title": _industry,
    # each allowed value | the value
    "not_private": lambda j: _among(
        j.terms.ownership, j.attributes["ownership"], "eligible.ownership"
    ),
    "not_small_or_medium": lambda j: _among(j.terms.sizes, j.attributes["size"], "eligible.sizes"),
    "loan_type": lambda j: _among(j.terms.loan_types, j.note.loan_type, "eligible.loan_types"),
    "purpose_field": lambda j: _among(
        j.terms.purpose_fields, j.note.purpose_field, "eligible.purpose_fields"
    ),
    # nothing | equipment amount in fen
    "no_equipment_amount": lambda j: ((), ((j.note.equipment_fen,),), ("eligible.base",)),
    "dishonest": lambda _: ((), (), ("eligible.refuse_dishonest",)),
    # each refused value | the value
    "environment_rating": lambda j: _among(
        j.terms.refused_environment,
        j.attributes["environment_rating"],
        "eligible.refused_environment",
    ),
    "tax_rating": lambda j: _among(
        j.terms.refused_tax, j.attributes["tax_rating"], "eligible.refused_tax"
    ),
    # drawdown day | (institution, note, first day, day after the last or None) …
    "overdue": _overdue,
    # LPR and points above it, both in parts per million | the note's rate
    "rate_above_ceiling": _rate,
    # group | scheme found eligible before
    "exclusive_group": _exclusive,
    # year | institution, note and drawdown of the first note
    "one_bank_per_enterprise": _one_bank,
    # year, fund, committed by earlier notes | this note's commitment
    "fund_exhausted": _fund,
    # drawdown day | nothing
    WAITING_REASON: _lpr_missing,
}


def explain_label(one: Judged, scheme: SchemeText) -> LabelWorking:
    """Everything that decided one label, from its stored judgement."""
    reasons = one.reasons
    counted = one.row["status"] == ELIGIBLE or reasons == ["fund_exhausted"]
    amount = _amount(one) if counted else None
    keys = ["window.term", "D3"] if one.terms.term_months else []
    keys += ["window.accrued"] if one.terms.accrued != Window() else []
    return LabelWorking(
        scheme=scheme,
        position=one.row["position"],
        status=one.row["status"],
        refusals=tuple(_refusal(one, reason) for reason in reasons),
        eligible=amount,
        commitment=commitment(one, amount.eligible_fen) if amount else None,
        subsidised_from=one.row["subsidised_from"],
        subsidised_until=one.row["subsidised_until"],
        term_months=one.terms.term_months,
        window_sources=cite(one.terms, *keys),
        tiers_off=tuple(_tiers_off(one)),
        lpr=lpr_of(one.note, one.terms),
    )


def _refusal(one: Judged, reason: str) -> Refusal:
    wanted, found, keys = REFUSALS[reason](one)
    return Refusal(reason, wanted, found, cite(one.terms, *keys))


def _amount(one: Judged) -> EligibleAmount:
    base = one.note.equipment_fen if one.terms.base == "equipment" else one.note.principal_fen
    converted = exact.half_up_int(base * one.note.exchange_rate_e8, 10**8)
    caps: list[PrincipalCapStep] = []
    left = converted
    for cap in one.terms.principal_caps:
        if _applies(cap, one.attributes):
            caps.append(_cap_step(cap, one, left))
            left = caps[-1].after_fen
    return EligibleAmount(
        base=one.terms.base,
        amount_fen=base,
        currency=one.note.currency,
        exchange_rate_e8=one.note.exchange_rate_e8,
        converted_fen=converted,
        caps=tuple(caps),
        eligible_fen=left,
        sources=cite(one.terms, "eligible.base", *(["D18"] if one.note.currency != "CNY" else [])),
    )


def _applies(cap: PrincipalCap, note: dict[str, Any]) -> bool:
    pooled = not cap.loan_types or note["loan_type"] in cap.loan_types
    return pooled and (cap.per != "project" or bool(note["project_id"]))


def _cap_step(cap: PrincipalCap, one: Judged, before: int) -> PrincipalCapStep:
    entity = f"{cap.per}_id"
    used = sum(
        other["eligible_fen"]
        for other in one.earlier()
        if _applies(cap, other)
        and other[entity] == one.attributes[entity]
        and (cap.span == "life" or other["drawn_on"].year == one.note.drawn_on.year)
    )
    block = cap.limit_fen.on(one.note.drawn_on)
    return PrincipalCapStep(
        per=cap.per,
        span=cap.span,
        loan_types=cap.loan_types,
        limit_fen=block.amount,
        used_fen=used,
        before_fen=before,
        after_fen=min(before, max(block.amount - used, 0)),
        sources=cite(one.terms, block.key, "D4"),
    )


def commitment(one: Judged, eligible_fen: int) -> Commitment | None:
    """What the note is expected to draw from its year's fund, and whether that fits (D16)."""
    if one.terms.fund_method != "first_come_first_served":
        return None
    parts = _commitment_parts(one)
    factor = sum(part.days * part.rate for part in parts)
    year = one.note.drawn_on.year
    fund = one.funds.get((one.terms.code, year))
    needed = commitment_fen(eligible_fen, factor, divisor(one.terms))
    used = committed_before(
        scheme_code=one.terms.code,
        drawn_on=one.note.drawn_on,
        institution_code=one.note.institution_code,
        note_number=one.note.note_number,
    )
    return Commitment(
        year=year,
        parts=parts,
        eligible_fen=eligible_fen,
        basis=one.terms.basis or 360,
        divisor=divisor(one.terms),
        commitment_fen=needed,
        fund_fen=fund,
        used_fen=used,
        fits=fund is None or fund - used >= needed,
        sources=cite(one.terms, "fund_method", "D16"),
    )


def _commitment_parts(one: Judged) -> tuple[CommitmentPart, ...]:
    """Days from drawdown to the earlier of maturity and term end, cut where the rate changes."""
    note, row = one.note, one.row
    rated = (
        cells(one.terms)
        .with_columns(lpr_ppm=pl.lit(row["lpr_ppm"], dtype=pl.Int64), rate_ppm=note.rate_ppm)
        .with_columns(rate=pl.sum_horizontal(annual(one.terms)))
    )
    parts = []
    for cell in rated.iter_rows(named=True):
        start = max(row["subsidised_from"], cell["accrued_from"])
        end = min(note.matures_on, row["subsidised_until"], cell["accrued_until"])
        if cell["drawn_from"] <= note.drawn_on < cell["drawn_until"] and start < end:
            percent = one.terms.method == "percent_of_interest"
            rate = cell["rate"] * (note.rate_ppm if percent else 1)
            parts.append(CommitmentPart(start, end, _days(one.terms, start, end), rate))
    return tuple(parts)


def _days(terms: Terms, start: date, end: date) -> int:
    if terms.day_count not in ("months", "months_odd_days_360"):
        return (end - start).days
    months, left = months_and_odd_days(pl.lit(start), pl.lit(end))
    whole, odd = pl.select(months=months, left=left).row(0)
    return int(whole) * 30 + (int(odd) if terms.day_count == "months_odd_days_360" else 0)


def _tiers_off(one: Judged) -> Iterator[TierOff]:
    for off in one.terms.tiers_off:
        if off.tier not in one.row["tiers_off"].split(";"):
            continue
        causes = {
            (other["institution_code"], other["note_number"]): one.sees(other)
            for other in one.others
            if other["project_id"] == one.attributes["project_id"]
            and other["status"] == ELIGIBLE
            and one.groups.get(other["scheme_code"]) == off.group
        }
        yield TierOff(
            tier=off.tier,
            group=off.group,
            notes=tuple(sorted(key for key, seen in causes.items() if seen)),
            others=sum(not seen for seen in causes.values()),
            sources=cite(one.terms, off.key),
        )


def lpr_of(note: NoteCard, terms: Terms) -> Lpr | None:
    """The LPR fixing that counts for a note, if the scheme needs one (D15)."""
    if not terms.needs_lpr:
        return None
    limit: date = pl.select(add_months(pl.lit(note.drawn_on), LPR_TENOR_MONTHS)).item()
    longer = note.matures_on > min(limit, LAST_DAY)
    known = facts.lpr().filter(pl.col("published_on") <= note.drawn_on).sort("published_on")
    column = "five_year_ppm" if longer else "one_year_ppm"
    last = known.row(-1, named=True) if known.height else None
    return Lpr(
        tenor_years=5 if longer else 1,
        published_on=last["published_on"] if last else None,
        rate_ppm=last[column] if last else None,
        sources=cite(terms, "D15"),
    )
