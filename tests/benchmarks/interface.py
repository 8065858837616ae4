"""What the REST interface costs: a money post beside a bare Django view, and a list of 10,000 collections.

`make bench-api` runs this file. A book is loaded through the commands into a data folder of its own;
gunicorn serves the product and, beside it, a Django project of one empty view with the same settings of
gunicorn; wrk asks both, in turns. Servers, generator and database share the machine's cores: the ratio
counts, not the seconds. Authentication, scope, idempotency, audit and checking are on.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from settlement.management.synthetic_book import write_book

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MANAGE = str(ROOT / "manage.py")
GUNICORN = str(Path(sys.executable).parent / "gunicorn")
ADDRESSES = ("DATABASE_URL", "APP_DATABASE_URL", "WORKER_DATABASE_URL", "REDIS_URL")
BANKS = 50
COLLECTIONS = 10_000
SCHEME = "central-sme-2026"
PORT, BARE_PORT = 8123, 8124
BARE = """
import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, SECRET_KEY="none", MIDDLEWARE=[])
urlpatterns = [path("", lambda request: HttpResponse("ok"))]
application = get_wsgi_application()
"""
# A service does not keep every statement for a page of errors.
MEASURED = """
from config.settings.dev import *

DEBUG = False
"""
# One document number and one key per request: threads and requests are numbered.
POSTS = """
local thread_number = 0
function setup(thread) thread:set("number", thread_number); thread_number = thread_number + 1 end
local count = 0
function request()
   count = count + 1
   local name = string.format("%s-%d-%07d", "RUN", number, count)
   local body = string.format('{"scheme_code":"SCHEME","institution_code":"K%02d00000000000","tier":"central",' ..
      '"received_on":"2026-03-02","amount":"1.00","document_number":"%s"}', count % BANKS, name)
   return wrk.format("POST", "/api/v1/pre-allocations/", {
      ["Authorization"] = "Bearer TOKEN", ["Content-Type"] = "application/json",
      ["Idempotency-Key"] = "bench-" .. name .. "-key"}, body)
end
local wrong = 0
function response(status) if status ~= 201 then wrong = wrong + 1 end end
function done(summary)
   io.write(string.format("requests %d errors %d in %d us\\n", summary.requests,
      summary.errors.status + summary.errors.timeout + summary.errors.read, summary.duration))
end
"""


def environment(folder: Path) -> dict[str, str]:
    """Servers of our own below this folder, whatever the caller uses."""
    kept = {name: value for name, value in os.environ.items() if name not in ADDRESSES}
    folder.joinpath("measured_settings.py").write_text(MEASURED)
    ours = {"DATA_DIR": str(folder / "data"), "DJANGO_SETTINGS_MODULE": "measured_settings"}
    return {**kept, **ours, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}


def command(env: dict[str, str], *arguments: str) -> str:
    """Run a command of the product; what it said."""
    done = subprocess.run(
        [sys.executable, MANAGE, *arguments], env=env, cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    return done.stdout.decode()


def load(folder: Path, env: dict[str, str]) -> Path:
    """A book of 10,000 collections, not yet imported, and fifty banks with a fund each."""
    book = folder / "book"
    write_book(book, collections=COLLECTIONS)
    collections = book.joinpath("interest-collections.csv").rename(folder / "collections.csv")
    known = pl.read_csv(book / "institutions.csv", infer_schema=False)
    banks = known.head(1).join(pl.DataFrame({"n": range(BANKS)}), how="cross")
    code = pl.format("K{}00000000000", pl.col("n").cast(pl.String).str.zfill(2))
    banks = banks.with_columns(institution_code=code, name=code).drop("n")
    pl.concat([known, banks]).write_csv(book / "institutions.csv")
    command(env, "migrate", "--verbosity=0")
    command(env, "load_schemes")
    command(env, "import_portfolio", str(book))
    codes = banks["institution_code"].to_list()
    command(
        env, "finance_department", "mof", "--name=财政", "--level=central", "--region=110000",
        "--answering", *codes, "--schemes", SCHEME,
    )  # fmt: skip
    return collections


def client(env: dict[str, str], name: str, *speaks_for: str) -> dict[str, str]:
    """Register a client; its id and secret."""
    said = command(env, "api_client", name, *speaks_for, "--per-minute=100000000")
    return dict(line.split() for line in said.splitlines() if line.startswith("client_"))


@contextmanager
def serving(module: str, port: int, env: dict[str, str]) -> Iterator[None]:
    """Gunicorn with two processes of four threads."""
    process = subprocess.Popen(
        [GUNICORN, module, "--workers=2", "--threads=4", f"--bind=127.0.0.1:{port}",
         "--no-control-socket", "--log-level=error"], env=env, cwd=ROOT,
    )  # fmt: skip
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


def ask(path: str, body: bytes, headers: dict[str, str]) -> Any:
    """Post to the product."""
    url = f"http://127.0.0.1:{PORT}/api/v1/{path}"
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=300) as answer:
        return json.load(answer)


def token(secret: dict[str, str]) -> str:
    """A token of a client."""
    form = urllib.parse.urlencode({"grant_type": "client_credentials", **secret}).encode()
    media = {"Content-Type": "application/x-www-form-urlencoded"}
    return str(ask("oauth/token/", form, media)["access_token"])


def wrk(url: str, seconds: int, script: Path | None = None) -> float:
    """Requests a second, 16 connections; every answer counted must be a good one."""
    told = ["-s", str(script)] if script else []
    run = ["wrk", "-t2", "-c16", f"-d{seconds}s", *told, url]
    said = subprocess.run(run, check=True, stdout=subprocess.PIPE).stdout.decode()
    if "Non-2xx" in said or re.search(r"errors [1-9]", said):
        raise SystemExit(said)
    found = re.search(r"Requests/sec:\s*([0-9.]+)", said)
    assert found is not None, said
    return float(found[1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tiexi-api-") as name:
        folder = Path(name)
        env = environment(folder)
        folder.joinpath("bare_view.py").write_text(BARE)
        keeper = subprocess.Popen(
            [sys.executable, MANAGE, "benchmark_keeper"], env=env, stdin=subprocess.PIPE
        )
        try:
            measure(folder, env, asked.seconds, asked.rounds)
        finally:
            assert keeper.stdin is not None
            keeper.stdin.close()
            keeper.wait()


def measure(folder: Path, env: dict[str, str], seconds: int, rounds: int) -> None:
    """Both figures."""
    collections = load(folder, env)
    core = client(env, "core", "--bank=H1000000000000")
    treasury = client(env, "treasury", "--department=mof")
    with serving("bare_view", BARE_PORT, env), serving("config.wsgi", PORT, env):
        took = listed(collections, token(core))
        sys.stdout.write(f"a list of {COLLECTIONS:,} collections stored in {took:.2f} s\n")
        ratios = []
        for number in range(rounds):
            script = folder / "posts.lua"
            text = POSTS.replace("SCHEME", SCHEME).replace("BANKS", str(BANKS))
            text = text.replace("TOKEN", token(treasury)).replace("RUN", f"R{number}")
            script.write_text(text)
            bare = wrk(f"http://127.0.0.1:{BARE_PORT}/", seconds)
            money = wrk(f"http://127.0.0.1:{PORT}", seconds, script)
            ratios.append(money / bare)
            line = f"bare view {bare:8.0f}/s  money post {money:6.0f}/s  ratio {money / bare:.4f}\n"
            sys.stdout.write(line)
    sys.stdout.write(f"median ratio {statistics.median(ratios):.4f}\n")
    said = command(env, "verify")
    sys.stdout.write(said.splitlines()[-1] + "\n")


def listed(collections: Path, bearer: str) -> float:
    """Seconds until the list is stored."""
    frame = pl.read_csv(collections, infer_schema=False).head(COLLECTIONS)
    items = [
        {name: value for name, value in row.items() if value is not None and value != ""}
        for row in frame.iter_rows(named=True)
    ]
    body = json.dumps(items, ensure_ascii=False).encode()
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
    headers["Idempotency-Key"] = "bench-collections-0001"
    started = time.perf_counter()
    stored = ask("interest-collections/", body, headers)
    took = time.perf_counter() - started
    assert stored["stored"] == COLLECTIONS, stored
    return took


if __name__ == "__main__":
    main()
