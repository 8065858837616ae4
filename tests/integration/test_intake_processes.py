"""Imports as processes: exit codes, two at once, and one that is killed in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, connections

from config.settings.connections import VARIABLES
from loans.models import Enterprise, ImportBatch, InterestCollection, Repayment
from loans.services.intake import import_file
from loans.services.outcomes import ImportRefused, Outcome
from tests.database import connect
from tests.integration.book import AT
from tests.integration.samples import BOOK, FIRM, changed, csv_bytes, load_book, state, take

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
MANY = 2_000
WAIT_SECONDS = 60


def environment() -> dict[str, str]:
    """What a process needs to work on the database of this test."""
    name = str(connection.settings_dict["NAME"])
    addresses = {
        VARIABLES[role]: urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        if role != "redis"
        else url
        for role, url in settings.ADDRESSES._asdict().items()
    }
    return {**os.environ, **addresses, "DJANGO_SETTINGS_MODULE": "config.settings.test"}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", *arguments]


def manage(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        command(*arguments), cwd=ROOT, env=environment(), capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip


def many_repayments(folder: Path) -> Path:
    rows = [changed(BOOK["repayments"][0], amount="1.00", reference=f"R{n}") for n in range(MANY)]
    path = folder / "many.csv"
    path.write_bytes(csv_bytes(rows))
    return path


def test_exit_codes_and_where_problems_are_printed(tmp_path: Path) -> None:
    load_book(tmp_path, upto="notes")
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_bytes(csv_bytes(BOOK["repayments"]))
    bad.write_bytes(csv_bytes([changed(BOOK["repayments"][0], repaid_on="2026-02-30")]))
    done = manage("import_data", "repayments", str(good))
    counts = "repayments: 1 行 rows, 新增 new 1, 更正 corrected 0, 未变 unchanged 0\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, counts, "")
    before = state()
    refused = manage("import_data", "repayments", str(bad))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.splitlines() == [
        "row 2, column repaid_on (还本日期): 日历上没有这一天 / there is no such day, 2026-02-30",
        "CommandError: 文件有 1 处错误，未保存任何数据 / 1 problems: nothing of the file was saved",
    ]
    wrong = manage("import_data", "no-such-kind", str(good))
    assert (wrong.returncode, wrong.stdout) == (2, "")
    for name, arguments in (("data", ["repayments"]), ("portfolio", [])):
        with pytest.raises(CommandError, match=r"no such file|no importable file") as failure:
            call_command(f"import_{name}", *arguments, str(tmp_path / "nowhere"))
        assert failure.value.returncode == 2
    assert state() == before


def test_a_folder_stops_at_the_first_refused_file(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for kind in ("institutions", "lpr", "enterprises", "projects"):
        (folder / f"{kind}.csv").write_bytes(csv_bytes(BOOK[kind]))
    (folder / "enterprises.csv").write_bytes(
        csv_bytes([changed(BOOK["enterprises"][0], size="huge"), BOOK["enterprises"][1]])
    )
    done = manage("import_portfolio", str(folder))
    assert done.returncode == 1
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["institutions", "lpr"]
    assert done.stderr.startswith("enterprises.csv: row 2, column size (企业规模): 未知的代码")
    assert [b.kind for b in ImportBatch.objects.order_by("id")] == ["institutions", "lpr"]
    assert Enterprise.objects.count() == 0


# Two at once


def at_once(*files: tuple[str, Path]) -> list[Outcome | ImportRefused]:
    """Import files at the same moment, each on a connection of its own."""
    gate = threading.Barrier(len(files))
    found: list[Outcome | ImportRefused] = []

    def one(kind: str, path: Path) -> None:
        gate.wait()
        try:
            found.append(import_file(kind=kind, path=path, actor="system", at=AT))
        except ImportRefused as refusal:
            found.append(refusal)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=file) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(files)
    return found


def test_one_file_of_evidence_twice_at_once_is_stored_once(tmp_path: Path) -> None:
    load_book(tmp_path, upto="notes")
    path = many_repayments(tmp_path)
    first, second = at_once(("repayments", path), ("repayments", path))
    assert isinstance(first, Outcome)
    assert isinstance(second, Outcome)
    assert sorted([first.inserted, second.inserted]) == [0, MANY]
    assert Repayment.objects.count() == MANY
    assert ImportBatch.objects.filter(kind="repayments").count() == 1


def test_two_completions_of_a_plan_at_once_leave_one(tmp_path: Path) -> None:
    load_book(tmp_path, upto="interest-collections")
    plan = BOOK["interest-collections"][1]
    files = []
    for day in ("2026-07-03", "2026-08-03"):  # in partitions of their own
        path = tmp_path / f"{day}.csv"
        path.write_bytes(csv_bytes([changed(plan, interest_paid="7130.00", collected_on=day)]))
        files.append(("interest-collections", path))
    assert sorted(type(result).__name__ for result in at_once(*files)) == [
        "ImportRefused",
        "Outcome",
    ]
    assert InterestCollection.objects.filter(reference="S-2", completes__isnull=False).count() == 1


def test_files_of_all_kinds_at_once_neither_block_nor_lose(tmp_path: Path) -> None:
    load_book(tmp_path, upto="guarantees")
    before = Enterprise.objects.get(uscc=FIRM).facts_version
    kinds = ("interest-collections", "external-subsidies", "opening-positions", "review-results",
             "note-transfers", "notes")  # fmt: skip
    files = []
    for kind in kinds:
        path = tmp_path / f"at-once-{kind}.csv"
        path.write_bytes(csv_bytes(BOOK[kind][:1]))
        files.append((kind, path))
    assert all(isinstance(result, Outcome) for result in at_once(*files))
    raised = ("interest-collections", "external-subsidies", "opening-positions")
    assert Enterprise.objects.get(uscc=FIRM).facts_version == before + len(raised)


# Killed


@contextmanager
def held(table: str) -> Iterator[psycopg.Connection]:
    """Let nobody write to a table."""
    with connect("owner") as owner, owner.transaction():
        owner.execute(f"LOCK TABLE {table} IN SHARE MODE")
        yield owner


def wait_until_blocked(observer: psycopg.Connection, table: str) -> None:
    query = "SELECT count(*) FROM pg_locks WHERE relation = %s::regclass AND NOT granted"
    deadline = time.monotonic() + WAIT_SECONDS
    while observer.execute(query, [table]).fetchone() == (0,):
        assert time.monotonic() < deadline, "the import never came to write"
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("kind", "table"),
    [("repayments", "loans_repayment"), ("enterprises", "loans_enterpriserecord")],
)
def test_a_killed_import_leaves_nothing(tmp_path: Path, kind: str, table: str) -> None:
    """It had counted enterprises up, recorded its batch, and was writing its rows."""
    load_book(tmp_path, upto="notes" if kind == "repayments" else "lpr")
    path = tmp_path / "file.csv"
    path.write_bytes(csv_bytes(BOOK[kind]))
    before = state()
    with held(table) as observer:
        process = subprocess.Popen(
            command("import_data", kind, str(path)), cwd=ROOT, env=environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait_until_blocked(observer, table)
        finally:
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
    assert state() == before
    assert take(kind, BOOK[kind], tmp_path).inserted == len(BOOK[kind])
