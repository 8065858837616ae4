"""Pages of schemes, judgements and deductions: to look at, search and filter; runs change them."""

from settlement.admin import (
    clawbacks,
    deductions,
    enrolments,
    enterprise_sections,
    findings,
    ledger,
    missed_labels,
    note_events,
    note_sections,
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
    "enterprise_sections",
    "findings",
    "ledger",
    "missed_labels",
    "note_events",
    "note_sections",
    "payouts",
    "plans",
    "reconciliation",
    "schemes",
    "settlements",
]
