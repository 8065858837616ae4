"""A register of a million rows as a workbook: our renderer beside stock django-import-export, and LibreOffice.

`make bench-export` runs this file: both sides write the same 36 columns in processes of their own; with
`--calc` LibreOffice opens the million once and calculates the first rows anew, where every saved
result was written wrong on purpose.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

from tests.benchmarks.export_register import columns, part
from tests.calc import CALC, amount, calculated, recalculated, rows_of

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SCALES = {"yuan": 2, "product": 2, "rate": 4, "exchange": 8}


def measured(script: str, *arguments: object) -> dict[str, int]:
    """What a side says of itself, and its largest memory."""
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{script} failed")
    return {**json.loads(said), "peak_mib": usage.ru_maxrss // 1024}


def line(name: str, found: dict[str, int]) -> str:
    """One side's figures."""
    rate = found["rows"] * 1000 // max(found["milliseconds"], 1)
    return (
        f"{name:<34}{found['rows']:>10,} rows{found['milliseconds'] / 1000:>9.1f} s"
        f"{rate:>9,} rows/s{found['peak_mib']:>7,} MiB"
    )


def check_recalculation(rows: int, folder: Path) -> str:
    """Is every figure that LibreOffice calculates ours, to the last decimal?"""
    path = folder / "wrong.xlsx"
    measured("export_register.py", rows, path, 1)
    started = time.monotonic()
    (shown,) = [sheet for name, sheet in recalculated(path, folder).items() if name == "台账"]
    took = time.monotonic() - started
    header = next(place for place, row in enumerate(shown) if row[0] == "序号")
    right = part(1, rows, 0)
    checked = 0
    for place, column in enumerate(columns()):
        if not column.formula and not column.total:
            continue
        values = [amount(row[place]) for row in shown[header + 1 : header + 1 + rows]]
        scale = SCALES[column.kind]
        ours = [Decimal(number).scaleb(-scale) for number in right[column.key]]
        if differing := [
            n for n, both in enumerate(zip(values, ours, strict=True)) if both[0] != both[1]
        ]:
            sys.exit(f"{column.title_zh}: {len(differing)} rows differ, first {differing[0] + 1}")
        checked += rows
        is_money = (
            column.total and column.kind == "yuan"
        )  # 积数 add up to more digits than are shown
        if is_money and amount(shown[header + 1 + rows][place]) != sum(ours):
            sys.exit(f"{column.title_zh}: the total differs")
    return f"LibreOffice recalculated {rows:,} rows in {took:.0f} s: {checked:,} figures and all totals are ours"


def opened(path: Path, rows: int, folder: Path) -> str:
    """LibreOffice opens the whole register and shows its totals."""
    started = time.monotonic()
    sheets = calculated(path, folder)
    took = time.monotonic() - started
    (total,) = [row for row in rows_of(sheets["台账"]) if row[0].startswith("合计")]
    return f"LibreOffice opened {rows:,} rows and calculated them anew in {took:.0f} s; granted {total[-3]} in all"


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--sample", type=int, default=10_000, help="rows of the stock exporter")
    parser.add_argument("--calc", action="store_true", help="also open it in LibreOffice")
    parser.add_argument("--calc-rows", type=int, default=50_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tiexi-export-") as name:
        folder = Path(name)
        ours = measured("export_register.py", asked.rows, folder / "ours.xlsx", 0)
        stock = measured("export_stock.py", asked.sample, folder / "stock.xlsx")
        ratio = ours["rows"] * stock["milliseconds"] / (ours["milliseconds"] * stock["rows"])
        size = (folder / "ours.xlsx").stat().st_size // 2**20
        lines = [
            line("our renderer", ours) + f"{size:>7,} MiB file",
            line("stock django-import-export", stock),
            f"rows per second, ours ÷ stock: {ratio:.1f}",
        ]
        sys.stdout.write("\n".join(lines) + "\n")
        if asked.calc and CALC is not None:
            sys.stdout.write(check_recalculation(asked.calc_rows, folder) + "\n")
            sys.stdout.write(opened(folder / "ours.xlsx", asked.rows, folder) + "\n")


if __name__ == "__main__":
    main()
