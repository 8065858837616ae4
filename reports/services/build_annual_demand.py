"""年度资金需求申请 from the database: what is forecast, against what funds have (SME-10, EQ-06, MF-23)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from loans.values.errors import DomainError, bilingual
from reports.definitions import annual_demand
from reports.definitions.annual_demand import DRAWDOWNS, MONEY, NEEDS, RESERVED, Figures
from reports.definitions.demand_notes import Said, footnotes
from reports.definitions.period import Period
from reports.definitions.words import TIERS
from reports.selectors import institutions
from reports.selectors.calendar import calendar
from reports.services import ground
from settlement.selectors import fund_money
from settlement.services.forecasts import AS_BEFORE, Assumed, Forecast, forecast_days

if TYPE_CHECKING:
    from reports.definitions.sheet import Sheet
    from reports.services.catalogue import Asked

__all__ = ["Assumed", "build"]

CODE = "annual-demand"
_KEY = ["scheme_code", "institution_id", "fund_institution_id", "collected_on"]


def build(asked: Asked, *, assumed: Assumed | None = None) -> Sheet:
    """What the period's interest days will need, existing notes and expected lending apart.

    Unless said otherwise lending grows as was stated with the question, or comes as the year before.
    Raises DomainError `scheme_unknown` for a scheme that is not in force.
    """
    if assumed is None:
        stated = asked.growth_ppm
        assumed = AS_BEFORE if stated is None else replace(AS_BEFORE, growth_ppm=stated)
    period = asked.period
    nothing_posted = Period(period.start, period.start, period.code)
    cut = ground.cut(CODE, asked, unit_zh="万元", over=nothing_posted)
    found = forecast_days(
        start=period.start,
        end=period.end,
        scheme_code=asked.scheme_code,
        scope=asked.scope,
        assumed=assumed,
    )
    _refuse_unknown(asked, found)
    names = institutions.names()
    funds, arrive_by = _funds(asked, names), _arrive_by(period)
    return annual_demand.define(
        cut=cut,
        period=period,
        figures=Figures(
            needs=_needs(found, names),
            money=funds,
            reserved=_reserved(asked, names),
            drawdowns=None if assumed.growth_ppm is None else _drawdowns(found, names),
            forecast_fen=(_total(found.existing), _total(found.coming)),
            arrive_by=arrive_by,
        ),
        notes=footnotes(
            replace(
                _said(asked, assumed, found, names),
                has_money=not funds.is_empty(),
                has_holidays=bool(arrive_by),
            )
        ),
    )


def _refuse_unknown(asked: Asked, found: Forecast) -> None:
    if asked.scheme_code and not found.terms:
        raise DomainError(
            "scheme_unknown",
            bilingual(
                f"未装载的贴息政策：{asked.scheme_code}", "unknown scheme, or not checked yet"
            ),
        )


def _total(rows: pl.DataFrame) -> int:
    return sum(int(rows[f"{tier}_fen"].sum()) for tier in TIERS)


def _needs(found: Forecast, names: pl.DataFrame) -> pl.DataFrame:
    """One row per scheme, branch, day and tier that anything is expected for."""
    parts = []
    for rows, column in ((found.existing, "existing_fen"), (found.coming, "coming_fen")):
        by_tier = rows.rename({f"{tier}_fen": tier for tier in TIERS}).unpivot(
            list(TIERS), index=_KEY, variable_name="tier", value_name="fen"
        )
        zeros = [pl.lit(0, dtype=pl.Int64).alias(n) for n in ("existing_fen", "coming_fen")]
        parts.append(by_tier.with_columns(zeros).with_columns(pl.col("fen").alias(column)))
    both = (
        pl.concat(parts)
        .group_by(*_KEY, "tier")
        .agg(pl.col("existing_fen", "coming_fen").sum())
        .filter((pl.col("existing_fen") != 0) | (pl.col("coming_fen") != 0))
        .join(names, on="institution_id", how="left")
    )
    return _of_fund(both, names).select(list(NEEDS))


def _of_fund(rows: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    funds = names.rename(
        {"institution_id": "fund_institution_id", "institution_code": "fund_code", "institution_name": "fund_name"}
    )  # fmt: skip
    return rows.join(funds, on="fund_institution_id", how="left")


def _funds(asked: Asked, names: pl.DataFrame) -> pl.DataFrame:
    """The money of the funds within the institutions asked for, of the schemes asked for."""
    year = asked.period.start.year
    rows = [
        (one.scheme_code, one.institution_id, one.tier, one.special_account_fen, one.reserved_fen,
         one.bank_advance_fen, one.carried_fen)
        for one in fund_money.funds(before_year=year, scope=asked.scope)
        if asked.scheme_code in (None, one.scheme_code)
    ]  # fmt: skip
    columns = {
        "scheme_code": pl.String, "fund_institution_id": pl.Int64, "tier": pl.String,
        "special_account_fen": pl.Int64, "reserved_fen": pl.Int64, "owed_fen": pl.Int64,
        "carried_fen": pl.Int64,
    }  # fmt: skip
    return _of_fund(pl.DataFrame(rows, schema=columns, orient="row"), names).select(list(MONEY))


def _reserved(asked: Asked, names: pl.DataFrame) -> pl.DataFrame:
    """What checked plans hold for days of the period."""
    held = fund_money.reserved_by_day(scope=asked.scope)
    within = pl.col("collected_on").is_between(asked.period.start, asked.period.end, closed="left")
    return _of_fund(held.filter(within), names).select(list(RESERVED))


def _drawdowns(found: Forecast, names: pl.DataFrame) -> pl.DataFrame:
    return found.drawdowns.join(names, on="institution_id", how="left").select(list(DRAWDOWNS))


def _arrive_by(period: Period) -> dict[date, date]:
    """The last working day before each interest day; nothing for a year that is not published."""
    known = calendar()
    if period.start.year not in known.years:
        return {}
    return {day: known.before(day, 1) for day in annual_demand.interest_days(period)}


def _said(asked: Asked, assumed: Assumed, found: Forecast, names: pl.DataFrame) -> Said:
    growth = assumed.growth(asked.period.start.year)
    closed = [
        one.name_zh
        for one in found.terms
        if min(one.drawn.ends_on, one.accrued.ends_on) <= asked.period.year.start
    ]
    lo, hi = asked.scope
    above = pl.concat([found.existing, found.coming]).filter(
        ~pl.col("fund_institution_id").is_between(lo, hi)
    )
    elsewhere = names.filter(pl.col("institution_id").is_in(above["fund_institution_id"].implode()))
    return Said(
        period=asked.period,
        quarterly=assumed.rhythm == "quarterly",
        growth_ppm=assumed.growth_ppm,
        base_year=0 if growth is None else growth.base_year,
        known_through=found.known_through,
        has_coming=not found.drawdowns.is_empty(),
        closed=tuple(closed),
        funds_elsewhere=tuple(elsewhere["institution_name"].to_list()),
        has_money=True,
        has_holidays=True,
    )
