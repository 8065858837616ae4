"""The same register's first rows as stock django-import-export writes them, from rows already in memory."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import django
from django.conf import settings

from tests.benchmarks.export_register import columns, part

settings.configure(INSTALLED_APPS=["import_export"], USE_TZ=True)
django.setup()

from import_export import fields, resources, widgets  # noqa: E402
from import_export.formats.base_formats import XLSX  # noqa: E402

SCALES = {"yuan": 2, "product": 2, "rate": 4, "exchange": 8}


class Rows(list[Any]):
    """What an exporter asks of a queryset."""

    _prefetch_related_lookups = ()

    def iterator(self, chunk_size: int | None = None) -> Iterator[Any]:
        """The rows."""
        return iter(self)


def rows_in_memory(count: int) -> Rows:
    """The register's rows as objects with the values a database would give."""
    scales = {column.key: SCALES.get(column.kind, 0) for column in columns()}
    frame = part(1, count, 0).select(list(scales))
    return Rows(
        SimpleNamespace(
            **{
                key: Decimal(value).scaleb(-scales[key]) if scales[key] else value
                for key, value in row.items()
            }
        )
        for row in frame.iter_rows(named=True)
    )


def widget(kind: str) -> widgets.Widget:
    """The stock widget of a kind."""
    if kind in SCALES:
        return widgets.DecimalWidget()
    return {"int": widgets.IntegerWidget, "date": widgets.DateWidget}.get(
        kind, widgets.CharWidget
    )()


def main() -> None:
    """Export them and say how long it took."""
    count, path = int(sys.argv[1]), Path(sys.argv[2])
    declared = {
        column.key: fields.Field(
            attribute=column.key, column_name=column.title_zh, widget=widget(column.kind)
        )
        for column in columns()
    }
    resource = type("Register", (resources.Resource,), declared)()
    rows = rows_in_memory(count)
    started = time.monotonic()
    path.write_bytes(XLSX().export_data(resource.export(queryset=rows)))
    sys.stdout.write(
        json.dumps({"rows": count, "milliseconds": int((time.monotonic() - started) * 1000)})
    )


if __name__ == "__main__":
    main()
