"""`benchmark_copy`: the fastest COPY of the posted deductions into an identical table without RLS."""

from __future__ import annotations

import json
import tempfile
import time
from typing import Any, cast

from django.core.management.base import BaseCommand
from django.db import transaction

from config.kernel.services.bulk import driver_cursor, execute, rows

BLOCK = 1 << 20


class Command(BaseCommand):
    """See `--help`."""

    help = "测量同样结果行的裸 COPY（供 benchmark 使用）/ raw COPY of the same rows"

    def handle(self, *args: Any, **options: Any) -> None:
        """Print rows and milliseconds of the CSV and the binary COPY as JSON."""
        count = rows("SELECT count(*) FROM settlement_deduction")[0][0]
        timings = {
            f"{form}_milliseconds": min(_copy(form) for _ in range(2)) for form in ("csv", "binary")
        }
        self.stdout.write(json.dumps({"rows": count, **timings}))


def _copy(form: str) -> int:
    """Milliseconds of one COPY FROM into a fresh twin, committed."""
    _make_twin()
    with tempfile.TemporaryFile() as data, driver_cursor() as cursor:
        statement = cast(
            "Any", f"COPY (SELECT * FROM settlement_deduction) TO STDOUT (FORMAT {form})"
        )
        with cursor.copy(statement) as copy:
            for block in copy:
                data.write(block)
        data.seek(0)
        started = time.monotonic()
        with transaction.atomic():
            statement = cast("Any", f"COPY benchmark_twin FROM STDIN (FORMAT {form})")
            with cursor.copy(statement) as copy:
                while block := data.read(BLOCK):
                    copy.write(block)
        return int((time.monotonic() - started) * 1000)


def _make_twin() -> None:
    """A table like the deductions', with the same partitions, indexes and checks, but no policies."""
    execute("DROP TABLE IF EXISTS benchmark_twin")
    execute(
        "CREATE TABLE benchmark_twin (LIKE settlement_deduction INCLUDING ALL) PARTITION BY RANGE (id)"
    )
    partitions = rows(
        "SELECT c.oid::regclass::text, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i "
        "JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'settlement_deduction'::regclass"
    )
    for number, (partition, bound) in enumerate(partitions):
        twin = f"benchmark_twin_{number}"
        execute(f"CREATE TABLE {twin} (LIKE {partition} INCLUDING ALL)")
        execute(f"ALTER TABLE benchmark_twin ATTACH PARTITION {twin} {bound}")
