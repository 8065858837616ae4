"""Where each file kind goes: look-ups, table columns, natural key and set-based checks, as data."""

from __future__ import annotations

from loans.services.target_parts import (
    ABOVE_PRINCIPAL,
    CONTRACT,
    CONTRACT_TOUCHES,
    ENTERPRISE,
    EXTERNAL_TOUCHES,
    INSTITUTION,
    KNOWN_SCHEMES,
    NEW_INSTITUTION,
    NOTE,
    NOTE_ENTERPRISE,
    NOTE_IF_KNOWN,
    NOTE_TOUCHES,
    OF_KEYED_NOTE,
    OF_NOTE,
    OPTIONAL_INSTITUTION,
    PARTICIPANT,
    PLAN_AFTER_COLLECTION,
    PLAN_DIFFERS,
    PRINCIPAL_BELOW_REPAID,
    PROJECT,
    RECORD_IN_FORCE,
    SCHEME,
    SHARES_WITHIN_WHOLE,
    TOUCH_ROWS,
    Target,
)


def _plain(*names: str) -> dict[str, str]:
    return {name: f"s.{name}" for name in names}


def _fen(*names: str) -> dict[str, str]:
    return {f"{name}_fen": f"s.{name}" for name in names}


def _ppm(*names: str) -> dict[str, str]:
    return {f"{name}_ppm": f"s.{name}" for name in names}


TARGETS: dict[str, Target] = {
    "participations": Target(
        table="loans_participation",
        joins=(SCHEME, INSTITUTION),
        columns={
            **_plain("scheme_code", "valid_from", "valid_to"),
            "institution_id": "i.id",
        },
        key=("scheme_code", "institution_id", "valid_from"),
        scope="institution_id",
        administrators_only=True,
    ),
    "lpr": Target(
        table="loans_lpr",
        columns={**_plain("published_on"), **_ppm("one_year", "five_year")},
        key=("published_on",),
        administrators_only=True,
    ),
    "enterprises": Target(
        table="loans_enterpriserecord",
        joins=(ENTERPRISE,),
        columns={
            "enterprise_id": "e.id",
            "valid_from": "coalesce(s.valid_from, date '0001-01-01')",
            **_plain("name", "region_code", "industry_code", "size", "ownership"),
            **_plain("environment_rating", "tax_rating"),
            "dishonest": "coalesce(s.dishonest, false)",
        },
        key=("enterprise_id", "valid_from"),
        bank_match=RECORD_IN_FORCE,
        touches=(TOUCH_ROWS,),
        shared=True,
        also_writes=("loans_enterprise",),
    ),
    "enterprise-titles": Target(
        table="loans_enterprisetitle",
        joins=(ENTERPRISE,),
        columns={"enterprise_id": "e.id", **_plain("title", "valid_from", "valid_to")},
        key=("enterprise_id", "title", "valid_from"),
        touches=(TOUCH_ROWS,),
        administrators_only=True,
    ),
    "projects": Target(
        table="loans_project",
        joins=(ENTERPRISE,),
        columns={"enterprise_id": "e.id", **_plain("project_code", "name", "region_code")},
        key=("project_code",),
        shared=True,
    ),
    "contracts": Target(
        table="loans_contract",
        joins=(INSTITUTION, ENTERPRISE, PROJECT),
        columns={
            "institution_id": "i.id",
            "enterprise_id": "e.id",
            "project_id": "p.id",
            **_plain("contract_number", "signed_on", "loan_type", "currency", "purpose_field"),
            **_fen("amount"),
        },
        key=("institution_id", "contract_number"),
        scope="institution_id",
        scope_columns=(),
        touches=CONTRACT_TOUCHES,
    ),
    "syndicate-shares": Target(
        table="loans_syndicateshare",
        joins=(INSTITUTION, CONTRACT, PARTICIPANT),
        columns={
            "institution_id": "i.id",
            "contract_id": "c.id",
            "participant_id": "pi.id",
            **_ppm("share"),
        },
        key=("contract_id", "participant_id"),
        scope="institution_id",
        checks=(SHARES_WITHIN_WHOLE,),
    ),
    "notes": Target(
        table="loans_note",
        joins=(INSTITUTION, CONTRACT, NOTE_IF_KNOWN),
        columns={
            "institution_id": "coalesce(n.institution_id, i.id)",
            "origin_id": "i.id",
            "contract_id": "c.id",
            **_plain("note_number", "drawn_on", "matures_on"),
            "scheme_codes": "coalesce(s.scheme_codes, '{}')",
            **_fen("principal"),
            "equipment_fen": "coalesce(s.equipment_amount, 0)",
            "rate_ppm": "s.annual_rate",
            "exchange_rate_e8": "s.exchange_rate",
        },
        key=("origin_id", "note_number"),
        extras={"enterprise_id": "c.enterprise_id"},
        scope="institution_id",
        checks=(KNOWN_SCHEMES, PRINCIPAL_BELOW_REPAID),
        touches=NOTE_TOUCHES,
        blame={
            "equipment_fen": "equipment_amount",
            "rate_ppm": "annual_rate",
            "exchange_rate_e8": "exchange_rate",
        },
    ),
    "equipment-invoices": Target(
        table="loans_equipmentinvoice",
        joins=(INSTITUTION, NOTE),
        columns={
            **OF_NOTE,
            **_plain("invoice_number", "issued_on", "serial_number", "supplier"),
            **_fen("amount"),
        },
        key=("note_id", "invoice_number", "serial_number"),
        scope="institution_id",
    ),
    "repayments": Target(
        table="loans_repayment",
        joins=(INSTITUTION, NOTE),
        columns={**OF_KEYED_NOTE, **_plain("repaid_on", "reference"), **_fen("amount")},
        key=("origin_id", "reference"),
        extras=NOTE_ENTERPRISE,
        scope="institution_id",
        checks=(ABOVE_PRINCIPAL,),
        touches=(TOUCH_ROWS,),
    ),
    "note-statuses": Target(
        table="loans_notestatus",
        joins=(INSTITUTION, NOTE),
        columns={**OF_NOTE, **_plain("status", "starts_on", "ends_on")},
        key=("note_id", "status", "starts_on"),
        extras=NOTE_ENTERPRISE,
        scope="institution_id",
        touches=(TOUCH_ROWS,),
    ),
    "guarantees": Target(
        table="loans_guarantee",
        joins=(INSTITUTION, NOTE),
        columns={
            **OF_KEYED_NOTE,
            **_plain("guarantee_number", "guarantor", "starts_on", "ends_on"),
            **_fen("principal"),
            **_ppm("fee_rate"),
        },
        key=("origin_id", "guarantee_number"),
        scope="institution_id",
    ),
    "interest-collections": Target(
        table="loans_interestcollection",
        joins=(INSTITUTION, NOTE),
        columns={
            **OF_KEYED_NOTE,
            **_plain("period_start", "period_end", "collected_on", "reference"),
            **_fen("interest_due", "interest_paid"),
        },
        key=("origin_id", "reference"),
        match="t.origin_id = r.origin_id AND t.reference = r.reference "
        "AND (t.interest_paid_fen IS NULL) = (r.interest_paid_fen IS NULL)",
        extras=NOTE_ENTERPRISE,
        scope="institution_id",
        checks=(PLAN_DIFFERS, PLAN_AFTER_COLLECTION),
        touches=(TOUCH_ROWS,),
    ),
    "external-subsidies": Target(
        table="loans_externalsubsidy",
        joins=(OPTIONAL_INSTITUTION, NOTE_IF_KNOWN),
        columns={
            "institution_id": "coalesce(n.institution_id, i.id)",
            "origin_id": "i.id",
            **_plain("source", "reference", "uscc", "kind", "scheme_name", "note_number"),
            **_plain("project_code", "invoice_number", "year"),
            **_fen("amount"),
        },
        key=("source", "reference"),
        scope="institution_id",
        touches=EXTERNAL_TOUCHES,
    ),
    "scheme-funds": Target(
        table="loans_schemefund",
        joins=(SCHEME,),
        columns={**_plain("scheme_code", "year"), **_fen("amount")},
        key=("scheme_code", "year"),
        administrators_only=True,
    ),
    "pre-allocations": Target(
        table="loans_preallocation",
        joins=(SCHEME, INSTITUTION),
        columns={
            "institution_id": "i.id",
            **_plain("scheme_code", "tier", "received_on", "document_number"),
            **_fen("amount"),
        },
        key=("scheme_code", "document_number", "institution_id", "tier"),
        scope="institution_id",
        scope_columns=(),
    ),
    "review-results": Target(
        table="loans_reviewresult",
        joins=(SCHEME, INSTITUTION, NOTE),
        columns={
            **OF_NOTE,
            **_plain("scheme_code", "month", "result", "reason", "document_number"),
            **_fen("amount"),
        },
        key=("scheme_code", "note_id", "month", "document_number"),
        scope="institution_id",
    ),
    "bank-statements": Target(
        table="loans_bankstatement",
        joins=(INSTITUTION, SCHEME),
        columns={
            "institution_id": "i.id",
            **_plain("scheme_code", "tier", "moved_on", "reference", "summary"),
            **_fen("amount", "balance"),
        },
        key=("institution_id", "scheme_code", "tier", "reference"),
        scope="institution_id",
        scope_columns=(),
    ),
    "note-transfers": Target(
        table="loans_notetransfer",
        joins=(INSTITUTION, NOTE, NEW_INSTITUTION),
        columns={**OF_NOTE, **_plain("moved_on"), "new_institution_id": "ni.id"},
        key=("note_id", "moved_on"),
        extras=NOTE_ENTERPRISE,
        scope="institution_id",
        touches=(TOUCH_ROWS,),
        blame={"new_institution_id": "new_institution_code"},
    ),
    "opening-positions": Target(
        table="loans_openingposition",
        joins=(SCHEME, INSTITUTION, NOTE),
        columns={
            **OF_NOTE,
            **_plain("scheme_code", "tier", "year", "paid_through"),
            **_fen("amount", "interest_paid"),
        },
        key=("scheme_code", "note_id", "tier", "year"),
        extras=NOTE_ENTERPRISE,
        scope="institution_id",
        touches=(TOUCH_ROWS,),
    ),
}
