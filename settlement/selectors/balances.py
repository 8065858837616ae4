"""What each fund holds, owes and is owed, in fen."""

from __future__ import annotations

from dataclasses import dataclass

from config.kernel.services.bulk import rows


@dataclass(frozen=True)
class FundLine:
    """One scheme and tier, all fund institutions together; balances are debit − credit."""

    scheme_code: str
    tier: str
    special_account_fen: int
    treasury_advance_fen: int
    subsidy_applied_fen: int
    bank_advance_fen: int
    clawback_receivable_fen: int
    disallowed_fen: int

    @property
    def trial_fen(self) -> int:
        """Zero: every entry balances."""
        return (
            self.special_account_fen
            + self.treasury_advance_fen
            + self.subsidy_applied_fen
            + self.bank_advance_fen
            + self.clawback_receivable_fen
            + self.disallowed_fen
        )


def by_scheme_and_tier() -> list[FundLine]:
    """One line per scheme and tier that has a fund, in order."""
    return [
        FundLine(*line)
        for line in rows(
            "SELECT s.code, f.tier, sum(special_account_fen)::bigint,"
            " sum(treasury_advance_fen)::bigint, sum(subsidy_applied_fen)::bigint,"
            " sum(bank_advance_fen)::bigint, sum(clawback_receivable_fen)::bigint,"
            " sum(disallowed_fen)::bigint"
            " FROM settlement_fund f JOIN settlement_scheme s ON s.id = f.scheme_id"
            " GROUP BY 1, 2 ORDER BY 1, 2"
        )
    ]


_TIES = (
    (
        "借方合计 = 贷方合计 debits = credits",
        "(SELECT sum(debit_fen) FROM settlement_ledgerline)",
        "(SELECT sum(credit_fen) FROM settlement_ledgerline)",
    ),
    (
        "贴息明细合计 = 已代付贴息发生额 deductions and fees = their entries",
        "(SELECT sum(central_fen + provincial_fen + municipal_fen) FROM settlement_deduction)"
        " + (SELECT coalesce(sum(amount_fen), 0) FROM settlement_guaranteeposting)",
        "(SELECT sum(l.debit_fen - l.credit_fen) FROM settlement_ledgerline l"
        " JOIN settlement_ledgerentry e ON e.id = l.entry_id WHERE l.account = 'subsidy_applied'"
        " AND e.event IN ('deduction', 'negative_difference'))",
    ),
    (
        "预拨 − 认可 − 退回 = 预拨资金余额 received − approved − returned = treasury advance",
        "(SELECT coalesce(sum(p.amount_fen), 0) FROM settlement_receipt r"
        " JOIN loans_preallocation p ON p.id = r.pre_allocation_id)"
        " - (SELECT coalesce(sum(i.approved_fen + CASE WHEN s.kind = 'liquidation'"
        " THEN i.surplus_fen ELSE 0 END), 0) FROM settlement_settlementitem i"
        " JOIN settlement_settlement s ON s.id = i.settlement_id WHERE s.state = 'booked')"
        " - (SELECT coalesce(sum(l.debit_fen - l.credit_fen), 0) FROM settlement_ledgerline l"
        " JOIN settlement_ledgerentry e ON e.id = l.entry_id WHERE l.account = 'treasury_advance'"
        " AND e.event IN ('clawback_decided', 'clawback_lapsed'))",
        "(SELECT -coalesce(sum(treasury_advance_fen), 0) FROM settlement_fund)",
    ),
)


def ties() -> list[tuple[str, int, int]]:
    """What must be equal over the whole book: what, and both sides in fen, each from its own rows."""
    return [
        (what, int(one or 0), int(other or 0))
        for what, left, right in _TIES
        for one, other in rows(f"SELECT {left}, {right}")
    ]
