"""What a scheme needs next year, by fund institution and tier: a forecast from existing notes."""

from __future__ import annotations

from collections import Counter

import polars as pl

from settlement.engine import TIERS, forecast
from settlement.selectors import settlements
from settlement.selectors.institutions import fund_institutions
from settlement.services import groups
from settlement.services.schemes import terms_in_force
from settlement.services.targets import gather

Needs = dict[tuple[int, str], int]


def needs_of_year(*, scheme_code: str, year: int) -> Needs:
    """(fund institution, tier) → fen that existing notes would earn in that calendar year.

    Where no terms are in force nothing is needed. New lending is not in it: whoever applies adds it.
    """
    book = terms_in_force()
    terms = next((one for one in book.terms if one.code == scheme_code), None)
    if terms is None:
        return {}
    places = fund_institutions(level=terms.fund_level)
    needs: Counter[tuple[int, str]] = Counter()
    eligible = settlements.eligible_enterprises(scheme_code=scheme_code)
    for enterprise_ids in groups.chunks(notes=eligible, book=book):
        evidence = gather(enterprise_ids=enterprise_ids)
        earned = forecast.need(terms=book.terms, facts=evidence.facts, year=year)
        of_scheme = earned.filter(pl.col("scheme_code") == scheme_code).join(
            evidence.scopes.select("note_id", "institution_id"), on="note_id"
        )
        for institution, *fen in of_scheme.select(
            "institution_id", *(f"{tier}_fen" for tier in TIERS)
        ).iter_rows():
            for tier, amount in zip(TIERS, fen, strict=True):
                needs[places[institution], tier] += amount
    return dict(needs)
