"""`benchmark [--collections N]`: what each step costs on a synthetic book, as ratios within one run.

Everything happens in a data folder of its own, each step in a process of its own, so that peak
memory is that step's and nothing of the installation is touched.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from settlement.management.tables import table

MANAGE = str(settings.BASE_DIR / "manage.py")
ENTRIES = 10_000
STOCK_ROWS = 5_000


class Step:
    """One process: how long it took and how much memory it had at most."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, MANAGE, *command], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        self.output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        self.milliseconds = int((time.monotonic() - started) * 1000)
        self.peak_mib = usage.ru_maxrss // 1024
        if status:
            raise CommandError(f"{' '.join(command)}: {self.output}")


class Command(BaseCommand):
    """See `--help`."""

    help = "在合成数据上测量各步骤，给出比值 / measure each step on a synthetic book, as ratios"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """How large, and how to print."""
        parser.add_argument("--collections", type=int, default=1_000_000, metavar="N")
        parser.add_argument("--json", action="store_true", help="机器可读 / machine-readable")

    def handle(self, *args: Any, **options: Any) -> None:
        """Build the book, run the steps, print seconds, rows per second, memory and ratios."""
        with tempfile.TemporaryDirectory(prefix="tiexi-benchmark-") as folder:
            results = self._measure(Path(folder), options["collections"])
        if options["json"]:
            self.stdout.write(json.dumps(results, ensure_ascii=False, indent=2))
            return
        lines = [
            [step["name"], f"{step['rows']:,}", _seconds(step["milliseconds"]),
             f"{step['rows'] * 1000 // max(step['milliseconds'], 1):,}", f"{step['peak_mib']:,}"]
            for step in results["steps"]
        ]  # fmt: skip
        header = ["步骤 step", "行 rows", "秒 s", "行/秒 rows/s", "内存峰值 peak MiB"]
        self.stdout.write(table(header, lines))
        for name, ratio in results["ratios"].items():
            self.stdout.write(f"{name}: {ratio}")

    def _measure(self, folder: Path, collections: int) -> dict[str, Any]:
        environment = {**os.environ, "DATA_DIR": str(folder / "data")}
        for variable in ("DATABASE_URL", "APP_DATABASE_URL", "WORKER_DATABASE_URL", "REDIS_URL"):
            environment.pop(variable, None)
        book = folder / "book"
        keeper = subprocess.Popen(
            [sys.executable, MANAGE, "benchmark_keeper"], env=environment, stdin=subprocess.PIPE
        )
        try:
            written = Step(["benchmark_book", str(book), str(collections)], environment)
            return self._steps(folder, book, json.loads(written.output), environment)
        finally:
            assert keeper.stdin is not None
            keeper.stdin.close()
            keeper.wait()

    def _steps(
        self, folder: Path, book: Path, rows: dict[str, int], environment: dict[str, str]
    ) -> dict[str, Any]:
        Step(["migrate", "--verbosity", "0"], {**environment, "TIEXI_ROLE": "owner"})
        Step(["load_schemes"], environment)
        imported = Step(["import_portfolio", str(book)], environment)
        deducted = Step(["run_deductions"], environment)
        again = Step(["run_deductions"], environment)
        exported, workbook = (
            Step(["export", "deductions", "--out", str(folder / f"deductions.{form}")], environment)
            for form in ("csv", "xlsx")
        )
        checked = Step(["check_duplicates"], environment)
        stock = Step(["benchmark_stock", str(folder / "stock.xlsx"), str(STOCK_ROWS)], environment)
        late = self._late_repayment(folder, environment)
        verified = Step(["verify"], environment)  # exit 1 unless equal to a full recomputation
        posted = Step(["benchmark_ledger", str(ENTRIES)], environment)
        copied = Step(["benchmark_copy"], {**environment, "TIEXI_ROLE": "owner"})
        posted.milliseconds = json.loads(posted.output)["milliseconds"]
        copy = json.loads(copied.output)
        collections = rows["interest-collections"]
        steps = [
            _step("import 导入", sum(rows.values()), imported),
            _step("assess + deductions 认定与贴息", collections, deducted),
            _step("run again 再次运行", collections, again),
            _step("late repayment 补记还本后重算", late["collections"], late["step"]),
            _step("verify 全量重算核对", collections, verified),
            _step("export CSV 导出", copy["rows"], exported),
            _step("export XLSX 导出", copy["rows"], workbook),
            _step("duplicate check 重复贴息核查", rows["notes"], checked),
            _step("ledger posting 资金账逐笔入账", ENTRIES, posted),
        ]
        fastest = min(copy["csv_milliseconds"], copy["binary_milliseconds"])
        return {
            "collections": collections,
            "notes": rows["notes"],
            "posted_rows": copy["rows"],
            "late_repayment_recomputed": late["collections"],
            "raw_copy": copy,
            "steps": steps,
            "ratios": {
                "deductions ÷ raw COPY": _ratio(deducted.milliseconds, fastest),
                "XLSX rows/s ÷ stock": _faster(copy["rows"], workbook, json.loads(stock.output)),
                "late repayment, share of collections": _ratio(late["collections"], collections),
            },
        }

    def _late_repayment(self, folder: Path, environment: dict[str, str]) -> dict[str, Any]:
        """One repayment ten months late: how much is looked at again?"""
        late = folder / "late.csv"
        late.write_text(
            "institution_code,note_number,repaid_on,amount,reference\n"
            "B1001000000000,JJ000000001,2026-03-01,1000.00,LATE-1\n",
            encoding="utf-8",
        )
        Step(["import_data", "repayments", str(late)], environment)
        step = Step(["run_deductions"], environment)
        counted = step.output.split("collections recomputed ")[1].split(",")[0]
        return {"step": step, "collections": int(counted)}


def _step(name: str, rows: int, step: Step) -> dict[str, Any]:
    return {
        "name": name,
        "rows": rows,
        "milliseconds": step.milliseconds,
        "peak_mib": step.peak_mib,
    }


def _faster(rows: int, ours: Step, stock: dict[str, int]) -> str:
    """How many rows a second we write for each of the stock exporter's, start of the process included."""
    return _ratio(rows * stock["milliseconds"], ours.milliseconds * stock["rows"])


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds // 1000}.{milliseconds % 1000 // 100}"


def _ratio(part: int, whole: int) -> str:
    """A ratio with four decimals, from integers."""
    tenthousandths = (part * 10_000 + whole // 2) // max(whole, 1)
    return f"{tenthousandths // 10_000}.{tenthousandths % 10_000:04d}"
