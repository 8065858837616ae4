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
