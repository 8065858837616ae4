"""Deduction runs are killed, doubled and disturbed; the book ends as if nothing had happened.

Real processes, killed at points that other sessions hold them at, or at random ones.
"""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.faults.books import PROCESS, Book, Servers, finished, killed, until, write_rows
from tests.integration import book as entry
from tests.integration.test_histories import assert_is_what_one_run_gives
from tests.reference.histories import histories
from tests.reference.portfolios import random_portfolio

Copy = Callable[..., Book]
DONE = "SELECT count(*) FROM kernel_chunk WHERE state = 'done'"
HELD = """
SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
WHERE c.relname LIKE 'settlement_deduction%%' AND l.mode = 'RowExclusiveLock'
"""


@contextmanager
def holding(book: Book, statement: str) -> Iterator[psycopg.Connection]:
    """Hold rows in a session of one's own; they are as before afterwards."""
    with book.connect() as session:
        session.execute(statement.encode())
        yield session
        session.rollback()


def enterprise(book: Book, position: int) -> int:
    """The enterprise at a place of the order in which they are worked on."""
    return int(
        book.rows("SELECT id FROM loans_enterprise ORDER BY id OFFSET %s LIMIT 1", [position])[0][0]
    )


def of_later_chunk(book: Book) -> int:
    """An enterprise somewhere in the middle."""
    return enterprise(book, 24)


# ---- where a run is killed: each starts a process and kills it at one exact point


def while_judging(book: Book) -> None:
    """Labels are judged, nothing of it is committed."""
    with holding(
        book, f"SELECT FROM loans_enterprise WHERE id = {of_later_chunk(book)} FOR UPDATE"
    ):
        process = book.start("run_deductions")
        book.wait_blocked()
        killed(process)
    assert book.rows("SELECT count(*) FROM settlement_enrolment") == [(0,)]
    assert book.rows("SELECT count(*) FROM kernel_run") == [(0,)]


def with_a_chunk_in_hand(book: Book) -> None:
    """A chunk is claimed; earlier ones are done."""
    book.judge()
    with holding(
        book, f"SELECT FROM loans_enterprise WHERE id = {of_later_chunk(book)} FOR UPDATE"
    ):
        process = book.start("run_deductions")
        book.wait_blocked()
        killed(process)
    assert book.rows(DONE)[0][0] > 1
    assert book.rows("SELECT attempts FROM kernel_chunk WHERE lease_owner <> ''") == [(1,)]


def with_rows_written(book: Book) -> None:
    """A chunk's deductions are written, not committed."""
    book.judge()
    claim = (
        f"INSERT INTO settlement_enterpriseposting VALUES ({of_later_chunk(book)}, 1, now(), '')"
    )
    with holding(book, claim):
        process = book.start("run_deductions")
        book.wait_blocked()
        assert book.rows(HELD)[0][0] > 0
        killed(process)


def before_the_commit(book: Book) -> None:
    """All of a chunk is written, and the chunk is about to be marked done."""
    book.judge()
    with holding(
        book, f"SELECT FROM loans_enterprise WHERE id = {of_later_chunk(book)} FOR UPDATE"
    ) as gate:
        process = book.start("run_deductions")
        book.wait_blocked()
        with holding(book, "SELECT FROM kernel_chunk WHERE lease_owner <> '' FOR UPDATE"):
            gate.rollback()
            until(lambda: book.rows(HELD)[0][0] > 0)
            book.wait_blocked()
            killed(process)


def before_the_run_is_closed(book: Book) -> None:
    """Every chunk is done."""
    book.judge()
    with holding(
        book, f"SELECT FROM loans_enterprise WHERE id = {of_later_chunk(book)} FOR UPDATE"
    ) as gate:
        process = book.start("run_deductions")
        book.wait_blocked()
        with holding(book, "SELECT FROM kernel_run FOR UPDATE"):
            gate.rollback()
            book.wait("SELECT count(*) = 0 FROM kernel_chunk WHERE state = 'todo'")
            book.wait_blocked()
            killed(process)
    assert book.rows("SELECT state FROM kernel_run") == [("open",)]


@pytest.mark.parametrize(
    "kill",
    [while_judging, with_a_chunk_in_hand, with_rows_written, before_the_commit, before_the_run_is_closed],
)  # fmt: skip
def test_a_killed_run_is_finished_by_the_next(
    book: Book, undisturbed: Book, kill: Callable[[Book], None]
) -> None:
    kill(book)
    assert (
        book.state()["postings"] != undisturbed.state()["postings"]
        or kill is before_the_run_is_closed
    )
    book.run()
    assert book.state() == undisturbed.state()
    book.assert_whole()


def test_runs_killed_at_random_again_and_again(book: Book, undisturbed: Book) -> None:
    rng = random.Random(20261123)
    working = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    for _ in range(6):
        process = book.start("run_deductions")
        book.wait(working)
        time.sleep(rng.random())
        process.kill()
        process.communicate()
    book.run()
    assert book.state() == undisturbed.state()
    book.assert_whole()


def test_the_next_run_waits_for_what_a_killed_one_still_holds(
    book: Book, undisturbed: Book
) -> None:
    """PostgreSQL notices a dead client only when its statement is over."""
    book.judge()
    claim = (
        f"INSERT INTO settlement_enterpriseposting VALUES ({of_later_chunk(book)}, 1, now(), '')"
    )
    with holding(book, claim):
        process = book.start("run_deductions")
        book.wait_blocked()
        killed(process)
        following = book.start("run_deductions")
        book.wait("SELECT count(*) = 1 FROM kernel_chunk WHERE state = 'todo'")
        time.sleep(1.5)
        assert following.poll() is None
        assert book.rows("SELECT count(*) FROM kernel_run") == [(1,)]
    finished(following)
    assert book.state() == undisturbed.state()
    book.assert_whole()


@pytest.mark.parametrize("moment", ["between rows", "in a chunk"])
def test_a_killed_database_comes_back_to_the_same_book(
    servers: Servers, book: Book, undisturbed: Book, moment: str
) -> None:
    expected = undisturbed.state()
    book.judge()
    claim = (
        f"INSERT INTO settlement_enterpriseposting VALUES ({of_later_chunk(book)}, 1, now(), '')"
    )
    with book.connect() as session:
        if moment == "in a chunk":
            session.execute(claim.encode())
        process = book.start("run_deductions")
        book.wait_blocked() if moment == "in a chunk" else book.wait(f"SELECT ({DONE}) > 2")
        os.kill(servers.postmaster(), signal.SIGKILL)
        process.communicate(timeout=60)
        session.close()
    servers.wait_ready()
    assert book.rows(DONE)[0][0] > 2
    book.run()
    assert book.state() == expected
    book.assert_whole()


# ---- several at once


@pytest.mark.parametrize("count", [2, 4])
def test_runs_side_by_side_do_the_work_once(book: Book, undisturbed: Book, count: int) -> None:
    processes = [book.start("run_deductions") for _ in range(count)]
    for process in processes:
        finished(process)
    assert book.state() == undisturbed.state()
    assert book.rows("SELECT count(*) FROM settlement_deduction WHERE sequence > 0") == [(0,)]
    assert deadlocks(book) == 0
    book.assert_whole()


def deadlocks(book: Book) -> int:
    """How often did PostgreSQL have to break a deadlock in this book?"""
    query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    book.rows("SELECT pg_stat_force_next_flush()::text")
    return int(book.rows(query)[0][0])


def test_a_run_does_not_wait_for_rows_that_merely_point_to_its_enterprises(
    book: Book, undisturbed: Book
) -> None:
    """Such a row is checked at COMMIT with a share of the enterprise's key, in no order."""
    with holding(book, "SELECT FROM loans_enterprise FOR KEY SHARE"):
        book.run()
    assert book.state() == undisturbed.state()


IMPORTER = f"""{PROCESS}
from datetime import UTC, datetime
from pathlib import Path
from loans.services.intake import import_file
for path in sorted(Path(sys.argv[0]).iterdir()):
    kind = path.stem.split("-", 1)[1]
    import_file(kind=kind, path=path, actor="system", at=datetime(2026, 11, 23, 8, tzinfo=UTC))
"""
RUNNER = f"""{PROCESS}
from django.core.management import call_command
from pathlib import Path
while not Path(sys.argv[0]).exists():
    call_command("run_deductions")
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_files_arriving_during_runs_end_in_what_one_run_gives(
    servers: Servers, books: Copy, tmp_path: Path, seed: int
) -> None:
    """A whole history, corrections and all, comes in while two processes run over and over."""
    steps, final = histories(seed, random_portfolio(seed, notes=40), pieces=3)
    files, over = tmp_path / "files", tmp_path / "over"
    files.mkdir()
    for number, step in enumerate(step for step in steps if step.action == "import"):
        write_rows(step.rows, files / f"{number:04}-{step.kind}.csv")
    book = books(of="tiexi")
    with book.inside():
        entry.load_shipped()
    runners = [book.start(str(over), program=RUNNER) for _ in range(2)]
    finished(book.start(str(files), program=IMPORTER), seconds=200)
    over.touch()
    for runner in runners:
        finished(runner)
    assert deadlocks(book) == 0
    assert book.rows("SELECT count(*) FROM kernel_chunk WHERE error <> ''") == [(0,)]
    book.run()
    with book.inside():
        assert_is_what_one_run_gives(final, tmp_path)
    book.assert_whole()


# ---- chunks that fail


def spoil(book: Book, action: str) -> None:
    """Let every deduction of one note end in a fault of the database."""
    ((note_id,),) = book.rows("SELECT id FROM loans_note WHERE note_number = 'JJ72300000020'")
    book.execute(
        f"CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {action}; RETURN NEW; END $$; "
        f"CREATE TRIGGER spoil BEFORE INSERT ON settlement_deduction FOR EACH ROW "
        f"WHEN (NEW.note_id = {note_id}) EXECUTE FUNCTION spoil()"
    )


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ("RAISE EXCEPTION 'not this one'", "not this one"),
        ("PERFORM pg_terminate_backend(pg_backend_pid())", "terminating connection"),
    ],
    ids=["error", "lost connection"],
)
def test_one_bad_chunk_stops_no_other(
    book: Book, undisturbed: Book, action: str, says: str
) -> None:
    expected = undisturbed.state()
    spoil(book, action)
    process = book.start("run_deductions")
    said = process.communicate(timeout=120)[0]
    assert (process.returncode, "Traceback" in said) == (1, False), said
    assert "有失败的分块 / has failed chunks" in said
    ((attempts, error),) = book.rows(
        "SELECT attempts, error FROM kernel_chunk WHERE state <> 'done'"
    )
    assert (attempts, says in error) == (5, True)
    assert book.rows("SELECT state FROM kernel_run") == [("failed",)]
    assert len(book.state()["postings"]) > len(expected["postings"]) * 3 // 4
    book.execute("DROP TRIGGER spoil ON settlement_deduction")
    book.run()
    assert book.rows("SELECT state FROM kernel_run ORDER BY id") == [("failed",), ("done",)]
    assert book.state() == expected
    book.assert_whole()
