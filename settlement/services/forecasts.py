"""What schemes will need: existing notes played forward, and lending to come as stated (SME-10, EQ-06).

Whatever is recorded counts as it is, plans of collections too; the rest is assumption, and whoever
uses a forecast says so (`Assumed`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from config.kernel.models import SCOPE_ALL
from loans.selectors import facts
from settlement.engine import TIERS, Terms, forecast, lending
from settlement.engine.codes import LAST_DAY
from settlement.engine.lending import Growth, Lending
from settlement.engine.prorata import GRANTED
from settlement.selectors import lending as lent
from settlement.selectors import plans, settlements
from settlement.selectors.institutions import fund_institutions
from settlement.services import groups
from settlement.services.schemes import Book, terms_in_force
from settlement.services.targets import facts_of

Needs = dict[tuple[int, str], int]

ROWS: dict[str, type[pl.DataType]] = {
    "scheme_code": pl.String,
    "institution_id": pl.Int64,
    "fund_institution_id": pl.Int64,
    "collected_on": pl.Date,
    **dict.fromkeys(GRANTED, pl.Int64),
}
KEYS = ["scheme_code", "institution_id", "collected_on"]


@dataclass(frozen=True)
class Assumed:
    """What a forecast takes for granted beyond what is recorded.

    `growth_ppm`: lending of `base_year` (None: the year before) comes again, times 1 + growth ÷ 10⁶;
    None: existing notes only. `rhythm`: of notes whose record shows none, `monthly` or `quarterly`.
    """

    growth_ppm: int | None = 0
    base_year: int | None = None
    rhythm: str = "monthly"

    def growth(self, year: int) -> Growth | None:
        """What is assumed of lending in a year."""
        if self.growth_ppm is None:
            return None
        return Growth(year, self.base_year or year - 1, self.growth_ppm)


AS_BEFORE = Assumed()
"""Lending as in the year before."""


@dataclass(frozen=True)
class Forecast:
    """What is expected from one day until before another, of the schemes asked for.

    `existing`, `coming`: `ROWS`, fen by tier of each scheme, note's institution and day of
    collection, of recorded notes and of lending after `known_through`. `drawdowns`: that lending,
    with its base (`engine.lending.DRAWDOWNS`).
    """

    existing: pl.DataFrame
    coming: pl.DataFrame
    drawdowns: pl.DataFrame
    terms: tuple[Terms, ...]
    known_through: date | None


def forecast_days(
    *,
    start: date,
    end: date,
    scheme_code: str | None = None,
    scope: tuple[int, int] = SCOPE_ALL,
    assumed: Assumed = AS_BEFORE,
) -> Forecast:
    """What will notes of these institutions earn on each interest day from `start` until before `end`?

    One scheme or all in force; `start` and `end` lie in one year, or are its ends.
    """
    book = terms_in_force()
    asked = tuple(t for t in book.terms if scheme_code in (None, t.code))
    coming = _coming(asked, start=start, end=end, scope=scope, assumed=assumed)
    return Forecast(
        existing=_placed(_existing(book, asked, start, end, scope, assumed.rhythm), asked),
        coming=_placed(coming.subsidies, asked),
        drawdowns=coming.drawdowns,
        terms=asked,
        known_through=lent.last_drawn_on(),
    )


def needs_of_year(*, scheme_code: str, year: int) -> Needs:
    """(fund institution, tier) → fen that existing notes would earn in that calendar year.

    Where no terms are in force nothing is needed. New lending is not in it: whoever applies adds it.
    """
    found = forecast_days(
        start=date(year, 1, 1),
        end=date(year + 1, 1, 1),
        scheme_code=scheme_code,
        assumed=Assumed(growth_ppm=None),
    )
    needs: Counter[tuple[int, str]] = Counter()
    for place, *fen in found.existing.select("fund_institution_id", *GRANTED).iter_rows():
        for tier, amount in zip(TIERS, fen, strict=True):
            needs[place, tier] += amount
    return dict(needs)


def _existing(
    book: Book,
    asked: Sequence[Terms],
    start: date,
    end: date,
    scope: tuple[int, int],
    rhythm: str,
) -> pl.DataFrame:
    codes = [one.code for one in asked]
    planned = plans.open_collections(through=LAST_DAY)
    notes = settlements.eligible_enterprises(scheme_codes=codes, scope=scope)
    found = [pl.DataFrame(schema={name: ROWS[name] for name in (*KEYS, *GRANTED)})]
    for enterprise_ids in groups.chunks(notes=notes, book=book):
        scopes = facts.note_scopes(enterprise_ids=enterprise_ids)
        earned = forecast.expected(
            terms=book.terms,
            facts=facts_of(enterprise_ids=enterprise_ids, scopes=scopes),
            start=start,
            end=end,
            rhythm=rhythm,
            planned=_of_these(planned, enterprise_ids),
        )
        mine = scopes.filter(pl.col("institution_id").is_between(*scope))
        found.append(
            earned.filter(pl.col("scheme_code").is_in(codes))
            .join(mine.select("note_id", "institution_id"), on="note_id")
            .group_by(KEYS)
            .agg(pl.col(GRANTED).sum())
        )
    return pl.concat(found).group_by(KEYS).agg(pl.col(GRANTED).sum())


def _of_these(planned: pl.DataFrame, enterprise_ids: Sequence[int]) -> pl.DataFrame:
    mine = planned.filter(pl.col("enterprise_id").is_in(enterprise_ids))
    return mine.with_columns(interest_paid_fen=pl.lit(0, dtype=pl.Int64))


def _coming(
    asked: Sequence[Terms], *, start: date, end: date, scope: tuple[int, int], assumed: Assumed
) -> Lending:
    growth = assumed.growth(start.year)
    if growth is None:
        return Lending(
            subsidies=pl.DataFrame(schema=lending.SUBSIDIES),
            drawdowns=pl.DataFrame(schema=lending.DRAWDOWNS),
        )
    codes = [one.code for one in asked]
    return lending.expected(
        terms=asked,
        base=lent.drawn_in(year=growth.base_year, scheme_codes=codes, scope=scope),
        growth=growth,
        after=lent.last_drawn_on(),
        start=start,
        end=end,
        rhythm=assumed.rhythm,
    )


def _placed(earned: pl.DataFrame, asked: Sequence[Terms]) -> pl.DataFrame:
    """With the fund institution of each scheme and note, in a stable order."""
    parts = [
        earned.filter(pl.col("scheme_code") == one.code).with_columns(
            fund_institution_id=pl.col("institution_id").replace_strict(
                fund_institutions(level=one.fund_level), return_dtype=pl.Int64
            )
        )
        for one in asked
    ]
    placed = pl.concat([pl.DataFrame(schema=ROWS), *(part.select(list(ROWS)) for part in parts)])
    return placed.sort(KEYS)
