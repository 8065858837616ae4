"""Posted deductions and what the ledger says of them, in fen; days of collection choose the period.

The numbers of deductions and collections carry their month, so that a period touches its own
partitions alone.
"""

from __future__ import annotations

from typing import Any

from config.kernel.services.bulk import rows
from reports.definitions.cut import Money
from reports.definitions.words import TIERS
from reports.selectors.lending import Of

_MONEY = ", ".join(f"d.{tier}_fen" for tier in TIERS)
_SUMS = ", ".join(f"sum(d.{tier}_fen)::bigint AS {tier}_fen" for tier in TIERS)
_DAYS = """d.id >= %(first)s AND d.id < %(after)s
    AND d.collected_on >= %(since)s AND d.collected_on < %(until)s"""
_HELD = f"{_DAYS} AND d.institution_id BETWEEN %(lo)s AND %(hi)s"
_SCHEME = "JOIN settlement_scheme s ON s.id = d.scheme_id AND s.code = ANY(%(codes)s)"


def _params(of: Of) -> dict[str, Any]:
    """The query's parameters, with the first number of the first month and the one after the last."""
    last = of.until.year * 12 + of.until.month - (1 if of.until.day == 1 else 0)
    return {
        **of.params,
        "first": (of.since.year * 100 + of.since.month) * 10**12,
        "after": (last // 12 * 100 + last % 12 + 1) * 10**12,
    }


def money(of: Of) -> Money:
    """What is posted in these days for notes held here, by funds held here, and in those funds' ledger."""
    held, funded, ledger = {}, {}, {}
    for code, is_held, is_funded, *amounts in rows(
        "SELECT s.code, d.institution_id BETWEEN %(lo)s AND %(hi)s,"
        f" d.fund_institution_id BETWEEN %(lo)s AND %(hi)s, {_SUMS}"
        f" FROM settlement_deduction d {_SCHEME} WHERE {_DAYS}"
        " AND (d.institution_id BETWEEN %(lo)s AND %(hi)s"
        "  OR d.fund_institution_id BETWEEN %(lo)s AND %(hi)s) GROUP BY 1, 2, 3",
        _params(of),
    ):
        for tier, fen in zip(TIERS, amounts, strict=True):
            if is_held:
                held[code, tier] = held.get((code, tier), 0) + fen
            if is_funded:
                funded[code, tier] = funded.get((code, tier), 0) + fen
    for code, tier, fen in rows(_TURNOVER, of.params):
        ledger[code, tier] = int(fen)
    return Money(held=held, funded=funded, ledger=ledger)


_TURNOVER = """
SELECT s.code, f.tier, sum(l.debit_fen - l.credit_fen)::bigint
FROM settlement_ledgerentry e
JOIN settlement_fund f ON f.id = e.fund_id AND f.purpose = 'interest'
JOIN settlement_scheme s ON s.id = f.scheme_id
JOIN settlement_ledgerline l ON l.entry_id = e.id AND l.account = 'subsidy_applied'
WHERE e.event IN ('deduction', 'negative_difference')
    AND e.month >= %(since)s AND e.month < %(until)s
    AND f.institution_id BETWEEN %(lo)s AND %(hi)s AND s.code = ANY(%(codes)s)
GROUP BY 1, 2
"""
