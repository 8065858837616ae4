"""What all notes that share a cap used of it: totals that count other institutions' notes, unseen."""

from __future__ import annotations

from dataclasses import dataclass

from config.kernel.services.bulk import rows


@dataclass(frozen=True)
class UsedBefore:
    """What a collection found used of a cap, in fen: granted here, before this system, by leasing."""

    granted_fen: int
    opening_fen: int
    leasing_fen: int


@dataclass(frozen=True)
class EnterpriseUse:
    """A total over an enterprise's notes at every bank, in fen.

    `kind`: granted, opening, leasing (by year of the money), project (granted and opening, of all who
    finance it), principal (eligible, by year of drawdown and loan type).
    """

    kind: str
    scheme_code: str
    loan_type: str
    project_id: int
    year: int
    amount_fen: int


def used_before(*, collection_id: int, scheme_id: int, per: str, yearly: bool) -> UsedBefore:
    """What notes sharing the cap were granted under a scheme before this collection (D9)."""
    ((granted, opening, leasing),) = rows(
        "SELECT * FROM settlement_used_before(%s, %s, %s, %s)",
        [collection_id, scheme_id, per, yearly],
    )
    return UsedBefore(granted, opening, leasing)


def enterprise_use(*, enterprise_id: int) -> list[EnterpriseUse]:
    """Everything an enterprise used of its caps; nothing if whoever asks has no contract with it."""
    found = rows(
        "SELECT * FROM settlement_enterprise_use(%s) ORDER BY 1, 2, 3, 4, 5", [enterprise_id]
    )
    return [EnterpriseUse(*row) for row in found]
