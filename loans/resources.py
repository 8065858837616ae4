"""The file kinds as exports, with the columns that their import takes, so that a file can go round.

And the way in of django-import-export, whose pages ask a resource to import what they were given.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from import_export.resources import Resource
from import_export.results import Error, Result, RowResult

from config.kernel.services.export import Field, Register
from loans.files.kinds import KINDS
from loans.models import FileImport
from loans.services import file_imports
from loans.values.errors import DomainError

_INSTITUTION = "JOIN kernel_institution i ON i.id = t.institution_id"
_ORIGIN = "JOIN kernel_institution i ON i.id = n.origin_id"
_NOTE = f"JOIN loans_note n ON n.id = t.note_id {_ORIGIN}"
_ENTERPRISE = "JOIN loans_enterprise e ON e.id = t.enterprise_id"

_TYPES = {
    "amount": "amount",
    "rate": "rate",
    "share": "rate",
    "exchange_rate": "exchange_rate",
    "date": "date",
    "month": "month",
    "year": "int",
    "bool": "bool",
}

# Where a column's value is, when it is not simply t.<key>.
_SQL = {
    "institution_code": "i.code",
    "note_number": "n.note_number",
    "uscc": "e.uscc",
    "contract_number": "c.contract_number",
    "project_code": "p.project_code",
    "parent_code": "i.code",
}

# What staff see of the shared registry: enterprises with a contract or a note in their scope. Whoever
# sees a note sees its contract, also where the note has moved on from the institution that signed it.
_OWN_CONTRACTS = """(
    SELECT {0} FROM loans_contract c WHERE c.institution_id BETWEEN %(lo)s AND %(hi)s
    UNION SELECT {0} FROM loans_note n JOIN loans_contract c ON c.id = n.contract_id
    WHERE n.institution_id BETWEEN %(lo)s AND %(hi)s)"""
_OWN_ENTERPRISES = f"t.enterprise_id IN {_OWN_CONTRACTS.format('c.enterprise_id')}"
_WITHIN = {
    "enterprises": _OWN_ENTERPRISES,
    "enterprise-titles": _OWN_ENTERPRISES,
    "projects": f"{_OWN_ENTERPRISES} OR t.id IN {_OWN_CONTRACTS.format('c.project_id')}",
    "contracts": f"t.id IN {_OWN_CONTRACTS.format('c.id')}",
}

# kind → (source, order, scope column, columns that differ from the rules above)
_SOURCES: dict[str, tuple[str, str, str | None, dict[str, str]]] = {
    "institutions": (
        "kernel_institution t LEFT JOIN kernel_institution i ON i.id = t.parent_id",
        "t.id",
        "t.id",
        {"institution_code": "t.code"},
    ),
    "participations": (
        f"loans_participation t {_INSTITUTION}",
        "t.scheme_code, i.code, t.valid_from",
        "t.institution_id",
        {},
    ),
    "lpr": ("loans_lpr t", "t.published_on", None, {}),
    "enterprises": (
        f"loans_enterpriserecord t {_ENTERPRISE}",
        "e.uscc, t.valid_from",
        None,
        {"valid_from": "nullif(t.valid_from, date '0001-01-01')"},
    ),
    "enterprise-titles": (
        f"loans_enterprisetitle t {_ENTERPRISE}",
        "e.uscc, t.title, t.valid_from",
        None,
        {},
    ),
    "projects": (
        f"loans_project t {_ENTERPRISE}",
        "t.project_code",
        None,
        {"project_code": "t.project_code"},
    ),
    "contracts": (
        f"loans_contract t {_INSTITUTION} {_ENTERPRISE} "
        "LEFT JOIN loans_project p ON p.id = t.project_id",
        "i.code, t.contract_number",
        "t.institution_id",
        {"contract_number": "t.contract_number"},
    ),
    "syndicate-shares": (
        f"loans_syndicateshare t {_INSTITUTION} JOIN loans_contract c ON c.id = t.contract_id "
        "JOIN kernel_institution pi ON pi.id = t.participant_id",
        "i.code, c.contract_number, pi.code",
        "t.institution_id",
        {"participant_code": "pi.code"},
    ),
    "notes": (
        "loans_note t JOIN kernel_institution i ON i.id = t.origin_id "
        "JOIN loans_contract c ON c.id = t.contract_id",
        "i.code, t.note_number",
        "t.institution_id",
        {
            "note_number": "t.note_number",
            "equipment_amount": "t.equipment_fen",
            "annual_rate": "t.rate_ppm",
            "exchange_rate": "t.exchange_rate_e8",
            "scheme_codes": "array_to_string(t.scheme_codes, ';')",
        },
    ),
    "equipment-invoices": (
        f"loans_equipmentinvoice t {_NOTE}",
        "i.code, n.note_number, t.invoice_number, t.serial_number",
        "t.institution_id",
        {},
    ),
    "repayments": (f"loans_repayment t {_NOTE}", "i.code, t.reference", "t.institution_id", {}),
    "note-statuses": (
        f"loans_notestatus t {_NOTE}",
        "i.code, n.note_number, t.status, t.starts_on",
        "t.institution_id",
        {},
    ),
    "guarantees": (
        f"loans_guarantee t {_NOTE}",
        "i.code, t.guarantee_number",
        "t.institution_id",
        {},
    ),
    "payout-agreements": (
        f"loans_payoutagreement t {_NOTE}",
        "i.code, n.note_number, t.scheme_code, t.valid_from",
        "t.institution_id",
        {},
    ),
    "interest-collections": (
        f"loans_interestcollection t {_NOTE}",
        "t.id",
        "t.institution_id",
        {},
    ),
    "external-subsidies": (
        "loans_externalsubsidy t LEFT JOIN kernel_institution i ON i.id = t.origin_id",
        "t.source, t.reference",
        "coalesce(t.institution_id, 0)",
        {"uscc": "t.uscc", "note_number": "t.note_number", "project_code": "t.project_code"},
    ),
    "scheme-funds": ("loans_schemefund t", "t.scheme_code, t.year", None, {}),
    "pre-allocations": (
        f"loans_preallocation t {_INSTITUTION}",
        "t.scheme_code, i.code, t.document_number, t.tier, t.purpose",
        "t.institution_id",
        {},
    ),
    "review-results": (
        f"loans_reviewresult t {_NOTE}",
        "t.scheme_code, i.code, n.note_number, t.month, t.document_number",
        "t.institution_id",
        {},
    ),
    "bank-statements": (
        f"loans_bankstatement t {_INSTITUTION}",
        "i.code, t.scheme_code, t.tier, t.moved_on, t.reference",
        "t.institution_id",
        {},
    ),
    "note-transfers": (
        f"loans_notetransfer t {_NOTE} JOIN kernel_institution ni ON ni.id = t.new_institution_id",
        "i.code, n.note_number, t.moved_on",
        "t.institution_id",
        {"new_institution_code": "ni.code"},
    ),
    "opening-positions": (
        f"loans_openingposition t {_NOTE}",
        "t.scheme_code, i.code, n.note_number, t.tier, t.year",
        "t.institution_id",
        {},
    ),
    "papers": (
        "(SELECT x.* FROM loans_paper x WHERE x.archive_number <> '' AND NOT EXISTS "
        "(SELECT FROM loans_paperwithdrawal w WHERE w.paper_id = x.id)) t "
        "LEFT JOIN loans_note n ON n.id = t.note_id "
        "JOIN kernel_institution i ON i.id = coalesce(n.origin_id, t.institution_id)",
        "t.note_id IS NULL, i.code, n.note_number, t.kind, t.archive_number",
        "t.institution_id",
        {},
    ),
    "enterprise-contacts": (
        f"loans_enterprisecontact t {_INSTITUTION} {_ENTERPRISE}",
        "i.code, e.uscc, t.channel",
        "t.institution_id",
        {},
    ),
    "compensations": (
        "loans_compensation t JOIN loans_guarantee g ON g.id = t.guarantee_id "
        "JOIN kernel_institution i ON i.id = t.origin_id",
        "i.code, t.reference",
        "t.institution_id",
        {"guarantee_number": "g.guarantee_number"},
    ),
}


def _column_sql(key: str, kind: str, overrides: dict[str, str]) -> str:
    if key in overrides:
        return overrides[key]
    if key in _SQL:
        return _SQL[key]
    suffix = {"amount": "_fen", "rate": "_ppm", "share": "_ppm"}.get(kind, "")
    return f"t.{key}{suffix}"


def import_kind_register(kind: str) -> Register:
    """The stored rows of a file kind, as the file that would bring them in."""
    source, order, scope, overrides = _SOURCES[kind]
    fields = tuple(
        Field(
            column.key,
            column.header_zh,
            _TYPES.get(column.type, "text"),
            _column_sql(column.key, column.type, overrides),
        )
        for column in KINDS[kind].columns
    )
    return Register(
        kind, KINDS[kind].title_zh, fields, source, order, scope, within=_WITHIN.get(kind, "")
    )


REGISTERS = {kind: import_kind_register(kind) for kind in _SOURCES}


class IntakeResource(Resource):  # type: ignore[misc]
    """A file on its way in as django-import-export's dataset: taken in by column, never row by row.

    Its own loop instantiates a model and a form of cleaning for each row; a file of 100,000 rows takes
    it minutes (DECISIONS, A20). Here a dry run looks at the whole file, and a real one takes it in.
    """

    def import_data(
        self,
        dataset: FileImport,
        dry_run: bool = False,  # noqa: FBT001, FBT002 (their signature)
        *,
        actor: str,
        at: datetime,
        fingerprint: str = "",
        **_hints: Any,
    ) -> Result:
        """Look at the file again, or take it in as it was shown (`fingerprint`); counts by row type.

        Refusals of the step are DomainError; a file that was not taken in has a base error that says why.
        """
        if dry_run:
            row = file_imports.look_again(import_id=dataset.pk, actor=actor, at=at)
        else:
            row = file_imports.confirm(
                import_id=dataset.pk, fingerprint=fingerprint, actor=actor, at=at
            )
        return _result(row)


def _result(row: FileImport) -> Result:
    result = Result()
    result.total_rows = row.rows or 0
    result.totals[RowResult.IMPORT_TYPE_NEW] = row.inserted or 0
    result.totals[RowResult.IMPORT_TYPE_UPDATE] = row.corrected or 0
    result.totals[RowResult.IMPORT_TYPE_SKIP] = row.unchanged or 0
    result.totals[RowResult.IMPORT_TYPE_INVALID] = row.refused or 0
    if row.told:
        result.append_base_error(Error(DomainError("import_refused", row.told)))
    return result
