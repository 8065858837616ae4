"""What each version of each scheme pays per tier and when, and what it calls itself."""

from __future__ import annotations

import polars as pl

from config.kernel.services.bulk import rows
from settlement.engine import TIERS, rates
from settlement.engine.terms import Terms, parse

RATES = tuple(f"rate_{tier}_e8" for tier in TIERS)
VERSION_RATES: dict[str, type[pl.DataType]] = {
    "version_id": pl.Int64,
    "version": pl.Int64,
    "scheme_code": pl.String,
    "name_zh": pl.String,
    "document": pl.String,
    "method": pl.String,
    "basis_days": pl.Int64,
    "above_lpr_ppm": pl.Int64,
    "drawn_from": pl.Date,
    "drawn_until": pl.Date,
    "accrued_from": pl.Date,
    "accrued_until": pl.Date,
    **dict.fromkeys(RATES, pl.Int64),
}


def version_rates() -> pl.DataFrame:
    """Per checked version one row per stretch of drawdown days × accrual days (both half-open).

    `rate_<tier>_e8`: of points in 10⁻⁸ a year; of interest up to LPR + n in whole percents, to be
    multiplied by the rate supported; of a percentage of interest in parts per million.
    """
    texts = rows(
        "SELECT v.id, v.version, s.code, v.text FROM settlement_schemeversion v "
        "JOIN settlement_scheme s ON s.id = v.scheme_id WHERE v.checked_by IS NOT NULL ORDER BY v.id"
    )
    found = [_of(pk, version, parse(text, name=code)) for pk, version, code, text in texts]
    return pl.concat(found) if found else pl.DataFrame(schema=VERSION_RATES)


def _of(version_id: int, version: int, terms: Terms) -> pl.DataFrame:
    named = {f"rate_{tier}": name for tier, name in zip(TIERS, RATES, strict=True)}
    return (
        rates.cells(terms)
        .rename(named)
        .with_columns(
            version_id=pl.lit(version_id, dtype=pl.Int64),
            version=pl.lit(version, dtype=pl.Int64),
            scheme_code=pl.lit(terms.code),
            name_zh=pl.lit(terms.name_zh),
            document=pl.lit(terms.document),
            method=pl.lit(terms.method),
            basis_days=pl.lit(terms.basis, dtype=pl.Int64),
            above_lpr_ppm=pl.lit(terms.above_lpr_ppm, dtype=pl.Int64),
        )
        .select(list(VERSION_RATES))
    )
