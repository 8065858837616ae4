"""Pages of schemes, judgements and deductions: to look at, search and filter; runs change them."""

from settlement.admin import (
    clawbacks,
    deductions,
    enrolments,
    findings,
    ledger,
    note_sections,
    paper_sections,
    papers,
    payouts,
    plans,
    reconciliation,
    schemes,
    settlements,
)

__all__ = [
    "clawbacks",
    "deductions",
    "enrolments",
    "findings",
    "ledger",
    "note_sections",
    "paper_sections",
    "papers",
    "payouts",
    "plans",
    "reconciliation",
    "schemes",
    "settlements",
]
