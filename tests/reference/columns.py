"""The columns of each file kind in the files' own order, and each kind's natural key."""

from __future__ import annotations

COLUMNS = {
    "institutions": "institution_code name level parent_code region_code",
    "participations": "scheme_code institution_code valid_from valid_to",
    "lpr": "published_on one_year five_year",
    "enterprises": "uscc name region_code industry_code size ownership environment_rating"
    " tax_rating dishonest valid_from",
    "enterprise-titles": "uscc title valid_from valid_to",
    "projects": "project_code uscc name region_code",
    "contracts": "institution_code contract_number uscc signed_on loan_type amount currency"
    " purpose_field project_code",
    "notes": "institution_code note_number contract_number drawn_on matures_on principal"
    " equipment_amount annual_rate exchange_rate scheme_codes",
    "repayments": "institution_code note_number repaid_on amount reference",
    "note-statuses": "institution_code note_number status starts_on ends_on",
    "guarantees": "institution_code note_number guarantee_number guarantor principal starts_on"
    " ends_on fee_rate",
    "interest-collections": "institution_code note_number period_start period_end interest_due"
    " interest_paid collected_on reference",
    "external-subsidies": "source reference uscc kind scheme_name institution_code note_number"
    " project_code invoice_number year amount",
    "scheme-funds": "scheme_code year amount",
    "note-transfers": "institution_code note_number moved_on new_institution_code",
    "opening-positions": "scheme_code institution_code note_number tier year amount interest_paid"
    " paid_through",
}

KEYS = {
    "institutions": "institution_code",
    "participations": "scheme_code institution_code valid_from",
    "lpr": "published_on",
    "enterprises": "uscc valid_from",
    "enterprise-titles": "uscc title valid_from",
    "projects": "project_code",
    "contracts": "institution_code contract_number",
    "notes": "institution_code note_number",
    "repayments": "institution_code reference",
    "note-statuses": "institution_code note_number status starts_on",
    "guarantees": "institution_code guarantee_number",
    "interest-collections": "institution_code reference",
    "external-subsidies": "source reference",
    "scheme-funds": "scheme_code year",
    "note-transfers": "institution_code note_number moved_on",
    "opening-positions": "scheme_code institution_code note_number tier year",
}


def columns_of(kind: str) -> list[str]:
    return COLUMNS[kind].split()


def key_of(kind: str, row: dict[str, str]) -> tuple[str, ...]:
    """The natural key; a plan and the collection that completes it share one."""
    return tuple(row[column] for column in KEYS[kind].split())
