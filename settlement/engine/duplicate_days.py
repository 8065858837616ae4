"""P7: subsidies posted for days on which nothing was to be subsidised, seen from the facts alone (D5, D6)."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import polars as pl

from settlement.engine import duplicates, exact, timeline
from settlement.engine.duplicate_facts import Known
from settlement.engine.duplicates import VIOLATION, WARNING, Claim, Match, PaidOf, Price, article
from settlement.engine.terms_model import Terms

SLICE_NOTES = 50_000
ACTUAL = ("", "actual_360", "actual_365")


def stopped_days(known: Known) -> Iterator[Match]:
    """P7: the posted product of a period above what balance and status allow of it.

    At stake is the part of each collection that the product is too large by.
    """
    codes = [terms.code for terms in known.terms if terms.day_count in ACTUAL]
    posted = known.products.filter(pl.col("scheme_code").is_in(codes) & (pl.col("product") > 0))
    concerned = posted.select(pl.col("note_id").unique().sort())
    for part in concerned.iter_slices(SLICE_NOTES):  # day by day they need much room
        yield from _stopped(known, posted.join(part, on="note_id", how="semi"))


def _stopped(known: Known, posted: pl.DataFrame) -> Iterator[Match]:
    over = _too_large(known, posted)
    for (note, code), group in over.group_by(["note_id", "scheme_code"], maintain_order=True):
        terms = known.schemes[str(code)]
        periods = [
            {
                "period_start": str(start),
                "period_end": str(end),
                "product": product,
                "allowed": allowed,
            }
            for start, end, product, allowed in group.select(
                "period_start", "period_end", "product", "allowed"
            ).iter_rows()
        ]
        parts = {
            (row[0], row[1]): (row[2] - row[3], row[2])
            for row in group.select("period_start", "period_end", "product", "allowed").iter_rows()
        }
        yield Match(
            rule="P7",
            key=(known.name(int(str(note))), terms.code),
            severity=VIOLATION,
            article=duplicates.listed(terms, duplicates.MISUSE),
            notes=(int(str(note)),),
            yields=(int(str(note)),),
            scheme_code=terms.code,
            evidence={"matched_by": "product", "periods": periods},
            costs=duplicates.share_of_periods(int(str(note)), terms.code, parts),
        )


def _too_large(known: Known, products: pl.DataFrame) -> pl.DataFrame:
    """Posted periods with a product above `allowed`: D5's base × days not stopped."""
    eligible = known.enrolments.select("note_id", "scheme_code", "eligible_fen")
    held = products.join(eligible, on=["note_id", "scheme_code"])
    concerned = known.notes.filter(pl.col("note_id").is_in(held["note_id"].unique().to_list()))
    notes = (
        concerned.sort("note_id").with_row_index("note").with_columns(pl.col("note").cast(pl.Int64))
    )
    number = notes.select("note_id", "note")
    line = timeline.build(
        notes.select("note", "principal_fen"),
        known.repayments.join(number, on="note_id"),
        known.stops.join(number, on="note_id"),
    )
    windows = (
        held.join(notes.select("note_id", "note", "principal_fen", "drawn_on"), on="note_id")
        .with_columns(
            start_day=timeline.dayno("period_start").clip(lower_bound=timeline.dayno("drawn_on")),
            end_day=timeline.dayno("period_end"),
        )
        .filter(pl.col("start_day") < pl.col("end_day"))
    )
    if windows.is_empty():
        return windows.with_columns(allowed=pl.lit(0))
    cut = timeline.segments(windows, line).filter(~pl.col("stopped"))
    of = windows.select("eligible_fen", "principal_fen")[cut["window"]]
    base = exact.half_up(
        exact.wide("balance_fen") * exact.wide("eligible_fen"), exact.wide("principal_fen")
    ).cast(exact.WIDE)
    days = (pl.col("until_day") - pl.col("from_day")).cast(exact.WIDE)
    allowed = (
        pl.concat([cut, of], how="horizontal")
        .group_by("window")
        .agg(allowed=(base * days).sum().cast(pl.Int64, strict=True))
    )
    return (
        windows.with_row_index("window")
        .with_columns(pl.col("window").cast(pl.Int64))
        .join(allowed, on="window", how="left")
        .with_columns(pl.col("allowed").fill_null(0))
        .filter(pl.col("product") > pl.col("allowed"))
        .sort("note_id", "scheme_code", "period_start", "period_end")
    )


def lost_titles(known: Known) -> Iterator[Match]:
    """P7: days after the title that alone opened a scheme had run out (MF-02: within its validity).

    D13 tests the title on the drawdown day, so this is for a person to judge.
    """
    for terms in known.terms:
        if not terms.titles:
            continue
        last = (
            known.titles.filter(pl.col("title").is_in(terms.titles))
            .group_by("enterprise_id")
            .agg(pl.col("valid_to").max())
        )
        opened = (
            known.enrolments.filter(pl.col("scheme_code") == terms.code)
            .join(known.notes.select("note_id", "enterprise_id"), on="note_id")
            .join(known.industries, on="note_id")
            .filter(_by_title_alone(terms))
            .join(last, on="enterprise_id")
            .filter(pl.col("valid_to") < pl.col("subsidised_until"))
            .sort("note_id")
        )
        for note, valid_to in opened.select("note_id", "valid_to").iter_rows():
            yield Match(
                rule="P7",
                key=(known.name(note), terms.code, "title"),
                severity=WARNING,
                article=article(terms, "eligible.titles"),
                notes=(note,),
                yields=(note,),
                scheme_code=terms.code,
                evidence={"matched_by": "title", "title_valid_to": str(valid_to)},
                costs=_after(note, terms.code, valid_to),
                needs_money=True,
            )


def _by_title_alone(terms: Terms) -> pl.Expr:
    """Whether the borrower's industry would not have opened the scheme."""
    if terms.industry is None:
        return pl.lit(True)
    section, first, last = terms.industry
    division = pl.col("industry_code").str.extract(rf"^{section}([0-9][0-9])", 1).cast(pl.Int64)
    return ~division.is_between(first, last).fill_null(value=False)


def _after(note: int, scheme_code: str, day: datetime.date) -> Price:
    """What a note was paid under a scheme for periods that begin after a day."""

    def costs(paid: PaidOf) -> Iterator[Claim]:
        rows = [r for r in paid.get(note, ()) if r.scheme_code == scheme_code and r.starts_on > day]
        yield from duplicates.whole([note])({note: rows})

    return costs
