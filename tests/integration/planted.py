"""A book of two banks to plant duplicates in: facts are gathered first, then imported and run at once."""

from __future__ import annotations

from pathlib import Path

from loans.files.kinds import KINDS
from settlement.services.pre_allocations import book_pre_allocations
from settlement.services.schemes import load_schemes
from tests.integration.book import AT, import_rows, run
from tests.integration.planted_rows import (
    A1,
    A2,
    B1,
    EQUIPMENT,
    HEAD_A,
    HEAD_B,
    MAKING,
    SME,
    SPORTS,
    Rows,
)

TREE = (
    (HEAD_A, "甲银行", "headquarters", "", "110000"),
    (A1, "甲银行一支行", "branch", HEAD_A, "320100"),
    (A2, "甲银行二支行", "branch", HEAD_A, "320100"),
    (HEAD_B, "乙银行", "headquarters", "", "310000"),
    (B1, "乙银行支行", "branch", HEAD_B, "320100"),
)


class Planted(Rows):
    """Rows by kind; `load` brings in what was gathered since, `run` posts it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        load_schemes(paths=[], actor="system", checker="system-checker", at=AT)
        names = ("institution_code", "name", "level", "parent_code", "region_code")
        self.rows["institutions"] = [dict(zip(names, row, strict=True)) for row in TREE]
        self.rows["lpr"] = [{"published_on": "2025-05-20", "one_year": "3.00", "five_year": "3.50"}]
        self.rows["participations"] = [
            {"scheme_code": scheme, "institution_code": head, "valid_from": "2026-01-01"}
            for scheme in (SME, EQUIPMENT, MAKING, SPORTS)
            for head in (HEAD_A, HEAD_B)
        ]

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
