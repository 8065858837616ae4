"""Pages of facts: to look at, search and filter; files change them."""

from loans.admin import (
    cashflows,
    contracts,
    evidence,
    history,
    intake,
    note_events,
    notes,
    parties,
    policies,
)

__all__ = [
    "cashflows",
    "contracts",
    "evidence",
    "history",
    "intake",
    "note_events",
    "notes",
    "parties",
    "policies",
]
