"""Small helpers of the integration tests: bring files in, run, read exports back."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from config.kernel.services.export import write_register
from loans.files.kinds import KINDS
from loans.models import PreAllocation
from loans.services.intake import import_file
from loans.services.outcomes import Outcome
from settlement.models import Scheme
from settlement.resources import REGISTERS
from settlement.services import deductions
from settlement.services.funds import FundKey
from settlement.services.pre_allocations import book_pre_allocation
from settlement.services.schemes import load_schemes

PORTFOLIO = Path(__file__).resolve().parents[1] / "data" / "portfolio"
AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

NUMBERS = ("days", "product", "raw_central", "raw_provincial", "raw_municipal")
NUMBERS += ("central", "provincial", "municipal", "total", "cut")


def load_shipped() -> None:
    """Load the four shipped schemes, checked."""
    load_schemes(paths=[], actor="system", checker="system-checker", at=AT)


def import_folder(folder: Path) -> list[Outcome]:
    """Import every kind a folder holds, in order."""
    return [
        import_file(kind=kind, path=folder / f"{kind}.csv", actor="system", at=AT)
        for kind in KINDS
        if (folder / f"{kind}.csv").exists()
    ]


def import_rows(kind: str, rows: Iterable[Mapping[str, Any]], folder: Path) -> Outcome:
    """Import rows of one kind as a CSV file would bring them."""
    listed = list(rows)
    path = folder / f"{kind}.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, fieldnames=list(dict.fromkeys(k for r in listed for k in r)))
        writer.writeheader()
        writer.writerows(listed)
    return import_file(kind=kind, path=path, actor="system", at=AT)


def run(through: date | None = None, **params: Any) -> dict[str, int]:
    """One complete deduction run; returns its counts."""
    started = deductions.start_run(actor="system", at=AT, through=through, **params)
    if started is None:
        return {}
    return deductions.work_run(run_id=started.run_id, owner="test", clock=lambda: AT)


def pre_allocate(key: FundKey, fen: int, document: str) -> None:
    """Finance pays ahead (negative: takes back), and a second person books it."""
    made = PreAllocation.objects.create(
        institution_id=key.institution_id,
        scheme_code=Scheme.objects.get(pk=key.scheme_id).code,
        tier=key.tier,
        purpose=key.purpose,
        received_on=date(2026, 1, 4),
        amount_fen=fen,
        document_number=document,
    )
    book_pre_allocation(pre_allocation_id=made.pk, actor="checker", at=AT)


def exported(kind: str, folder: Path) -> list[dict[str, str]]:
    """A register as a CSV export gives it."""
    path = folder / f"export-{kind}.csv"
    write_register(register=REGISTERS[kind], path=path, file_format="csv", scope=None, filters={})
    return read_csv(path)


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8-sig", newline="") as source:
        return list(csv.DictReader(source))


def enrolment_facts(rows: Iterable[Mapping[str, str]]) -> dict[tuple[str, ...], tuple[Any, ...]]:
    """What must agree of enrolments, by key."""
    return {
        (r["scheme_code"], r["institution_code"], r["note_number"]): (
            r["status"],
            frozenset(x for x in r["reasons"].split(";") if x),
        )
        for r in rows
    }


def deduction_facts(rows: Iterable[Mapping[str, str]]) -> dict[tuple[str, ...], tuple[Any, ...]]:
    """What must agree of deductions, by key: numbers as hundredths, reasons as sets."""
    return {
        (r["scheme_code"], r["institution_code"], r["collection_reference"]): (
            *(hundredths(r[name]) for name in NUMBERS),
            frozenset(x for x in r["cut_reasons"].split(";") if x),
        )
        for r in rows
    }


def hundredths(text: str) -> int:
    """A decimal text of at most two decimals as an integer of hundredths."""
    whole, _, fraction = (text or "0").lstrip("-").partition(".")
    number = int(whole) * 100 + int(fraction.ljust(2, "0"))
    return -number if text.startswith("-") else number
