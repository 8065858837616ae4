"""Which reasons speak against a label from its own note, borrower and bank alone (D13, D15, D18).

Each reason is one bit, its place in `REASONS`; what other notes decide comes in `allocation`.
"""

from __future__ import annotations

import polars as pl

from settlement.engine import exact, months
from settlement.engine.codes import LAST_DAY, REASONS
from settlement.engine.facts import AssessFacts
from settlement.engine.terms_model import Terms, Window

LPR_TENOR_MONTHS = 60
_FALSE = pl.lit(False)


def bit(reason: str) -> int:
    """The bit of one refusal reason."""
    return 1 << REASONS.index(reason)


def with_lpr(notes: pl.DataFrame, lpr: pl.DataFrame) -> pl.DataFrame:
    """Notes with `lpr_ppm`: the last fixing on or before drawdown, 5-year above 60 months (D15)."""
    fixings = lpr.sort("published_on")
    longer = pl.col("matures_on") > months.add_months(pl.col("drawn_on"), LPR_TENOR_MONTHS)
    return (
        notes.sort("drawn_on")
        .join_asof(fixings, left_on="drawn_on", right_on="published_on", strategy="backward")
        .with_columns(
            lpr_ppm=pl.when(longer).then("five_year_ppm").otherwise("one_year_ppm"),
        )
        .drop("published_on", "one_year_ppm", "five_year_ppm", strict=False)
    )


def _overdue_notes(notes: pl.DataFrame, overdue: pl.DataFrame) -> pl.DataFrame:
    running = pl.col("ends_on").is_null() | (pl.col("drawn_on") < pl.col("ends_on"))
    return (
        notes.join(overdue, on="enterprise_id")
        .filter((pl.col("starts_on") <= pl.col("drawn_on")) & running)
        .select("note_id")
        .unique()
    )


def _titled_notes(notes: pl.DataFrame, titles: pl.DataFrame, wanted: tuple[str, ...]) -> pl.Series:
    held = notes.join(titles.filter(pl.col("title").is_in(wanted)), on="enterprise_id")
    valid = pl.col("drawn_on").is_between("valid_from", "valid_to")
    return held.filter(valid)["note_id"].unique()


def with_status(notes: pl.DataFrame, facts: AssessFacts) -> pl.DataFrame:
    """Notes with LPR and `is_overdue`: any note of the enterprise overdue on the drawdown day."""
    overdue = _overdue_notes(notes, facts.overdue).with_columns(is_overdue=pl.lit(True))
    return (
        with_lpr(notes, facts.lpr)
        .join(overdue, on="note_id", how="left")
        .with_columns(pl.col("is_overdue").fill_null(value=False))
    )


def _outside(column: str, window: Window) -> pl.Expr:
    if window == Window():
        return _FALSE
    return ~pl.col(column).is_between(window.starts_on, window.ends_on, closed="left")


def _not_among(column: str, allowed: tuple[str, ...]) -> pl.Expr:
    return ~pl.col(column).is_in(allowed) if allowed else _FALSE


def _among(column: str, refused: tuple[str, ...]) -> pl.Expr:
    return pl.col(column).is_in(refused) if refused else _FALSE


def _other_industry(terms: Terms, titled: pl.Series) -> pl.Expr:
    if terms.industry is None and not terms.titles:
        return _FALSE
    known = pl.col("note_id").is_in(titled.implode())
    if terms.industry is not None:
        section, first, last = terms.industry
        division = pl.col("industry_code").str.extract(rf"^{section}([0-9][0-9])", 1)
        within = division.cast(pl.Int64).is_between(first, last).fill_null(value=False)
        known = known | within
    return ~known


def _rate_too_high(terms: Terms) -> pl.Expr:
    if terms.rate_ceiling_ppm is None:
        return _FALSE
    ceiling = pl.col("lpr_ppm") + terms.rate_ceiling_ppm
    return (pl.col("rate_ppm") > ceiling).fill_null(value=False)


def _conditions(terms: Terms, titled: pl.Series) -> dict[str, pl.Expr]:
    equipment = terms.base == "equipment"
    return {
        "institution_not_participating": ~pl.col("participates"),
        "drawn_outside_window": _outside("drawn_on", terms.drawn),
        "signed_outside_window": _outside("signed_on", terms.signed),
        "region": ~pl.col("region_code").str.starts_with(terms.region_prefix),
        "industry_or_title": _other_industry(terms, titled),
        "not_private": _not_among("ownership", terms.ownership),
        "not_small_or_medium": _not_among("size", terms.sizes),
        "loan_type": _not_among("loan_type", terms.loan_types),
        "purpose_field": _not_among("purpose_field", terms.purpose_fields),
        "no_equipment_amount": (pl.col("equipment_fen") == 0) if equipment else _FALSE,
        "dishonest": pl.col("dishonest") if terms.refuse_dishonest else _FALSE,
        "environment_rating": _among("environment_rating", terms.refused_environment),
        "tax_rating": _among("tax_rating", terms.refused_tax),
        "overdue": pl.col("is_overdue") if terms.refuse_overdue else _FALSE,
        "rate_above_ceiling": _rate_too_high(terms),
    }


def _subsidised(terms: Terms) -> tuple[pl.Expr, pl.Expr]:
    start = pl.max_horizontal("drawn_on", pl.lit(terms.accrued.starts_on))
    end = pl.lit(terms.accrued.ends_on)
    if terms.term_months:
        end = pl.min_horizontal(months.add_months(pl.col("drawn_on"), terms.term_months), end)
    return start, pl.max_horizontal(start, end) if terms.accrued.ends_on != LAST_DAY else end


def judge(terms: Terms, labels: pl.DataFrame, facts: AssessFacts) -> pl.DataFrame:
    """The labels of one scheme, joined to their notes, with what speaks against each.

    Adds `mask` (bits of `REASONS`), `waits` (the LPR is needed and missing), `base_fen` (eligible
    amount in CNY before caps, D18), `subsidised_from`, `subsidised_until`.
    """
    hits = facts.participation_hits.filter(pl.col("scheme_code") == terms.code)
    titled = pl.Series("note_id", [], dtype=pl.Int64)
    if terms.titles:
        titled = _titled_notes(labels, facts.titles, terms.titles)
    mask = pl.sum_horizontal(
        pl.when(expr).then(pl.lit(bit(reason), dtype=pl.Int64)).otherwise(pl.lit(0, dtype=pl.Int64))
        for reason, expr in _conditions(terms, titled).items()
    )
    start, end = _subsidised(terms)
    amount = f"{terms.base}_fen"
    converted = exact.wide(amount) * exact.wide("exchange_rate_e8")
    lpr = pl.col("lpr_ppm") if terms.needs_lpr else pl.lit(None, dtype=pl.Int64)
    return (
        labels.with_columns(participates=pl.col("note_id").is_in(hits["note_id"].implode()))
        .with_columns(mask=mask.cast(pl.Int64), lpr_ppm=lpr)
        .with_columns(
            waits=pl.col("lpr_ppm").is_null() if terms.needs_lpr else _FALSE,
            base_fen=exact.half_up(converted, exact.lit(10**8)),
            subsidised_from=start,
            subsidised_until=end,
        )
    )
