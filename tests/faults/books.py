"""Books of one's own for the fault tests: databases on servers that may be killed.

Whatever is killed here runs in real processes on real servers; nothing of the product knows that it
is being tested. A process is stopped at an exact point by holding, in another session, the very row
that it needs next.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.core.management import call_command
from pytest_django import DjangoDbBlocker

from config import embedded
from config.settings.connections import LIMITS, VARIABLES
from config.settings.connections import database as parameters
from settlement.services.assessments import assess_notes
from settlement.services.verification import verify
from tests import database
from tests.integration import book as entry

ROOT = Path(__file__).resolve().parents[2]
BINARIES = Path(embedded._binaries()[0])
OPTIONS = ("--fsync=off", "--full_page_writes=off", "--autovacuum=off")
# What a command does, in a process of its own, with chunks as small as asked for.
PROCESS = """
import sys
import django
django.setup()
from settlement.services import groups
groups.CHUNK_NOTES = int(sys.argv[1])
del sys.argv[:2]
"""
COMMAND = f"""{PROCESS}
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", *sys.argv])
"""
SMALL = 12  # notes in a chunk: the portfolio becomes some twenty chunks

POSTINGS = """
SELECT s.code, i.code, c.reference, d.sequence, n.note_number, d.institution_id, d.collected_on,
       d.version_id, d.days, d.product, d.raw_central_fen, d.raw_provincial_fen, d.raw_municipal_fen,
       d.cut_reasons, d.central_fen, d.provincial_fen, d.municipal_fen, d.why
FROM settlement_deduction d
JOIN loans_interestcollection c ON c.id = d.collection_id AND c.note_id = d.note_id
JOIN loans_note n ON n.id = d.note_id JOIN kernel_institution i ON i.id = n.origin_id
JOIN settlement_scheme s ON s.id = d.scheme_id ORDER BY 1, 2, 3, 4
"""
ENROLMENTS = """
SELECT e.scheme_code, i.code, n.note_number, e.institution_id, e.position, e.status, e.reasons,
       e.eligible_fen, e.principal_capped, e.commitment_fen, e.subsidised_from, e.subsidised_until,
       e.tiers_off, e.lpr_ppm, e.version_id
FROM settlement_enrolment e JOIN loans_note n ON n.id = e.note_id
JOIN kernel_institution i ON i.id = n.origin_id ORDER BY 1, 2, 3
"""
UP_TO_DATE = """
SELECT e.uscc, p.facts_version = e.facts_version, p.through, p.terms_key
FROM loans_enterprise e LEFT JOIN settlement_enterpriseposting p ON p.enterprise_id = e.id ORDER BY 1
"""
Rows = list[tuple[Any, ...]]


class Servers:
    """PostgreSQL and Valkey of one's own; its template database is migrated and holds schemes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        embedded.hold(folder, OPTIONS)
        self.urls = embedded.urls(folder)
        self.count = 0

    def fill(self, template: str) -> None:
        """Bring in the tests' migrated template, from the servers of all other tests."""
        source = parameters(_url(database.settings.ADDRESSES.owner, template), "")
        dumped = [str(BINARIES / "pg_dump"), *_client(source), "--enable-row-security", template]
        target = parameters(self.urls.owner.replace("//owner@", "//postgres@"), "")
        restored = [str(BINARIES / "psql"), *_client(target), "--quiet", "--no-psqlrc"]
        restored += ["-v", "ON_ERROR_STOP=1", "--single-transaction", "--dbname", target["NAME"]]
        with subprocess.Popen(dumped, stdout=subprocess.PIPE) as dump:
            subprocess.run(restored, stdin=dump.stdout, stdout=subprocess.DEVNULL, check=True)
        assert dump.returncode == 0

    def book(self, blocker: DjangoDbBlocker, *, of: str = embedded.DATABASE) -> Book:
        """A copy of a database."""
        self.count += 1
        name = f"book{self.count}"
        with psycopg.connect(_url(self.urls.owner, "postgres"), autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {of}")
        return Book(self, name, blocker)

    def postmaster(self) -> int:
        """The process id of PostgreSQL."""
        return int((self.folder / "postgres" / "postmaster.pid").read_text().split()[0])

    def wait_ready(self) -> None:
        """Wait until PostgreSQL takes connections again."""

        def answers() -> bool:
            try:
                psycopg.connect(self.urls.worker).close()
            except psycopg.OperationalError:
                return False
            return True

        until(answers)


class Book:
    """One database on such servers, and processes that work on it."""

    def __init__(self, servers: Servers, name: str, blocker: DjangoDbBlocker) -> None:
        self.servers, self.name, self.blocker = servers, name, blocker
        self.processes: list[subprocess.Popen[str]] = []

    def url(self, role: str) -> str:
        """Where this database is, for a role."""
        return _url(getattr(self.servers.urls, role), self.name)

    def environment(self, **changes: str) -> dict[str, str]:
        """The environment of a process that works on this book."""
        addresses = {role: self.url(role) for role in ("owner", "app", "worker")}
        addresses["redis"] = self.servers.urls.redis
        ours = {*VARIABLES.values(), "DATA_DIR", "TIEXI_ROLE"}
        return {
            **{name: value for name, value in os.environ.items() if name not in ours},
            **{VARIABLES[name]: url for name, url in addresses.items()},
            "DJANGO_SETTINGS_MODULE": "config.settings.dev",
            "PYTHONPATH": str(ROOT),
            **changes,
        }

    def start(
        self, *arguments: str, program: str = COMMAND, **environment: str
    ) -> subprocess.Popen[str]:
        """Start a process with small chunks; see `close`."""
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(SMALL), *arguments],
            env=self.environment(**environment), cwd=ROOT, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.processes.append(process)
        return process

    def close(self) -> None:
        """End what was started here."""
        for process in self.processes:
            if process.stdout and not process.stdout.closed:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.communicate()

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Let this process's Django work on the book."""
        limits = parameters(self.url("worker"), LIMITS["worker"])
        with self.blocker.unblock(), database._settings(limits):
            yield

    def connect(self, role: str = "worker") -> psycopg.Connection:
        """A session of one's own, in transactions."""
        return psycopg.connect(self.url(role))

    def rows(self, query: str, params: Sequence[Any] = (), role: str = "worker") -> Rows:
        """The rows of one query."""
        with psycopg.connect(self.url(role), autocommit=True) as session:
            return session.execute(query.encode(), params).fetchall()

    def execute(self, statement: str) -> None:
        """Run one statement as the owner of the tables."""
        with psycopg.connect(self.url("owner"), autocommit=True) as session:
            session.execute(statement.encode())

    def state(self) -> dict[str, Rows]:
        """Everything that must not depend on kills and company: postings, judgements, progress."""
        queries = {"postings": POSTINGS, "enrolments": ENROLMENTS, "up to date": UP_TO_DATE}
        return {name: self.rows(query) for name, query in queries.items()}

    def wait(self, query: str, params: Sequence[Any] = ()) -> None:
        """Wait until a query gives true."""
        with psycopg.connect(self.url("worker"), autocommit=True) as session:
            until(lambda: bool(session.execute(query.encode(), params).fetchone()[0]))  # type: ignore[index]

    def wait_blocked(self, sessions: int = 1) -> None:
        """Wait until so many sessions wait for what somebody else holds."""
        self.wait(
            "SELECT count(*) >= %s FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'",
            [sessions],
        )

    def judge(self) -> None:
        """Judge all labels."""
        with self.inside():
            assess_notes(at=entry.AT)

    def run(self) -> str:
        """Run the command to its end, in this process; returns what it said."""
        said = io.StringIO()
        with self.inside():
            call_command("run_deductions", stdout=said)
        return said.getvalue()

    def assert_whole(self) -> None:
        """Nothing is left open or locked, the book is right, and each target has one original."""
        assert self.rows("SELECT DISTINCT state FROM kernel_run WHERE state = 'open'") == []
        assert self.rows("SELECT id FROM kernel_chunk WHERE state = 'todo'") == []
        self.wait(
            "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory' AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        assert (
            self.rows(
                "SELECT collection_id, scheme_id FROM settlement_deduction WHERE sequence = 0 "
                "GROUP BY 1, 2 HAVING count(*) > 1"
            )
            == []
        )
        with self.inside():
            found = verify()
        assert (found.problems, found.waiting) == ([], 0)


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def finished(process: subprocess.Popen[str], seconds: float = 120) -> str:
    """Wait for a process that should end well; returns what it said."""
    said = process.communicate(timeout=seconds)[0]
    assert process.returncode == 0, said
    assert "Traceback" not in said
    return said


def killed(process: subprocess.Popen[str]) -> None:
    """Kill a process that is still at it."""
    assert process.poll() is None, process.communicate()[0]
    process.kill()
    process.communicate()


def write_rows(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write rows as a CSV file to import."""
    listed = list(rows)
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, fieldnames=list(dict.fromkeys(k for r in listed for k in r)))
        writer.writeheader()
        writer.writerows(listed)


def _url(url: str, name: str) -> str:
    head, _, tail = url.rpartition("/")
    return f"{head}/{name}{tail[tail.find('?') :] if '?' in tail else ''}"


def _client(target: dict[str, Any]) -> list[str]:
    return [
        "--host",
        target["HOST"],
        "--username",
        target["USER"],
        *(["--port", target["PORT"]] if target["PORT"] else []),
    ]
