"""Guarantee-fee subsidies of notes eligible under a scheme that pays them (domain D17)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from settlement.engine import exact, months
from settlement.engine.codes import ELIGIBLE, INELIGIBLE, RATE_ONE, WAITING, WAITING_REASON
from settlement.engine.facts import DEDUCT_NOTES, checked, checked_notes
from settlement.engine.terms_model import GuaranteeFee, Terms

SUBSIDIES: dict[str, pl.DataType | type[pl.DataType]] = {
    "guarantee_id": pl.Int64,
    "note_id": pl.Int64,
    "scheme_code": pl.String,
    "months": pl.Int64,
    "subsidy_fen": pl.Int64,
    "status": pl.String,
    "reasons": pl.List(pl.String),
}
"""Columns of what `subsidies` returns."""

GUARANTEE_REASONS = ("note_not_eligible", "above_limit", "already_subsidised")
"""Refusal reasons of a guarantee-fee subsidy; the first that applies is given."""


def subsidies(
    *,
    terms: Sequence[Terms],
    guarantees: pl.DataFrame,
    notes: pl.DataFrame,
    enrolments: pl.DataFrame,
) -> pl.DataFrame:
    """What guarantee-fee subsidy does each guarantee get under each scheme that pays one?

    Principal × rate × whole months ÷ 12, half up, at most the scheme's months; for notes up to the
    scheme's size (in CNY, D18); once per enterprise, the first by (starts_on, guarantee_number).
    A note that waits for its LPR makes the guarantee wait. `enrolments` are what `assess` returned,
    ineligible ones included. Amounts in fen.
    """
    given = checked("guarantees", guarantees)
    known = checked_notes(notes, DEDUCT_NOTES)
    labels = checked("enrolments", enrolments)
    parts = [_of_scheme(one, one.guarantee, given, known, labels) for one in terms if one.guarantee]
    return pl.concat([pl.DataFrame(schema=SUBSIDIES), *parts]).sort("guarantee_id", "scheme_code")


def _of_scheme(
    terms: Terms,
    fee: GuaranteeFee,
    guarantees: pl.DataFrame,
    notes: pl.DataFrame,
    labels: pl.DataFrame,
) -> pl.DataFrame:
    judged = labels.filter(pl.col("scheme_code") == terms.code).select("note_id", judged="status")
    converted = exact.wide("note_principal_fen") * exact.wide("exchange_rate_e8")
    owners = notes.select(
        *("note_id", "institution_code", "enterprise_id", "exchange_rate_e8"),
        note_principal_fen="principal_fen",
    )
    whole = months.whole_months(pl.col("starts_on"), pl.col("ends_on"))
    rows = guarantees.join(owners, on="note_id", how="left").join(judged, on="note_id", how="left")
    assert not rows["enterprise_id"].null_count(), "guarantees: a note is not among the notes"
    return (
        rows.sort("starts_on", "guarantee_number", "institution_code", "guarantee_id")
        .with_columns(
            scheme_code=pl.lit(terms.code),
            judged=pl.col("judged").fill_null(INELIGIBLE),
            large=exact.half_up(converted, exact.lit(10**8)) > fee.max_note_fen,
            months=whole.clip(upper_bound=fee.max_months),
        )
        .with_columns(candidate=(pl.col("judged") == ELIGIBLE) & ~pl.col("large"))
        .with_columns(reason=_reason(fee))
        .with_columns(_outcome(fee))
        .select(list(SUBSIDIES))
    )


def _reason(fee: GuaranteeFee) -> pl.Expr:
    served = pl.col("candidate").cast(pl.Int64).cum_sum().over("enterprise_id")
    again = (served > 1) if fee.once_per_enterprise else pl.lit(False)
    missing, large, repeated = GUARANTEE_REASONS
    return (
        pl.when(pl.col("judged") == INELIGIBLE)
        .then(pl.lit(missing))
        .when("large")
        .then(pl.lit(large))
        .when(pl.col("judged") == WAITING)
        .then(pl.lit(WAITING_REASON))
        .when(again)
        .then(pl.lit(repeated))
    )


def _outcome(fee: GuaranteeFee) -> list[pl.Expr]:
    amount = exact.half_up(
        exact.wide("principal_fen") * exact.wide("months") * exact.lit(fee.rate_e8),
        exact.lit(12 * RATE_ONE),
    )
    paid = pl.col("reason").is_null()
    waits = pl.col("reason") == WAITING_REASON
    status = pl.when(paid).then(pl.lit(ELIGIBLE)).when(waits).then(pl.lit(WAITING))
    return [
        pl.when(paid).then(amount).otherwise(0).alias("subsidy_fen"),
        status.otherwise(pl.lit(INELIGIBLE)).alias("status"),
        pl.concat_list("reason").list.drop_nulls().alias("reasons"),
    ]
