"""`benchmark_stock FILE ROWS`: the first posted deductions as stock django-import-export writes them."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from import_export.fields import Field
from import_export.formats.base_formats import XLSX
from import_export.resources import Resource

from settlement.models import Deduction

_NOTE = (
    "note__origin__code",
    "note__contract__enterprise__uscc",
    "note__contract__contract_number",
)
_COLLECTION = ("reference", "period_start", "period_end", "interest_due_fen", "interest_paid_fen")
# As many columns as `export deductions` has, read through the same relations.
COLUMNS = (
    "scheme__code", *_NOTE, "note__note_number", *(f"collection__{name}" for name in _COLLECTION),
    "days", "product", "raw_central_fen", "raw_provincial_fen", "raw_municipal_fen", "central_fen",
    "provincial_fen", "municipal_fen", "cut_reasons", "collected_on", "posted_on", "sequence", "why",
    "version__version",
)  # fmt: skip


class Command(BaseCommand):
    """See `--help`."""

    help = "测量 django-import-export 原样导出（供 benchmark 使用）/ the stock exporter on the same rows"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Where to, and how many rows."""
        parser.add_argument("path", type=Path)
        parser.add_argument("rows", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print rows and milliseconds as JSON."""
        fields = {name: Field(attribute=name, column_name=name) for name in COLUMNS}
        resource = type("DeductionResource", (Resource,), fields)()
        chosen = Deduction.objects.order_by("pk").select_related(
            "scheme", "version", "collection", "note__origin", "note__contract__enterprise"
        )
        started = time.monotonic()
        made = resource.export(queryset=chosen[: options["rows"]])
        options["path"].write_bytes(XLSX().export_data(made))
        took = int((time.monotonic() - started) * 1000)
        self.stdout.write(json.dumps({"rows": len(made), "milliseconds": took}))
