"""All file kinds of the contract, in import order."""

from loans.files import kinds_contacts as contacts
from loans.files import kinds_evidence as evidence
from loans.files import kinds_loans as loans
from loans.files import kinds_papers as papers
from loans.files import kinds_reference as reference
from loans.files.kind_types import Check, Column, ColumnType, Kind, KindClass, Sign

__all__ = ["KINDS", "Check", "Column", "ColumnType", "Kind", "KindClass", "Sign"]

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        reference.INSTITUTIONS,
        reference.PARTICIPATIONS,
        reference.LPR,
        reference.ENTERPRISES,
        reference.ENTERPRISE_TITLES,
        reference.PROJECTS,
        loans.CONTRACTS,
        reference.SYNDICATE_SHARES,
        loans.NOTES,
        loans.EQUIPMENT_INVOICES,
        evidence.REPAYMENTS,
        loans.NOTE_STATUSES,
        reference.GUARANTEES,
        reference.PAYOUT_AGREEMENTS,
        evidence.INTEREST_COLLECTIONS,
        evidence.EXTERNAL_SUBSIDIES,
        reference.SCHEME_FUNDS,
        evidence.PRE_ALLOCATIONS,
        evidence.REVIEW_RESULTS,
        evidence.BANK_STATEMENTS,
        reference.NOTE_TRANSFERS,
        reference.OPENING_POSITIONS,
        evidence.COMPENSATIONS,
        papers.PAPERS,
        contacts.ENTERPRISE_CONTACTS,
    )
}
