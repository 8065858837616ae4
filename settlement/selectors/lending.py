"""What was lent under each scheme: the base of expected lending."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import polars as pl

from config.kernel.services.bulk import Schema, read_frame, rows

_BASE: Schema = {
    "note_id": pl.Int64,
    "scheme_code": pl.String,
    "institution_id": pl.Int64,
    "drawn_on": pl.Date,
    "matures_on": pl.Date,
    "eligible_fen": pl.Int64,
    "rate_ppm": pl.Int64,
    "lpr_ppm": pl.Int64,
    "tiers_off": pl.String,
}


def drawn_in(*, year: int, scheme_codes: Collection[str], scope: tuple[int, int]) -> pl.DataFrame:
    """Eligible notes drawn in a year that belong to these institutions, as `engine.lending.BASE`."""
    found = read_frame(
        "SELECT e.note_id, e.scheme_code, n.institution_id, n.drawn_on, n.matures_on, e.eligible_fen,"
        " n.rate_ppm, e.lpr_ppm, array_to_string(e.tiers_off, ';')"
        " FROM settlement_enrolment e JOIN loans_note n ON n.id = e.note_id"
        " WHERE e.status = 'eligible' AND e.scheme_code = ANY(%(codes)s)"
        " AND n.drawn_on BETWEEN %(first)s AND %(last)s AND n.institution_id BETWEEN %(lo)s AND %(hi)s",
        {
            "codes": list(scheme_codes),
            "first": date(year, 1, 1),
            "last": date(year, 12, 31),
            "lo": scope[0],
            "hi": scope[1],
        },
        schema=_BASE,
    )
    tiers = pl.col("tiers_off").str.split(";").list.eval(pl.element().filter(pl.element() != ""))
    return found.with_columns(tiers)


def last_drawn_on() -> date | None:
    """The last day on which anything was lent, as far as recorded."""
    found: date | None = rows("SELECT max(drawn_on) FROM loans_note")[0][0]
    return found
