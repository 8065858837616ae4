"""Adding settlements up again: their figures from the entries covered, their bookings from the ledger.

Every check returns lines that name the settlement, the fund and the figure that does not agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby

from config.kernel.services import bulk
from settlement.engine import settling
from settlement.engine.settling import Covered
from settlement.models import Settlement, SettlementItem
from settlement.selectors import settlements

# What a booked item says against what its entries moved, either way round.
_BOOKINGS = """
SELECT '#' || coalesce(said.settlement_id, 0) || ' ' || coalesce(said.event, posted.event) || ': ' ||
    coalesce(said.fen, 0) || ' ≠ ' || coalesce(posted.fen, 0)
FROM (
    SELECT i.id, i.settlement_id, i.fund_id, b.event, b.fen
    FROM settlement_settlementitem i JOIN settlement_settlement s ON s.id = i.settlement_id
    CROSS JOIN LATERAL (VALUES ('use_approved', i.approved_fen), ('use_disallowed', i.disallowed_fen),
        ('surplus_returned', CASE WHEN s.kind = 'liquidation' THEN i.surplus_fen ELSE 0 END))
        AS b(event, fen)
    WHERE s.state = 'booked' AND b.fen <> 0
) said FULL JOIN (
    SELECT e.source_id, e.fund_id, e.event, sum(l.debit_fen - l.credit_fen) AS fen
    FROM settlement_ledgerentry e JOIN settlement_ledgerline l ON l.entry_id = e.id
    WHERE (e.event, l.account) IN (('use_approved', 'treasury_advance'),
        ('use_disallowed', 'disallowed'), ('surplus_returned', 'treasury_advance'))
    GROUP BY e.id
) posted ON posted.source_id = said.id AND posted.fund_id = said.fund_id
    AND posted.event = said.event
WHERE coalesce(said.fen, 0) <> coalesce(posted.fen, 0) ORDER BY 1
"""
_MADE_GOOD = """
SELECT '#' || m.id FROM settlement_madegood m
LEFT JOIN settlement_ledgerentry e ON e.event = 'made_good' AND e.source_id = m.id
    AND e.fund_id = m.fund_id
LEFT JOIN settlement_ledgerline l ON l.entry_id = e.id AND l.account = 'special_account'
GROUP BY m.id HAVING coalesce(sum(l.debit_fen), 0)
    <> CASE WHEN m.checked_by IS NULL OR m.refused_why <> '' THEN 0 ELSE m.amount_fen END
"""
_RULES = (
    ("结算明细与入账不符 / a settlement differs from its entries", _BOOKINGS),
    ("银行补足与入账不符 / what the bank made good differs from its entry", _MADE_GOOD),
)


def verify_settlements() -> list[str]:
    """What does not agree of settlements and of what the bank made good; empty if all does."""
    found = [f"{wrong}: {place}" for wrong, query in _RULES for (place,) in bulk.rows(query)]
    return [*found, *_figures_otherwise()]


def _figures_otherwise() -> Iterator[str]:
    """Each settlement's figures worked out again, in the order in which they were made."""
    standing = SettlementItem.objects.exclude(settlement__state=Settlement.State.WITHDRAWN)
    items = standing.select_related("settlement").order_by("fund_id", "settlement_id")
    entries = settlements.entries(ids={item.fund_id for item in items})
    for fund_id, of_fund in groupby(items, key=lambda item: item.fund_id):
        covered = Covered()
        for item in of_fund:
            year, through = item.settlement.year, item.through_number
            fresh = settling.figures(entries[fund_id], covered, year=year, through=through)
            for name, fen in asdict(fresh).items():
                if getattr(item, name) != fen:
                    yield (
                        f"结算数与分录合计不符 / a settlement's figure differs from its entries: "
                        f"#{item.settlement_id} {name} {getattr(item, name)} ≠ {fen}"
                    )
            covered = covered.and_(year=year, through=through)
