"""Two-line entries per second: our ledger beside django-hordak's, in one PostgreSQL server.

`make bench-ledger` runs this file; each side works in a process and a database of its own, with the
server's durability as it stands (fsync, full_page_writes and synchronous_commit on, for both). Rounds
alternate, the medians are compared. Nothing of the installation is touched.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MANAGE = str(ROOT / "manage.py")
ADDRESSES = ("DATABASE_URL", "APP_DATABASE_URL", "WORKER_DATABASE_URL", "REDIS_URL")


def environment(folder: Path) -> dict[str, str]:
    """Servers of our own below this folder, whatever the caller uses."""
    kept = {name: value for name, value in os.environ.items() if name not in ADDRESSES}
    settings = {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "config.settings.dev"}
    return {**kept, **settings, "PYTHONPATH": str(ROOT)}


def measured(python: str, script: str, arguments: list[str], env: dict[str, str]) -> dict[str, int]:
    """What one side says of itself: milliseconds by name."""
    process = subprocess.run(
        [python, str(HERE / script), *arguments], env=env, stdout=subprocess.PIPE, check=True
    )
    return json.loads(process.stdout)


def rounds(peer: str, entries: int, lines: int, count: int, folder: Path) -> list[dict[str, int]]:
    """Both sides, one after the other, as often as asked."""
    env = environment(folder)
    keeper = subprocess.Popen(
        [sys.executable, MANAGE, "benchmark_keeper"], env=env, stdin=subprocess.PIPE
    )
    try:
        migrate = [sys.executable, MANAGE, "migrate", "--verbosity", "0"]
        subprocess.run(migrate, env=env, check=True)
        return [
            measured(sys.executable, "ledger_ours.py", [str(entries), str(lines)], env)
            | measured(peer, "ledger_hordak.py", [str(entries)], env)
            for _ in range(count)
        ]
    finally:
        assert keeper.stdin is not None
        keeper.stdin.close()
        keeper.wait()


def report(found: list[dict[str, int]], entries: int, lines: int) -> str:
    """Medians, entries per second, and how many times each of our ways is faster."""
    median = {name: statistics.median(one[name] for one in found) for name in found[0]}
    large = median.pop("large")
    best = min(value for name, value in median.items() if name.startswith("hordak"))
    rows = [
        f"{name:<28}{value / 1000:>9.2f} s{entries * 1000 / value:>9.0f} entries/s"
        f"{best / value:>9.2f} x the faster hordak"
        for name, value in median.items()
    ]
    return "\n".join(
        [
            f"{entries:,} two-line entries, each in its own transaction; median of {len(found)} rounds",
            *rows,
            f"one entry of {lines:,} lines, committed: {large / 1000:.2f} s",
        ]
    )


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", required=True, help="python of requirements-bench.lock")
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tiexi-ledger-") as folder:
        found = rounds(asked.peer, asked.entries, asked.lines, asked.rounds, Path(folder))
    sys.stdout.write(report(found, asked.entries, asked.lines) + "\n")


if __name__ == "__main__":
    main()
