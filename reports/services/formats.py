"""In which files a report comes, and what they are called."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

from reports.definitions.sheet import Sheet
from reports.render import csv, pdf, xlsx
from reports.services import build_audit_pack
from reports.services.catalogue import Asked

Writer = Callable[[Sheet, Path, date], object]  # the day is that of the cut

CSV = "csv"
WRITERS: dict[str, Writer] = {
    "xlsx": lambda sheet, path, _dated: xlsx.write(sheet, path),
    "pdf": lambda sheet, path, dated: pdf.write(sheet, path, dated=dated),
    CSV: lambda sheet, path, _dated: csv.write(sheet, path),
}


def stem(code: str, asked: Asked) -> str:
    """The name of its files without ending: CODE[_scheme]_institution_period."""
    parts = [code, asked.scheme_code, asked.institution_code, asked.period.code]
    return "_".join(re.sub(r"[^\w.-]", "-", part) for part in parts if part)


def write(
    sheet: Sheet, folder: Path, name: str, *, formats: tuple[str, ...], dated: date
) -> list[Path]:
    """Write the sheet in these formats; every file that came of it, in order of their names.

    A CSV holds one table: the first has the plain name, the others have their key in it.
    """
    for file_format in formats:
        WRITERS[file_format](sheet, folder / f"{name}.{file_format}", dated)
    return sorted(path for path in folder.iterdir() if path.name.startswith(f"{name}."))


def csv_name(sheet: Sheet, name: str, key: str) -> str:
    """What the CSV of one of the sheet's tables is called."""
    return f"{name}.csv" if key == sheet.tables[0].key else f"{name}.{key}.csv"


def _packed(asked: Asked, folder: Path) -> None:
    name = stem(build_audit_pack.CODE, asked)
    build_audit_pack.write(asked, folder / f"{name}.zip")


EXTRAS: dict[str, Callable[[Asked, Path], None]] = {build_audit_pack.CODE: _packed}
"""What else goes into the folder, by code."""
