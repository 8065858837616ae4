"""Frames for near matching, from as few words as a case needs."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

import polars as pl

from settlement.engine import near_enterprises, near_invoices, near_notes, overlap
from settlement.selectors.duplicates import NOTES

DAY = date(2026, 3, 2)
YUAN = 100
BANKS = {"A1": ("C0001320100001", 1), "A2": ("C0001320100002", 1), "B1": ("C0011320100001", 2)}
CODES = ("91320106MA00000012", "91320106MA00000025", "91320106MA00000038", "9132010612345678XA")
NO_INVOICES = {
    "note_id": pl.Int64, "invoice_number": pl.String, "serial_number": pl.String,
    "supplier": pl.String, "issued_on": pl.Date, "amount_fen": pl.Int64,
}  # fmt: skip


class Rows:
    """A book in memory; ids count from 1."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.listed: list[dict[str, Any]] = []
        self.named: list[tuple[int, str]] = []
        self.contracts: dict[tuple[str, str], int] = defaultdict(lambda: len(self.contracts) + 1)

    def note(
        self, number: str, *, at: str = "A1", of: int = 1, yuan: int = 3_000_000, day: date = DAY,
        contract: str = "HT-2026-000777", granted: int = 20_000_000, signed: date = date(2026, 2, 2),
        project: str = "", loan_type: str = "fixed_asset",
    ) -> int:  # fmt: skip
        """A note; gives its id."""
        code, bank = BANKS[at]
        self.rows.append(
            {
                "note_id": len(self.rows) + 1, "institution_id": bank, "institution_code": code,
                "bank_id": bank, "bank_code": f"H{bank}", "enterprise_id": of, "uscc": CODES[of - 1],
                "contract_id": self.contracts[at, contract], "contract_number": contract,
                "contract_fen": granted * YUAN, "signed_on": signed, "loan_type": loan_type,
                "project_code": project, "note_number": number, "drawn_on": day,
                "principal_fen": yuan * YUAN, "equipment_fen": 0, "exchange_rate_e8": 10**8,
            }
        )  # fmt: skip
        return len(self.rows)

    def name(self, of: int, name: str) -> None:
        """A name of an enterprise."""
        self.named.append((of, name))

    def invoice(
        self, note: int, number: str, *, serial: str = "", supplier: str = "南京宏达设备有限公司",
        day: date = DAY, yuan: int = 500_000,
    ) -> None:  # fmt: skip
        """An invoice of a note."""
        self.listed.append(
            {
                "note_id": note, "invoice_number": number, "serial_number": serial,
                "supplier": supplier, "issued_on": day, "amount_fen": yuan * YUAN,
            }
        )  # fmt: skip

    @property
    def notes(self) -> pl.DataFrame:
        """As `selectors.duplicates.notes` gives them."""
        return pl.DataFrame(self.rows, schema=NOTES)

    @property
    def names(self) -> pl.DataFrame:
        """As `selectors.duplicates.names` gives them."""
        schema = {"enterprise_id": pl.Int64, "name": pl.String}
        return pl.DataFrame(self.named, schema=schema, orient="row")

    @property
    def invoices(self) -> pl.DataFrame:
        """As `selectors.duplicates.invoices` gives them."""
        return pl.DataFrame(self.listed, schema=NO_INVOICES)

    def enterprises_found(self) -> dict[tuple[int, int], int]:
        """N3: pair → score."""
        found = near_enterprises.near_enterprises(self.notes, self.names, self.invoices)
        return scores(found)

    def notes_found(self) -> dict[tuple[int, int], int]:
        """N2: pair → score, over one enterprise and those that are one."""
        near = near_enterprises.near_enterprises(self.notes, self.names, self.invoices)
        exact = overlap.same_enterprises(self.notes, self.names)
        links = pl.concat([near.select("first", "second"), exact.select("first", "second")])
        return scores(near_notes.near_notes(self.notes, links))

    def invoices_found(self) -> dict[tuple[int, int], int]:
        """N5: pair → score."""
        return scores(near_invoices.near_invoices(self.notes, self.invoices))


def scores(found: pl.DataFrame) -> dict[tuple[int, int], int]:
    """Pair → score in ‰."""
    return {(a, b): s for a, b, s in found.select("first", "second", "score_permille").iter_rows()}
