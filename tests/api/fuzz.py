"""Schemathesis against the interface as it is served, over a year's book: `make fuzz-api`.

Every check the tool has, every phase, as valid clients. What counts in the end:
the tool's own findings, and no 5xx in the server's own count.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import polars as pl

ROOT = Path(__file__).resolve().parents[2]
MANAGE = str(ROOT / "manage.py")
BIN = Path(sys.executable).parent
ADDRESSES = ("DATABASE_URL", "APP_DATABASE_URL", "WORKER_DATABASE_URL", "REDIS_URL")
PORT = 8125
BASE = f"http://127.0.0.1:{PORT}"
TREASURY = (
    "pre-allocations/", "review-results/", "settlements/{id}/decision/",
    "liquidations/{id}/decision/", "clawback-orders/", "external-subsidies/",
)  # fmt: skip
YEAR = "2026"


def environment(folder: Path) -> dict[str, str]:
    """Servers of our own below this folder, whatever the caller uses."""
    kept = {name: value for name, value in os.environ.items() if name not in ADDRESSES}
    ours = {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "config.settings.dev"}
    return {**kept, **ours, "PYTHONPATH": str(ROOT)}


def command(env: dict[str, str], *arguments: str) -> str:
    """Run a command of the product; what it said."""
    done = subprocess.run(
        [sys.executable, MANAGE, *arguments], env=env, cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    return done.stdout.decode()


def prepared(env: dict[str, str], portfolio: Path) -> dict[str, str]:
    """A year's book with money, deductions and settlements; what the hooks need to know of it."""
    command(env, "migrate", "--verbosity=0")
    command(env, "load_schemes")
    command(env, "import_portfolio", str(portfolio))
    command(env, "run_deductions")
    institutions = pl.read_csv(portfolio / "institutions.csv", infer_schema=False)
    head = institutions.filter(pl.col("level") == "headquarters")["institution_code"].to_list()
    notes = pl.read_csv(portfolio / "notes.csv", infer_schema=False)
    schemes = pl.read_csv(portfolio / "participations.csv", infer_schema=False)["scheme_code"]
    codes = schemes.unique().sort().to_list()
    for code in codes:
        command(env, "settle", "--scheme", code, "--year", YEAR)
    command(
        env, "finance_department", "mof", "--name=财政", "--level=central", "--region=110000",
        "--answering", *head, "--schemes", *codes,
    )  # fmt: skip
    speakers = {"bank": f"--bank={head[0]}", "treasury": "--department=mof"}
    clients = {
        name: dict(
            line.split()
            for line in command(
                env, "api_client", name, told, "--per-minute=100000000"
            ).splitlines()
            if line.startswith("client_")
        )
        for name, told in speakers.items()
    }
    first = notes.row(0, named=True)
    known = {
        "institution_code": first["institution_code"],
        "note_number": first["note_number"],
        "contract_number": first["contract_number"],
        "scheme_code": first["scheme_codes"].split(";")[0] or codes[0],
    }
    return {
        "FUZZ_KNOWN": json.dumps(known),
        "FUZZ_CLIENTS": json.dumps(clients),
        "FUZZ_TREASURY": " ".join(TREASURY),
        "FUZZ_BASE": BASE,
        "SCHEMATHESIS_HOOKS": "tests.api.fuzz_hooks",
    }


def wait() -> None:
    """Until the server answers."""
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{BASE}/health/live", timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the server does not come up")


def counted() -> tuple[int, int]:
    """Requests the server answered under /api/, and those with 5xx."""
    with urllib.request.urlopen(f"{BASE}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    lines = re.findall(
        r'^tiexi_http_requests_total\{.*route="api/.*status="(\d+)"\} (\S+)$', text, re.MULTILINE
    )
    total = sum(int(float(count)) for _, count in lines)
    return total, sum(int(float(count)) for status, count in lines if status >= "500")


def main() -> None:
    """Load, serve, let Schemathesis loose, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=700, help="per operation and phase")
    parser.add_argument("--portfolio", type=Path, default=ROOT / "tests/data/portfolio")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--log", type=Path, default=Path(os.devnull), help="of the server")
    asked, rest = parser.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="tiexi-fuzz-") as name:
        folder = Path(name)
        env = environment(folder / "data")
        shared = folder / "counts"
        shared.mkdir()
        keeper = subprocess.Popen(
            [sys.executable, MANAGE, "benchmark_keeper"], env=env, stdin=subprocess.PIPE
        )
        served = None
        try:
            env |= prepared(env, asked.portfolio)
            served = subprocess.Popen(
                [str(BIN / "gunicorn"), "config.wsgi", "--workers=2", "--threads=4",
                 f"--bind=127.0.0.1:{PORT}", "--no-control-socket", "--log-level=error"],
                env={**env, "PROMETHEUS_MULTIPROC_DIR": str(shared)}, cwd=ROOT,
                stderr=asked.log.open("wb"),
            )  # fmt: skip
            wait()
            code = loose(env, asked.examples, asked.workers, rest)
            total, failed = counted()
        finally:
            if served is not None:
                served.terminate()
                served.wait()
            assert keeper.stdin is not None
            keeper.stdin.close()
            keeper.wait()
    sys.stdout.write(f"{total:,} requests answered, {failed} of them with 5xx\n")
    sys.exit(code or int(failed > 0))


def loose(env: dict[str, str], examples: int, workers: int, rest: list[str]) -> int:
    """Run the tool; its own exit code."""
    told = [
        str(BIN / "schemathesis"), "--config-file", str(ROOT / "tests/api/schemathesis.toml"), "run", f"{BASE}/api/v1/schema/", "--checks=all",
        "--phases=examples,coverage,fuzzing,stateful", f"--max-examples={examples}",
        f"--workers={workers}", "--continue-on-failure", "--no-color",
        "--generation-database=none", *rest,
    ]  # fmt: skip
    return subprocess.run(told, env=env, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    main()
