"""LibreOffice as a second opinion: what a workbook shows once everything in it was calculated anew."""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

CALC = shutil.which("soffice")

# Calculate on loading, whoever wrote the file; otherwise the saved values are shown.
_SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode"
 oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""
_EVERY_SHEET = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"


def recalculated(path: Path, folder: Path) -> dict[str, list[list[str]]]:
    """Every sheet's rows as shown, by the sheet's name."""
    return {name: list(rows_of(file)) for name, file in calculated(path, folder).items()}


def rows_of(file: Path) -> Iterator[list[str]]:
    """A sheet's rows, one after another."""
    with file.open(encoding="utf-8", newline="") as source:
        yield from csv.reader(source)


def calculated(path: Path, folder: Path) -> dict[str, Path]:
    """Every sheet as CSV, by the sheet's name."""
    profile, out = folder / "profile", folder / "calculated"
    (profile / "user").mkdir(parents=True, exist_ok=True)
    (profile / "user" / "registrymodifications.xcu").write_text(_SETTINGS)
    _convert(path, profile, out, _EVERY_SHEET)
    files = sorted(out.glob(f"{path.stem}-*.csv"))
    return {file.stem.removeprefix(f"{path.stem}-"): file for file in files}


def _convert(path: Path, profile: Path, out: Path, target: str) -> None:
    subprocess.run(
        [
            str(CALC), "--headless", f"-env:UserInstallation=file://{profile}",
            "--convert-to", target, "--outdir", str(out), str(path),
        ],
        check=True, capture_output=True, timeout=900,
    )  # fmt: skip


def amount(text: str) -> Decimal:
    """A number as it is shown."""
    return Decimal(text.replace(",", ""))
