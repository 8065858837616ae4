"""What each fund has for the interest days to come, in fen."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from config.kernel.services.bulk import Schema, read_frame, rows
from settlement.models.plan import TIERS

RESERVED: Schema = {
    "scheme_code": pl.String,
    "fund_institution_id": pl.Int64,
    "tier": pl.String,
    "collected_on": pl.Date,
    "reserved_fen": pl.Int64,
}


class FundMoney(NamedTuple):
    """One fund for interest: what is in its account, set aside, and owed to the bank.

    `carried_fen`: what entries of the years before left, special account less bank advance; negative
    if they left a gap.
    """

    scheme_code: str
    institution_id: int
    tier: str
    special_account_fen: int
    reserved_fen: int
    bank_advance_fen: int
    carried_fen: int

    @property
    def available_fen(self) -> int:
        """In the account and not set aside."""
        return self.special_account_fen - self.reserved_fen


def funds(*, before_year: int, scope: tuple[int, int]) -> list[FundMoney]:
    """The funds for interest at these institutions; `carried_fen` is of the years before `before_year`."""
    found = rows(
        """
        SELECT s.code, f.institution_id, f.tier, f.special_account_fen, f.reserved_fen,
            -f.bank_advance_fen, coalesce(c.fen, 0)::bigint
        FROM settlement_fund f JOIN settlement_scheme s ON s.id = f.scheme_id
        LEFT JOIN LATERAL (
            SELECT sum(l.debit_fen - l.credit_fen) AS fen FROM settlement_ledgerentry e
            JOIN settlement_ledgerline l ON l.entry_id = e.id
            WHERE e.fund_id = f.id AND e.year < %(year)s
                AND l.account IN ('special_account', 'bank_advance')
        ) c ON true
        WHERE f.purpose = 'interest' AND f.institution_id BETWEEN %(lo)s AND %(hi)s
        ORDER BY s.code, f.institution_id, f.tier
        """,
        {"year": before_year, "lo": scope[0], "hi": scope[1]},
    )
    return [FundMoney(*row) for row in found]


def reserved_by_day(*, scope: tuple[int, int]) -> pl.DataFrame:
    """What checked plans hold of each fund at these institutions for each day of collection."""
    tiers = ", ".join(f"('{tier}', p.{tier}_reserved_fen)" for tier in TIERS)
    return read_frame(
        f"""
        SELECT s.code, p.fund_institution_id, t.tier, l.collected_on, sum(t.fen)
        FROM settlement_planneddeduction p JOIN settlement_plan l ON l.id = p.plan_id
        JOIN settlement_scheme s ON s.id = p.scheme_id
        CROSS JOIN LATERAL (VALUES {tiers}) AS t(tier, fen)
        WHERE p.state = 'reserved' AND t.fen > 0
            AND p.fund_institution_id BETWEEN %(lo)s AND %(hi)s
        GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        """,
        {"lo": scope[0], "hi": scope[1]},
        schema=RESERVED,
    )
