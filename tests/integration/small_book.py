"""A book small enough to reckon by heart: every day of every note earns 100 yuan.

Two banks, notes of 3,600,000 yuan at 3 %, one per cent subsidised, days ÷ 360.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from django.db.models import Sum

from loans.models import Enterprise
from settlement.models import Deduction
from settlement.services.schemes import load_schemes
from settlement.services.verification import verify
from tests.integration.book import AT, import_rows

FIRST, SECOND, THIRD = "91320300MANNX8B87A", "91321300MA0LLBKR9E", "91320200MAK7BFEJ58"
NORTH, SOUTH = "C0001320100000", "C0011320100000"  # branches of two banks
TREE = (
    (NORTH.replace("320100", "110000"), "甲银行", "headquarters", "", "110000"),
    (NORTH, "甲银行支行", "branch", NORTH.replace("320100", "110000"), "320100"),
    (SOUTH.replace("320100", "110000"), "乙银行", "headquarters", "", "310000"),
    (SOUTH, "乙银行支行", "branch", SOUTH.replace("320100", "110000"), "320100"),
)
SCHEME = """
code = "{code}"
name_zh = "试验"
name_en = "Test"
document = "试验"
priority = {{ value = 90, assumed_because = "test" }}
fund_level = {{ value = "provincial", assumed_because = "test" }}
shortfall = {{ value = "{shortfall}", assumed_because = "test" }}
duplicate_rule = {{ value = "stack_under_ceiling", assumed_because = "test" }}
interest_ceiling = {{ value = true, assumed_because = "test" }}
fund_method = {{ value = "{fund}", assumed_because = "test" }}
{more}
[window]
term = {{ months = 36, assumed_because = "test" }}
[rate]
method = {{ value = "points", assumed_because = "test" }}
day_count = {{ value = "actual_360", assumed_because = "test" }}
tiers.municipal = {{ points = "{points}", assumed_because = "test" }}
[eligible]
base = {{ value = "principal", assumed_because = "test" }}
"""


def capped(per: str, yuan: int) -> str:
    """A cap per enterprise or project and year, as a scheme file says it."""
    return (
        f'[[amount_caps]]\nper = "{per}"\nspan = "year"\nyuan = "{yuan}"\nassumed_because = "test"'
    )


class SmallBook:
    """Facts entered row by row, and what came of them in whole yuan."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0
        names = ("institution_code", "name", "level", "parent_code", "region_code")
        self.enter("institutions", *(dict(zip(names, row, strict=True)) for row in TREE))
        for uscc in (FIRST, SECOND, THIRD):
            self.enterprise(uscc)

    def enter(self, kind: str, *rows: dict[str, Any]) -> None:
        """Import one file."""
        import_rows(kind, rows, self.folder)

    def scheme(
        self, *, more: str = "", points: str = "1", fund: str = "unlimited", code: str = "test",
        checker: str | None = "system-checker", shortfall: str = "advance",
    ) -> None:  # fmt: skip
        """Load a scheme that all institutions take part in, or a new version of it."""
        head, _, caps = more.partition("[[")
        text = SCHEME.format(code=code, more=head, points=points, fund=fund, shortfall=shortfall)
        path = self.folder / f"{code}.toml"
        path.write_text(text + (f"[[{caps}" if caps else ""), encoding="utf-8")
        load_schemes(paths=[path], actor="system", checker=checker, at=AT)
        self.participation(code)

    def participation(self, code: str = "test", valid_to: str = "") -> None:
        """All banks take part in a scheme, until a day if any."""
        for bank in (TREE[0][0], TREE[2][0]):
            row = {"scheme_code": code, "institution_code": bank, "valid_from": "2026-01-01"}
            self.enter("participations", {**row, "valid_to": valid_to})

    def enterprise(self, uscc: str, **changes: str) -> None:
        """An enterprise that could have any subsidy."""
        row = {
            "uscc": uscc, "name": "甲公司", "region_code": "320100", "industry_code": "C3512",
            "size": "small", "ownership": "private",
        }  # fmt: skip
        self.enter("enterprises", {**row, **changes})

    def project(self, code: str, uscc: str = FIRST) -> None:
        """Register a project."""
        self.enter(
            "projects", {"project_code": code, "uscc": uscc, "name": code, "region_code": "320100"}
        )

    def contract(self, number: str, uscc: str, *, project: str = "", at: str = NORTH) -> None:
        """A contract, or its correction."""
        self.enter(
            "contracts",
            {
                "institution_code": at, "contract_number": number, "uscc": uscc,
                "signed_on": "2026-01-02", "loan_type": "fixed_asset", "amount": "3600000.00",
                "currency": "CNY", "purpose_field": "工业母机", "project_code": project,
            },
        )  # fmt: skip

    def note(
        self, number: str, *, schemes: str = "test", at: str = NORTH, contract: str = ""
    ) -> None:
        """A note of the contract of the same number, or its correction."""
        self.enter(
            "notes",
            {
                "institution_code": at, "note_number": number, "contract_number": contract or number,
                "drawn_on": "2026-01-05", "matures_on": "2029-01-05", "principal": "3600000.00",
                "equipment_amount": "", "annual_rate": "3.00", "exchange_rate": "1",
                "scheme_codes": schemes,
            },
        )  # fmt: skip

    def lend(
        self, number: str, uscc: str, *, project: str = "", schemes: str = "test", at: str = NORTH
    ) -> None:
        """A contract with its note."""
        self.contract(number, uscc, project=project, at=at)
        self.note(number, schemes=schemes, at=at)

    def collect(
        self, number: str, month: int, *, at: str = NORTH, reference: str = "",
        paid: str = "3000.00",
    ) -> None:  # fmt: skip
        """Ten days' interest, collected on the 11th of a month: 1,000 yuan of subsidy if paid whole.

        `paid` is blank while it is only planned.
        """
        self.enter(
            "interest-collections",
            {
                "institution_code": at, "note_number": number,
                "period_start": date(2026, month, 1), "period_end": date(2026, month, 11),
                "interest_due": "3000.00", "interest_paid": paid,
                "collected_on": date(2026, month, 11), "reference": reference or f"{number}-{month}",
            },
        )  # fmt: skip

    def repay(self, number: str, on: str, yuan: int, *, at: str = NORTH) -> None:
        """Principal paid back; negative takes it back."""
        self.count += 1
        row = {"institution_code": at, "note_number": number, "repaid_on": on}
        self.enter("repayments", {**row, "amount": f"{yuan}.00", "reference": f"R{self.count}"})

    def fund(self, yuan: int, code: str = "test") -> None:
        """What a scheme has for 2026."""
        self.enter("scheme-funds", {"scheme_code": code, "year": "2026", "amount": f"{yuan}.00"})

    def net(self) -> dict[str, int]:
        """What each collection has been paid so far, in yuan, by its reference."""
        sums = Deduction.objects.values_list("collection__reference").annotate(Sum("municipal_fen"))
        found = {
            reference: divmod(fen, 100) for reference, fen in sums.order_by("collection__reference")
        }
        assert all(rest == 0 for _, rest in found.values())
        return {reference: yuan for reference, (yuan, _) in found.items()}

    def posted(self) -> list[tuple[str, int, int]]:
        """Every posting: reference, sequence and yuan, in the order posted."""
        rows = Deduction.objects.order_by("run_id", "collection__reference", "sequence")
        return [
            (reference, sequence, fen // 100)
            for reference, sequence, fen in rows.values_list(
                "collection__reference", "sequence", "municipal_fen"
            )
        ]


def agrees(waiting: int = 0) -> bool:
    """Recomputed from the evidence, everything posted is right, but for those who wait for a run."""
    found = verify()
    assert found.problems == []
    return found.waiting == waiting


def told() -> dict[str, int]:
    """How many times anything was said about each enterprise."""
    return dict(Enterprise.objects.values_list("uscc", "facts_version"))


def touched(before: dict[str, int]) -> set[str]:
    """Which enterprises was something said about since?"""
    return {uscc for uscc, version in told().items() if version != before.get(uscc)}
