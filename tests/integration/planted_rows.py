"""Facts of loans as rows of the import files, gathered by kind: what duplicates are planted with."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from stdnum.cn import uscc as codes

HEAD_A, HEAD_B = "C0001110000000", "C0011110000001"
A1, A2, B1 = "C0001320100001", "C0001320100002", "C0011320100001"  # branches of banks 甲, 甲 and 乙
SME, EQUIPMENT = "central-sme-2026", "central-equipment-2026"
MAKING, SPORTS = "jiangsu-manufacturing-2026", "jiangsu-sports-2026"


def _purpose(schemes: str) -> str:
    """What a loan must be spent on to be eligible under its schemes."""
    if SME in schemes:
        return "工业母机"
    return "体育产业" if schemes == SPORTS else "工业"


class Rows:
    """Rows by kind, in the order they are told."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.count = 0
        self.principals: dict[tuple[str, str], int] = {}
        self.contracts: set[tuple[str, str]] = set()

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
                    "purpose_field": _purpose(schemes),
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
        reference = f"X{self.number():06d}"
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
