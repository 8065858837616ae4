"""A book of two banks to plant duplicates in: facts are gathered first, then imported and run at once."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

from stdnum.cn import uscc as codes

from loans.files.kinds import KINDS
from settlement.services.pre_allocations import book_pre_allocations
from settlement.services.schemes import load_schemes
from tests.integration.book import AT, import_rows, run

HEAD_A, HEAD_B = "C0001110000000", "C0011110000001"
A1, A2, B1 = "C0001320100001", "C0001320100002", "C0011320100001"  # branches of banks 甲, 甲 and 乙
SME, EQUIPMENT = "central-sme-2026", "central-equipment-2026"
MAKING, SPORTS = "jiangsu-manufacturing-2026", "jiangsu-sports-2026"
TREE = (
    (HEAD_A, "甲银行", "headquarters", "", "110000"),
    (A1, "甲银行一支行", "branch", HEAD_A, "320100"),
    (A2, "甲银行二支行", "branch", HEAD_A, "320100"),
    (HEAD_B, "乙银行", "headquarters", "", "310000"),
    (B1, "乙银行支行", "branch", HEAD_B, "320100"),
)


class Planted:
    """Rows by kind; `load` brings in what was gathered since, `run` posts it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.count = 0
        self.principals: dict[tuple[str, str], int] = {}
        self.contracts: set[tuple[str, str]] = set()
        load_schemes(paths=[], actor="system", checker="system-checker", at=AT)
        names = ("institution_code", "name", "level", "parent_code", "region_code")
        self.rows["institutions"] = [dict(zip(names, row, strict=True)) for row in TREE]
        self.rows["lpr"] = [{"published_on": "2025-05-20", "one_year": "3.00", "five_year": "3.50"}]
        self.rows["participations"] = [
            {"scheme_code": scheme, "institution_code": head, "valid_from": "2026-01-01"}
            for scheme in (SME, EQUIPMENT, MAKING, SPORTS)
            for head in (HEAD_A, HEAD_B)
        ]

    def number(self) -> int:
        """The next number, for names and references."""
        self.count += 1
        return self.count

    def enterprise(self, name: str = "", *, organisation: str = "", industry: str = "C3421") -> str:
        """A private small manufacturer in Jiangsu; gives its credit code."""
        count = self.number()
        stem = f"9132{count:04d}" + (organisation or f"MA{count:07d}")
        code = stem + str(codes.calc_check_digit(stem))
        self.rows["enterprises"].append(
            {
                "uscc": code, "name": name or f"样例机械{count}有限公司", "region_code": "320100",
                "industry_code": industry, "size": "small", "ownership": "private",
            }
        )  # fmt: skip
        return code

    def project(self, uscc: str, code: str) -> str:
        """A project of an enterprise."""
        self.rows["projects"].append(
            {"project_code": code, "uscc": uscc, "name": code, "region_code": "320100"}
        )
        return code

    def note(
        self, uscc: str, number: str, *, at: str = A1, contract: str = "", drawn: str = "2026-02-02",
        yuan: int = 3_600_000, schemes: str = SME, project: str = "", signed: str = "2026-01-20",
        amount: int = 0, collected: bool = True, loan_type: str = "fixed_asset",
    ) -> str:  # fmt: skip
        """A note at 4 %, and its contract unless that is there; a month's interest if `collected`."""
        contract = contract or f"HT{number}"
        if (at, contract) not in self.contracts:
            self.contracts.add((at, contract))
            self.rows["contracts"].append(
                {
                    "institution_code": at, "contract_number": contract, "uscc": uscc,
                    "signed_on": signed, "loan_type": loan_type,
                    "amount": f"{amount or yuan + self.number()}.00", "currency": "CNY",
                    "purpose_field": {SME: "工业母机", SPORTS: "体育产业"}.get(schemes, "工业"),
                    "project_code": project,
                }
            )  # fmt: skip
        self.rows["notes"].append(
            {
                "institution_code": at, "note_number": number, "contract_number": contract,
                "drawn_on": drawn, "matures_on": "2029-12-31", "principal": f"{yuan}.00",
                "equipment_amount": f"{yuan}.00",
                "annual_rate": "3.00" if schemes == SPORTS else "4.00", "scheme_codes": schemes,
            }
        )  # fmt: skip
        self.principals[at, number] = yuan
        if collected:
            start = date.fromisoformat(drawn)
            self.collect(number, str(start), str(date(start.year, start.month + 1, 2)), at=at)
        return number

    def collect(self, number: str, start: str, end: str, *, at: str = A1, paid: str = "") -> None:
        """Interest at 4 % for a period, collected on its last day, in whole or in part."""
        days = (date.fromisoformat(end) - date.fromisoformat(start)).days
        due = f"{self.principals[at, number] * 4 * days // 36_000}.00"
        self.rows["interest-collections"].append(
            {
                "institution_code": at, "note_number": number, "period_start": start,
                "period_end": end, "interest_due": due, "interest_paid": paid or due,
                "collected_on": end, "reference": f"S{self.number()}",
            }
        )  # fmt: skip

    def invoice(
        self, number: str, invoice: str, *, at: str = A1, serial: str = "", supplier: str = "",
        issued: str = "2026-01-30", yuan: int = 100_000,
    ) -> None:  # fmt: skip
        """An equipment invoice of a note."""
        self.rows["equipment-invoices"].append(
            {
                "institution_code": at, "note_number": number, "invoice_number": invoice,
                "issued_on": issued, "amount": f"{yuan}.00", "serial_number": serial,
                "supplier": supplier,
            }
        )  # fmt: skip

    def repay(self, number: str, on: str, yuan: int, *, at: str = A1) -> None:
        """Principal paid back."""
        self.rows["repayments"].append(
            {
                "institution_code": at, "note_number": number, "repaid_on": on,
                "amount": f"{yuan}.00", "reference": f"R{self.number()}",
            }
        )  # fmt: skip

    def status(self, number: str, status: str, starts: str, *, at: str = A1) -> None:
        """A note overdue, extended or worse from a day on."""
        self.rows["note-statuses"].append(
            {"institution_code": at, "note_number": number, "status": status, "starts_on": starts}
        )

    def guarantee(self, number: str, yuan: int, *, at: str = A1) -> None:
        """A year's guarantee of a note."""
        self.rows["guarantees"].append(
            {
                "institution_code": at, "note_number": number, "guarantee_number": f"G{number}",
                "guarantor": "省信用再担保集团", "principal": f"{yuan}.00", "starts_on": "2026-02-02",
                "ends_on": "2027-02-02", "fee_rate": "0.9",
            }
        )  # fmt: skip

    def outside(
        self, uscc: str, kind: str = "loan_interest", yuan: int = 1_000, **fields: Any
    ) -> str:
        """An outside subsidy; gives its reference."""
        reference = f"X{self.number()}"
        row = {
            "source": "市财政局", "reference": reference, "uscc": uscc, "kind": kind,
            "scheme_name": "市级贴息", "institution_code": "", "note_number": "",
            "project_code": "", "invoice_number": "", "year": "2026", "amount": f"{yuan}.00",
        }  # fmt: skip
        self.rows["external-subsidies"].append(row | fields)
        return reference

    def receive(self, scheme: str, tier: str, on: str, yuan: int, *, at: str = HEAD_B) -> None:
        """Money from finance."""
        self.rows["pre-allocations"].append(
            {
                "scheme_code": scheme, "institution_code": at, "tier": tier, "received_on": on,
                "amount": f"{yuan}.00", "document_number": f"D{self.number()}",
            }
        )  # fmt: skip

    def load(self) -> None:
        """Bring in everything gathered since the last time."""
        for kind in KINDS:
            if self.rows[kind]:
                import_rows(kind, self.rows[kind], self.folder)
        book_pre_allocations(actor="system-checker", at=AT)
        self.rows.clear()

    def post(self) -> None:
        """Bring in and run."""
        self.load()
        run()
