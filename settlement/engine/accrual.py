"""What one scheme's enrolments earn over each collection's period, before caps (D2, D5–D8)."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from settlement.engine import exact, months, rates
from settlement.engine.book import Book, changes
from settlement.engine.codes import PPM_ONE, TIERS
from settlement.engine.facts import DeductFacts
from settlement.engine.terms_model import Terms
from settlement.engine.timeline import Timeline, as_date, dayno, segments

RATES = [f"rate_{tier}" for tier in TIERS]
RAWS = [f"raw_{tier}_fen" for tier in TIERS]
BEFORE = [f"before_{tier}_fen" for tier in TIERS]


@dataclass(frozen=True)
class Accrued:
    """Rows with a product above zero, and the segments and windows they were added up from."""

    rows: pl.DataFrame
    segments: pl.DataFrame


def enrolled(terms: Terms, facts: DeductFacts, book: Book) -> pl.DataFrame:
    """The scheme's eligible notes with their window, one row per cell of dated rates.

    `from_day` is not before the note's opening position was paid through.
    """
    opened = (
        facts.opening.filter(pl.col("scheme_code") == terms.code)
        .group_by("note_id")
        .agg(paid_through=pl.col("paid_through").max())
    )
    notes = book.notes.select("note_id", "note", "principal_fen", "rate_ppm", "drawn_on")
    off = [
        pl.when(pl.col("tiers_off").list.contains(tier)).then(0).otherwise(pl.col(f"rate_{tier}"))
        for tier in TIERS
    ]
    return (
        facts.enrolments.filter(pl.col("scheme_code") == terms.code)
        .join(notes, on="note_id")
        .join(opened, on="note_id", how="left")
        .join(rates.cells(terms), how="cross")
        .filter(pl.col("drawn_on").is_between("drawn_from", "drawn_until", closed="left"))
        .with_columns(
            from_day=pl.max_horizontal(
                dayno("subsidised_from"), dayno("accrued_from"), dayno("paid_through")
            ),
            until_day=pl.min_horizontal(dayno("subsidised_until"), dayno("accrued_until")),
        )
        .with_columns(expr.alias(name) for expr, name in zip(off, RATES, strict=True))
        .with_columns(rates.annual(terms))
        .select(
            "note", "eligible_fen", "principal_fen", "principal_capped", "from_day", "until_day",
            *RATES,
        )
    )  # fmt: skip


def _windows(book: Book, notes: pl.DataFrame) -> pl.DataFrame:
    return (
        book.collections.select("row", "note", "start_day", "end_day")
        .join(notes, on="note", how="inner", maintain_order="left")
        .with_columns(
            start_day=pl.max_horizontal("start_day", "from_day"),
            end_day=pl.min_horizontal("end_day", "until_day"),
        )
        .filter(pl.col("start_day") < pl.col("end_day"))
        .drop("from_day", "until_day")
    )


def _counted(day_count: str) -> pl.Expr:
    if day_count in ("", "actual_360", "actual_365"):
        return pl.col("until_day") - pl.col("from_day")
    whole, odd = months.months_and_odd_days(as_date("from_day"), as_date("until_day"))
    return whole * 30 if day_count == "months" else whole * 30 + odd


def _bases(windows: pl.DataFrame, timeline: Timeline, day_count: str) -> pl.DataFrame:
    """Segments of the windows with base and counted days; stopped ones keep zero days."""
    cut = segments(windows, timeline)
    owed = windows.select("row", "eligible_fen", "principal_fen")[cut["window"]]
    based = pl.concat([cut, owed], how="horizontal").with_columns(
        base_fen=exact.half_up(
            exact.wide("balance_fen") * exact.wide("eligible_fen"), exact.wide("principal_fen")
        )
    )
    subsidised = ~pl.col("stopped") & (pl.col("base_fen") > 0)
    return based.with_columns(
        days=pl.when(subsidised).then(_counted(day_count)).otherwise(0)
    ).with_columns(product=pl.col("base_fen") * pl.col("days"))


def _added(windows: pl.DataFrame, bases: pl.DataFrame) -> pl.DataFrame:
    """Days, product and numerators per collection; the rates of a window are constant."""
    sums = bases.group_by("window").agg(pl.col("days", "product").sum()).sort("window")
    rated = windows.select("row", "principal_capped", *RATES)[sums["window"]]
    per_window = pl.concat([sums, rated], how="horizontal").with_columns(
        (exact.wide("product") * exact.wide(rate)).alias(rate) for rate in RATES
    )
    if not per_window["row"].is_duplicated().any():
        return per_window.drop("window")
    return (
        per_window.group_by("row", maintain_order=True)
        .agg(pl.col("days", "product").sum(), pl.col("principal_capped").first(),
             pl.col(RATES).sum())
    )  # fmt: skip


def _full_product(book: Book, notes: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Product of the whole note over every day of the period, the yardstick of its interest."""
    whole = book.notes.select(
        "note",
        "principal_fen",
        eligible_fen=exact.half_up(
            exact.wide("principal_fen") * exact.wide("exchange_rate_e8"), exact.lit(10**8)
        ),
    ).join(notes.select("note").unique(), on="note")
    periods = book.collections.select("row", "note", "start_day", "end_day").join(
        rows.select("row"), on="row"
    )
    windows = periods.join(whole, on="note", maintain_order="left")
    bases = _bases(windows, book.timeline, "").with_columns(
        full=pl.col("base_fen") * (pl.col("until_day") - pl.col("from_day"))
    )
    return bases.group_by("row").agg(pl.col("full").sum())


def _earned(rows: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Earned to date per tier (D7), rounded once on exact numbers (D8)."""
    percent = terms.method == "percent_of_interest"
    yardstick = "full" if percent else "interest_due_fen"
    scale = PPM_ONE if percent else rates.denominator(terms)
    largest = [rows[name].max() for name in (*RATES, "paid_fen", yardstick)]
    assert all(isinstance(number, int) for number in largest)
    *tops, paid, due = (int(str(number)) for number in largest)
    exact.assert_fits(max(tops), paid)
    exact.assert_fits(scale, due)
    divisor = exact.wide(yardstick).clip(lower_bound=1) * exact.lit(scale)
    return rows.with_columns(
        exact.half_up(pl.col(rate) * exact.wide("paid_fen"), divisor).alias(raw)
        for rate, raw in zip(RATES, RAWS, strict=True)
    )


def _differences(earned: pl.DataFrame) -> pl.DataFrame:
    """Each collection gets earned to date less what the same period had earned before it."""
    first = changes("period")
    before = [
        pl.when(first).then(0).otherwise(pl.col(raw).shift(1)).alias(name)
        for raw, name in zip(RAWS, BEFORE, strict=True)
    ]
    return earned.with_columns(before).with_columns(
        pl.col(raw) - pl.col(name) for raw, name in zip(RAWS, BEFORE, strict=True)
    )


def accrue(terms: Terms, facts: DeductFacts, book: Book, *, trace: bool) -> Accrued | None:
    """What does each collection earn under this scheme, before caps?

    Rows carry `days`, `product` (fen-days), `raw_<tier>_fen` (this collection's, D7) and
    `before_<tier>_fen` (earned by the period before it); None where nothing has a product.
    Segments are kept for a trace only.
    """
    notes = enrolled(terms, facts, book)
    windows = _windows(book, notes)
    if windows.is_empty():
        return None
    bases = _bases(windows, book.timeline, terms.day_count)
    added = _added(windows, bases).filter(pl.col("product") > 0).sort("row")
    if added.is_empty():
        return None
    if terms.method == "percent_of_interest":
        added = added.join(_full_product(book, notes, added), on="row", maintain_order="left")
    taken = book.collections.select("order", "note", "period", "interest_due_fen", "paid_fen")[
        added["row"]
    ]
    earned = _earned(pl.concat([added, taken], how="horizontal"), terms)
    kept = pl.DataFrame()
    if trace:
        kept = pl.concat([bases, windows.select(RATES)[bases["window"]]], how="horizontal")
        whole = pl.col("full") if "full" in earned.columns else pl.lit(None, dtype=pl.Int64)
        earned = earned.with_columns(full_product=whole)
    return Accrued(rows=_differences(earned), segments=kept)
