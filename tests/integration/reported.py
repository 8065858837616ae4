"""Reports built as whoever cuts them does, and what their tables say."""

from __future__ import annotations

from collections import Counter
from typing import Any

import polars as pl

from config.kernel.models import Institution
from reports.definitions.period import parse
from reports.definitions.sheet import Sheet
from reports.services.catalogue import BUILDERS, Asked


def report(code: str, period: str, institution: str, scheme: str | None = None) -> Sheet:
    """One report of an institution with everything below it."""
    place = Institution.objects.get(code=institution)
    asked_period = parse(period)
    assert asked_period is not None
    asked = Asked(
        period=asked_period,
        institution_id=place.pk,
        institution_code=place.code,
        institution_name=place.name,
        scope=tuple(place.scope),
        scheme_code=scheme,
    )
    return BUILDERS[code](asked)


def listed(sheet: Sheet, key: str) -> pl.DataFrame:
    """All rows of one table."""
    (table,) = (one for one in sheet.tables if one.key == key)
    return pl.concat(table.parts())


def rows(sheet: Sheet, key: str, *columns: str) -> list[tuple[Any, ...]]:
    """What these columns of a table say."""
    return listed(sheet, key).select(columns).rows()


def sums(sheet: Sheet, key: str, *columns: str) -> Counter[tuple[str, str]]:
    """Column sums by scheme and column, zeros left out."""
    frame = listed(sheet, key)
    shown = [column for column in columns if column in frame.columns]  # tiers that pay
    found: Counter[tuple[str, str]] = Counter()
    for row in frame.select("scheme_code", *shown).iter_rows(named=True):
        for column in shown:
            found[row["scheme_code"], column] += row[column] or 0
    return Counter({key: fen for key, fen in found.items() if fen})
