"""Every page of the admin over a register of a million deductions, as the web serves it.

`make bench-admin` runs this file: a book is loaded through the commands into a data folder of its own
(kept between runs when `--folder` names one), then `admin_pages.py` signs in and measures.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLANNED_THROUGH = "2027-12-31"


def run(command: list[str], data: Path, role: str = "") -> None:
    """One process over the data folder; ends the benchmark if it fails."""
    environment = {**os.environ, "DATA_DIR": str(data), "PYTHONPATH": str(ROOT)}
    for variable in ("DATABASE_URL", "APP_DATABASE_URL", "WORKER_DATABASE_URL", "REDIS_URL"):
        environment.pop(variable, None)
    if role:
        environment["TIEXI_ROLE"] = role
    found = subprocess.run([sys.executable, *command], env=environment, check=False, cwd=ROOT)
    if found.returncode:
        sys.exit(f"{' '.join(command)} failed")


def load(folder: Path, collections: int) -> None:
    """The book through intake, a run, the duplicate check and plans of the next interest days."""
    book, manage = folder / "book", "manage.py"
    run(["tests/benchmarks/admin_book.py", str(book), str(collections)], folder / "data")
    run([manage, "migrate", "--verbosity", "0"], folder / "data", "owner")
    for command in (
        ["load_schemes"],
        ["import_portfolio", str(book)],
        ["import_data", "enterprises", str(book / "corrections" / "enterprises.csv")],
        ["import_data", "contracts", str(book / "corrections" / "contracts.csv")],
        ["run_deductions"],
        ["check_duplicates"],
        ["run_deductions", "--plan", "--through", PLANNED_THROUGH],
    ):
        run([manage, *command], folder / "data")
    run(["tests/benchmarks/admin_rows.py"], folder / "data", "owner")
    (folder / "loaded").touch()


def main() -> None:
    """Load unless that was done, then measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--collections", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="keep the data here and use it again")
    asked, further = parser.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="tiexi-admin-") as name:
        folder = (asked.folder or Path(name)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "loaded").exists():
            load(folder, asked.collections)
        run([manage_pages(), *further], folder / "data")


def manage_pages() -> str:
    """The script that measures."""
    return "tests/benchmarks/admin_pages.py"


if __name__ == "__main__":
    main()
