"""What a check has to look at: what changed since the last one, and what links enterprises to each other."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from config.kernel.services.bulk import read_frame, rows

CODES = "SELECT id, uscc FROM loans_enterprise"
PROJECTS = (
    "SELECT DISTINCT c.enterprise_id, p.project_code FROM loans_contract c"
    " JOIN loans_project p ON p.id = c.project_id"
)
INVOICES = (
    "SELECT DISTINCT c.enterprise_id, v.invoice_number, v.serial_number, v.supplier, v.issued_on"
    " FROM loans_equipmentinvoice v JOIN loans_note n ON n.id = v.note_id"
    " JOIN loans_contract c ON c.id = n.contract_id"
)


LIKE = """
    SELECT DISTINCT c.enterprise_id FROM loans_equipmentinvoice v JOIN loans_note n ON n.id = v.note_id
    JOIN loans_contract c ON c.id = n.contract_id
    WHERE v.amount_fen > 0 AND v.amount_fen IN (
        SELECT o.amount_fen FROM loans_equipmentinvoice o JOIN loans_note m ON m.id = o.note_id
        JOIN loans_contract d ON d.id = m.contract_id WHERE d.enterprise_id = ANY(%s))
"""


def take_due() -> list[int | None]:
    """Take every change off the list that is on it now: the enterprises; None stands for everybody.

    What changes after this stays on the list, whether the check that follows reads it or not.
    """
    return [row[0] for row in rows("DELETE FROM settlement_duplicatedue RETURNING enterprise_id")]


def codes() -> pl.DataFrame:
    """Every enterprise's credit code."""
    return read_frame(CODES, schema={"enterprise_id": pl.Int64, "uscc": pl.String})


def projects() -> pl.DataFrame:
    """Which projects does each enterprise hold contracts for, subsidised or not?"""
    return read_frame(PROJECTS, schema={"enterprise_id": pl.Int64, "project_code": pl.String})


def invoices() -> pl.DataFrame:
    """Which invoices and machines are on notes of each enterprise, subsidised or not?"""
    return read_frame(
        INVOICES,
        schema={
            "enterprise_id": pl.Int64,
            "invoice_number": pl.String,
            "serial_number": pl.String,
            "supplier": pl.String,
            "issued_on": pl.Date,
        },
    )


def with_invoices_like(*, enterprise_ids: Sequence[int]) -> list[int]:
    """Whoever has an invoice of an amount that an invoice of these enterprises has."""
    return [int(row[0]) for row in rows(LIKE, [list(enterprise_ids)])]
