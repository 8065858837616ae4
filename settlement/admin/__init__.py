"""Pages of schemes, judgements and deductions: to look at, search and filter; runs change them."""

from settlement.admin import (
    clawbacks,
    deductions,
    enrolments,
    findings,
    history,
    jobs,
    ledger,
    note_sections,
    payouts,
    plans,
    recomputations,
    reconciliation,
    schemes,
    settlements,
    waiting,
)

__all__ = [
    "clawbacks",
    "deductions",
    "enrolments",
    "findings",
    "history",
    "jobs",
    "ledger",
    "note_sections",
    "payouts",
    "plans",
    "recomputations",
    "reconciliation",
    "schemes",
    "settlements",
    "waiting",
]
