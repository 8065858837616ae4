"""Pages of facts: to look at, search and filter; files change them."""

from loans.admin import (
    cashflows,
    contacts,
    contracts,
    evidence,
    history,
    import_undos,
    imports,
    intake,
    note_events,
    notes,
    papers,
    parties,
    policies,
)

__all__ = [
    "cashflows",
    "contacts",
    "contracts",
    "evidence",
    "history",
    "import_undos",
    "imports",
    "intake",
    "note_events",
    "notes",
    "papers",
    "parties",
    "policies",
]
