"""Reading a portfolio: rows of text as they stand in the files -> exact Python values.

Money is int fen, rates are Fractions (percent), dates are `datetime.date`. Only final facts are
known here: a natural key stands once, corrections are not this module's business.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import Path

Row = dict[str, str]
Portfolio = dict[str, list[Row]]
Key = tuple[str, str]  # institution code, note (or contract) number

KINDS = (
    "institutions", "participations", "lpr", "enterprises", "enterprise-titles", "projects",
    "contracts", "syndicate-shares", "notes", "equipment-invoices", "repayments", "note-statuses",
    "guarantees", "interest-collections", "external-subsidies", "scheme-funds", "pre-allocations",
    "review-results", "bank-statements", "note-transfers", "opening-positions",
)  # fmt: skip


def load(folder: str | Path) -> Portfolio:
    """All kinds found in a folder of CSV files, as rows of text."""
    found: Portfolio = {}
    for kind in KINDS:
        path = Path(folder) / f"{kind}.csv"
        if path.exists():
            with path.open(encoding="utf-8-sig", newline="") as file:
                found[kind] = list(csv.DictReader(file))
    return found


def day(text: str) -> date:
    return date.fromisoformat(text)


def day_or(text: str | None, default: date) -> date:
    return day(text) if text else default


def fen(text: str) -> int:
    """Yuan as text -> fen; more than two decimals would be a mistake of the portfolio."""
    value = Fraction(text.replace(",", "")) * 100
    if value.denominator != 1:
        raise ValueError(f"not whole fen: {text}")
    return value.numerator


def yuan(amount_fen: int) -> str:
    """Fen as yuan text with two decimals."""
    sign, whole = "-" if amount_fen < 0 else "", abs(amount_fen)
    return f"{sign}{whole // 100}.{whole % 100:02d}"


def half_up(value: Fraction) -> int:
    """To the nearest whole fen, halves away from zero (D8)."""
    if value < 0:
        return -half_up(-value)
    return (value.numerator * 2 + value.denominator) // (value.denominator * 2)


def add_months(start: date, months: int) -> date:
    """Same day of the month, or the month's last day (D3)."""
    year, month0 = divmod(start.year * 12 + start.month - 1 + months, 12)
    for last in (start.day, 30, 29, 28):
        try:
            return date(year, month0 + 1, min(start.day, last))
        except ValueError:
            continue
    raise ValueError(start)


@dataclass
class Note:
    """A drawdown note with what its contract says."""

    institution: str
    number: str
    contract: str
    uscc: str
    signed_on: date
    loan_type: str
    purpose: str
    project: str
    drawn_on: date
    matures_on: date
    principal: int
    equipment: int
    annual_rate: Fraction
    exchange_rate: Fraction
    labels: list[str]
    repayments: list[tuple[date, int]] = field(default_factory=list)
    statuses: list[tuple[str, date, date]] = field(default_factory=list)

    @property
    def key(self) -> Key:
        return (self.institution, self.number)

    @property
    def order(self) -> tuple[date, str, str]:
        return (self.drawn_on, self.institution, self.number)

    def balance_on(self, on: date) -> int:
        """A repayment lowers the balance from its own day on (D5); never outside 0 … principal."""
        left = self.principal - sum(amount for paid_on, amount in self.repayments if paid_on <= on)
        return min(max(left, 0), self.principal)


@dataclass
class Collection:
    """A collection that happened (a plan is none)."""

    note: Key
    start: date
    end: date
    due: int
    paid: int
    on: date
    reference: str

    @property
    def order(self) -> tuple[date, str, str, date, str]:
        """D9. Two periods of one start and reference cannot be: a reference stands once."""
        return (self.on, *self.note, self.start, self.reference)


@dataclass
class Opening:
    scheme: str
    note: Key
    year: int
    amount: int
    interest: int
    paid_through: date


class Facts:
    """Everything the rules ask for, indexed in the simplest way."""

    def __init__(self, portfolio: Portfolio) -> None:
        self.rows = defaultdict(list, portfolio)
        self.parent = {
            r["institution_code"]: r.get("parent_code", "") for r in self.rows["institutions"]
        }
        self.lpr = sorted(
            (day(r["published_on"]), Fraction(r["one_year"]), Fraction(r["five_year"]))
            for r in self.rows["lpr"]
        )
        self.notes = self._notes()
        self.collections = self._collections()
        self.openings = [self._opening(r) for r in self.rows["opening-positions"]]
        self.funds = {
            (r["scheme_code"], int(r["year"])): fen(r["amount"]) for r in self.rows["scheme-funds"]
        }

    def _notes(self) -> dict[Key, Note]:
        contracts = {
            (r["institution_code"], r["contract_number"]): r for r in self.rows["contracts"]
        }
        notes = [
            self._note(r, contracts[r["institution_code"], r["contract_number"]])
            for r in self.rows["notes"]
        ]
        found = {note.key: note for note in notes}
        for r in self.rows["repayments"]:
            note = found[r["institution_code"], r["note_number"]]
            note.repayments.append((day(r["repaid_on"]), fen(r["amount"])))
        for r in self.rows["note-statuses"]:
            note = found[r["institution_code"], r["note_number"]]
            ends_on = day_or(r.get("ends_on"), date.max)
            note.statuses.append((r["status"], day(r["starts_on"]), ends_on))
        return found

    @staticmethod
    def _note(r: Row, contract: Row) -> Note:
        return Note(
            institution=r["institution_code"],
            number=r["note_number"],
            contract=r["contract_number"],
            uscc=contract["uscc"],
            signed_on=day(contract["signed_on"]),
            loan_type=contract["loan_type"],
            purpose=contract["purpose_field"],
            project=contract.get("project_code") or "",
            drawn_on=day(r["drawn_on"]),
            matures_on=day(r["matures_on"]),
            principal=fen(r["principal"]),
            equipment=fen(r.get("equipment_amount") or "0"),
            annual_rate=Fraction(r["annual_rate"]),
            exchange_rate=Fraction(r.get("exchange_rate") or "1"),
            labels=[code for code in (r.get("scheme_codes") or "").split(";") if code],
        )

    def _collections(self) -> list[Collection]:
        """In D9's order. A row with blank interest_paid is a plan and earns nothing."""
        found = [
            Collection(
                note=(r["institution_code"], r["note_number"]),
                start=day(r["period_start"]),
                end=day(r["period_end"]),
                due=fen(r["interest_due"]),
                paid=fen(r["interest_paid"]),
                on=day(r["collected_on"]),
                reference=r["reference"],
            )
            for r in self.rows["interest-collections"]
            if r["interest_paid"]
        ]
        return sorted(found, key=lambda c: c.order)

    @staticmethod
    def _opening(r: Row) -> Opening:
        return Opening(
            scheme=r["scheme_code"],
            note=(r["institution_code"], r["note_number"]),
            year=int(r["year"]),
            amount=fen(r["amount"]),
            interest=fen(r["interest_paid"]),
            paid_through=day(r["paid_through"]),
        )

    def ancestors(self, institution: str) -> list[str]:
        """The institution itself first, its head office last."""
        chain = [institution]
        while self.parent.get(chain[-1]):
            chain.append(self.parent[chain[-1]])
        return chain

    def enterprise_on(self, uscc: str, on: date) -> Row:
        """The attributes in force on a day; the earliest known ones if none was in force yet."""
        dated = sorted(
            (day_or(r.get("valid_from"), date.min), n, r)
            for n, r in enumerate(self.rows["enterprises"])
            if r["uscc"] == uscc
        )
        in_force = [r for valid_from, _, r in dated if valid_from <= on]
        return in_force[-1] if in_force else dated[0][2]
