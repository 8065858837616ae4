"""Guarantee-fee subsidies of notes eligible under a scheme that pays them (domain D17)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from settlement.engine import exact, months
from settlement.engine.codes import ELIGIBLE, INELIGIBLE, RATE_ONE
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

GUARANTEE_REASONS = ("note_not_eligible", "note_above_limit", "once_per_enterprise")
"""Refusal reasons of a guarantee-fee subsidy, in order of precedence."""


def subsidies(
    *,
    terms: Sequence[Terms],
    guarantees: pl.DataFrame,
    notes: pl.DataFrame,
    enrolments: pl.DataFrame,
) -> pl.DataFrame:
    """What guarantee-fee subsidy does each guarantee of a labelled note get?

    Principal × rate × whole months ÷ 12, half up, at most the scheme's months; for notes up to the
    scheme's size (in CNY, D18); once per enterprise, the first by (starts_on, guarantee_number).
    `enrolments` are what `assess` returned, ineligible ones included.
    """
    given = checked("guarantees", guarantees)
    known = checked_notes(notes, DEDUCT_NOTES)
    labels = checked("enrolments", enrolments).select("note_id", "scheme_code", "status")
    parts = [_of_scheme(one, one.guarantee, given, known, labels) for one in terms if one.guarantee]
    return pl.concat([pl.DataFrame(schema=SUBSIDIES), *parts]).sort("guarantee_id", "scheme_code")


def _of_scheme(
    terms: Terms,
    fee: GuaranteeFee,
    guarantees: pl.DataFrame,
    notes: pl.DataFrame,
    labels: pl.DataFrame,
) -> pl.DataFrame:
    converted = exact.wide("note_principal_fen") * exact.wide("exchange_rate_e8")
    rows = (
        guarantees.join(labels.filter(pl.col("scheme_code") == terms.code), on="note_id")
        .join(
            notes.select(
                "note_id", "enterprise_id", "exchange_rate_e8", note_principal_fen="principal_fen"
            ),
            on="note_id",
        )
        .with_columns(
            refused=pl.col("status") != ELIGIBLE,
            large=exact.half_up(converted, exact.lit(10**8)) > fee.max_note_fen,
            months=months.whole_months(pl.col("starts_on"), pl.col("ends_on")).clip(
                upper_bound=fee.max_months
            ),
        )
        .sort("starts_on", "guarantee_number", "guarantee_id")
        .with_columns(candidate=~pl.col("refused") & ~pl.col("large"))
    )
    return (
        rows.with_columns(again=_again(fee))
        .with_columns(_paid(fee), _reasons())
        .select(list(SUBSIDIES))
    )


def _again(fee: GuaranteeFee) -> pl.Expr:
    if not fee.once_per_enterprise:
        return pl.lit(False)
    served = pl.col("candidate").cast(pl.Int64).cum_sum().over("enterprise_id")
    return pl.col("candidate") & (served > 1)


def _paid(fee: GuaranteeFee) -> list[pl.Expr]:
    paid = pl.col("candidate") & ~pl.col("again")
    amount = exact.half_up(
        exact.wide("principal_fen") * exact.wide("months") * exact.lit(fee.rate_e8),
        exact.lit(12 * RATE_ONE),
    )
    return [
        pl.when(paid).then(amount).otherwise(0).alias("subsidy_fen"),
        pl.when(paid).then(pl.lit(ELIGIBLE)).otherwise(pl.lit(INELIGIBLE)).alias("status"),
    ]


def _reasons() -> pl.Expr:
    flags = zip(("refused", "large", "again"), GUARANTEE_REASONS, strict=True)
    named = [pl.when(flag).then(pl.lit(reason)) for flag, reason in flags]
    return pl.concat_list(named).list.drop_nulls().alias("reasons")
