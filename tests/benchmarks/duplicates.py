"""The duplicate check over a portfolio with every duplicate planted ten ways, beside a plain self-join.

`make bench-duplicates` runs this file: a book is written and loaded through the commands into a data
folder of its own (kept and used again when `--folder` names one), then `duplicates_measure.py` checks it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.admin import run
from tests.benchmarks.duplicate_book import parts

MEASURE = "tests/benchmarks/duplicates_measure.py"


def load(folder: Path, size: dict[str, int]) -> None:
    """The book through intake and a run; then what is told after it."""
    book, data, manage = folder / "book", folder / "data", "manage.py"
    options = [word for name, value in size.items() for word in (f"--{name}", str(value))]
    run(["tests/benchmarks/duplicate_book.py", str(book), *options], data)
    run([manage, "migrate", "--verbosity", "0"], data, "owner")
    run([manage, "load_schemes"], data)
    for part in parts(book):
        run([manage, "import_portfolio", str(part)], data)
    run([MEASURE, "--settle"], data, "owner")  # what autovacuum does before anybody orders a run
    run([manage, "run_deductions"], data)
    run([manage, "import_portfolio", str(book / "later")], data)
    run([MEASURE, "--settle"], data, "owner")
    (folder / "loaded").write_text(json.dumps(size))


def main() -> None:
    """Load unless that was done, then measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notes", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="keep the data here and use it again")
    asked, further = parser.parse_known_args()
    size = {"notes": asked.notes, "seed": asked.seed}
    with tempfile.TemporaryDirectory(prefix="tiexi-duplicates-") as name:
        folder = (asked.folder or Path(name)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        loaded = folder / "loaded"
        if not loaded.exists():
            load(folder, size)
        elif json.loads(loaded.read_text()) != size:
            sys.exit(f"{folder} holds another book: {loaded.read_text()}")
        run([MEASURE, str(folder / "book"), *further], folder / "data")


if __name__ == "__main__":
    main()
