"""Messages only ring the bell: whatever becomes of them and of the workers, runs are finished.

A real worker on a real broker, killed; chunks small enough that it is always in the middle of a run.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import redis
from celery import Celery
from celery.schedules import crontab

from config.celery import PREPARED, app
from config.settings.connections import broker
from reports.definitions.deadlines import DEADLINES
from reports.services import jobs
from settlement.services import deductions
from tests.faults.books import PROCESS, Book, until

CELERY = f"""{PROCESS}
from celery.__main__ import main
sys.argv = ["celery", "--app=config.celery", *sys.argv]
main()
"""
# The same, but a chunk with the enterprise named in TOO_MUCH kills whoever works on it.
FATAL = CELERY.replace(
    PROCESS,
    f"""{PROCESS}
import os
from settlement.services import deductions
def die(*, enterprise_ids, gather=deductions.gather):
    if int(os.environ["TOO_MUCH"]) in enterprise_ids:
        os.kill(os.getpid(), 9)
    return gather(enterprise_ids=enterprise_ids)
deductions.gather = die
""",
)
IMPATIENT = CELERY.replace(
    PROCESS,
    f"""{PROCESS}
from config.celery import PREPARED, app
app.conf.beat_schedule["sweep"]["schedule"] = 1.0
""",
)
MIDDLE = "SELECT id FROM loans_enterprise ORDER BY id OFFSET 24 LIMIT 1"
CLOSED = "SELECT count(*) = %s FROM kernel_run WHERE state = 'done'"


@pytest.fixture
def valkey(book: Book) -> Iterator[redis.Redis]:
    """The broker's server, empty."""
    with redis.Redis.from_url(book.servers.urls.redis) as client:
        client.flushall()
        yield client


def worker(book: Book, program: str = CELERY, **environment: str) -> subprocess.Popen[str]:
    """Start a worker with one process; wait for the first message for it to be ready."""
    arguments = (
        "worker",
        "--concurrency=1",
        "--loglevel=ERROR",
        "--without-gossip",
        "--without-mingle",
    )
    return book.start(*arguments, program=program, **environment)


def send(book: Book, task: str, **arguments: object) -> None:
    """Send a message as anybody would."""
    sender = Celery(broker=broker(book.servers.urls.redis), set_as_current=False)
    with sender.connection_for_write() as connection:
        sender.send_task(task, kwargs=arguments, queue="runs", connection=connection)
    sender.close()


@contextmanager
def blocked_in_the_middle(book: Book) -> Iterator[int]:
    """Hold an enterprise of a later chunk until a worker waits for it; gives that process's id."""
    book.judge()
    with closing(book.connect()) as session:  # with it goes the lock, also of a killed server
        session.execute(f"SELECT FROM loans_enterprise WHERE id = ({MIDDLE}) FOR UPDATE".encode())
        send(book, "settlement.run_deductions", actor="system")
        book.wait_blocked()
        ((owner,),) = book.rows("SELECT lease_owner FROM kernel_chunk WHERE lease_owner <> ''")
        yield int(owner.rpartition(":")[2])


def test_a_message_brings_everything_up_to_date(
    book: Book, undisturbed: Book, valkey: redis.Redis
) -> None:
    process = worker(book)
    send(book, "settlement.run_deductions", actor="system")
    book.wait(CLOSED, [1])
    assert book.state() == undisturbed.state()
    book.assert_whole()
    assert process.poll() is None


def test_a_killed_process_of_a_worker_is_replaced(
    book: Book, undisturbed: Book, valkey: redis.Redis
) -> None:
    """Its message comes back at once, and with it the chunk it held."""
    worker(book)
    with blocked_in_the_middle(book) as process:
        os.kill(process, signal.SIGKILL)
    book.wait(CLOSED, [1])
    assert sorted(set(book.rows("SELECT attempts FROM kernel_chunk"))) == [(1,), (2,)]
    assert book.state() == undisturbed.state()
    book.assert_whole()


def test_the_sweep_finishes_what_killed_workers_and_lost_messages_left(
    book: Book, undisturbed: Book, valkey: redis.Redis, tmp_path: Path
) -> None:
    first = worker(book)
    with blocked_in_the_middle(book):
        os.killpg(first.pid, signal.SIGKILL)
        valkey.flushall()
    worker(book)
    book.start("beat", f"--schedule={tmp_path / 'beat'}", "--pidfile=", program=IMPATIENT)
    book.wait(CLOSED, [1])
    assert book.state() == undisturbed.state()
    book.assert_whole()


def test_a_worker_outlives_its_broker_and_its_database(
    book: Book, undisturbed: Book, valkey: redis.Redis
) -> None:
    expected = undisturbed.state()
    process = worker(book)
    with blocked_in_the_middle(book):
        valkey.flushall()
        server = int(valkey.info("server")["process_id"])
        os.kill(server, signal.SIGKILL)  # the supervisor starts PostgreSQL anew, too
        until(lambda: not Path(f"/proc/{server}").exists())
        book.servers.wait_ready()
    send(book, "kernel.sweep")
    book.wait(CLOSED, [1])
    assert process.poll() is None
    assert book.state() == expected
    book.assert_whole()


def test_a_chunk_that_kills_every_process_is_given_up(
    book: Book, undisturbed: Book, valkey: redis.Redis
) -> None:
    """Five deaths, then the run is closed; the message goes round no more, all else is done."""
    ((enterprise,),) = book.rows(
        "SELECT c.enterprise_id FROM loans_note n JOIN loans_contract c ON c.id = n.contract_id "
        "WHERE n.note_number = 'JJ72300000020'"
    )
    process = worker(book, FATAL, TOO_MUCH=str(enterprise))
    send(book, "settlement.run_deductions", actor="system")
    book.wait("SELECT count(*) = 1 FROM kernel_run WHERE state = 'failed'")
    ((attempts, error),) = book.rows(
        "SELECT attempts, error FROM kernel_chunk WHERE state = 'failed'"
    )
    assert (attempts, "the worker died at each attempt" in error) == (5, True)
    assert book.rows("SELECT DISTINCT state FROM kernel_chunk WHERE state <> 'failed'") == [
        ("done",)
    ]
    until(lambda: (valkey.llen("runs"), valkey.hlen("unacked")) == (0, 0))
    assert process.poll() is None
    process.terminate()
    process.wait()
    book.run()
    assert book.state() == undisturbed.state()
    book.assert_whole()


@pytest.mark.parametrize(
    ("role", "fault"),
    [("owner", "拥有业务表 / owns our tables"), ("postgres", "是超级用户 / is a superuser"), ("app", "应为角色 worker")],
)  # fmt: skip
def test_a_worker_with_another_role_takes_no_message(
    book: Book, valkey: redis.Redis, role: str, fault: str
) -> None:
    before = book.state()
    send(book, "settlement.run_deductions", actor="system")
    address = book.url("worker").replace("//worker@", f"//{role}@")
    process = worker(book, WORKER_DATABASE_URL=address)
    said = process.communicate(timeout=60)[0]
    assert (process.returncode, "Traceback" in said) == (1, False), said
    assert f"拒绝启动，数据库角色 {role}" in said
    assert fault in said
    assert valkey.llen("runs") == 1
    assert book.state() == before


def test_what_beat_rings_and_when() -> None:
    schedule = dict(app.conf.beat_schedule)
    minutely = {"schedule": 60.0, "options": {"expires": 60.0}}
    prepared = {name: schedule.pop(name) for name in list(schedule) if name.startswith("prepare-")}
    assert schedule == {
        "sweep": {"task": "kernel.sweep", "schedule": 60.0, "options": {"expires": 60.0}},
        "deliver": {"task": "kernel.deliver", "schedule": 10.0, "options": {"expires": 10.0}},
        "sweep-orders": {"task": "settlement.sweep_orders", **minutely},
        "send-notices": {"task": "settlement.send_notices", **minutely},
        "pull-provinces": {
            "task": "settlement.pull_provinces",
            "schedule": 600.0,
            "options": {"expires": 600.0},
        },
        "sweep-imports": {"task": "loans.sweep", "schedule": 60.0, "options": {"expires": 60.0}},
        "check-duplicates": {
            "task": "settlement.check_duplicates",
            "schedule": crontab(hour=4, minute=0),
            "options": {"expires": 3600.0},
        },
        "check-changed": {"task": "settlement.check_changed", **minutely},
        "find-missed-labels": {
            "task": "settlement.find_missed_labels",
            "schedule": crontab(hour=5, minute=30),
            "kwargs": {"actor": "system"},
            "options": {"expires": 3600.0},
        },
        "sweep-jobs": {"task": "reports.sweep", "schedule": 60.0, "options": {"expires": 60.0}},
        "reconcile": {
            "task": "settlement.reconcile",
            "schedule": crontab(hour=6, minute=30),
            "options": {"expires": 3600.0},
        },
        "propose-disallowances": {
            "task": "settlement.propose_disallowances",
            "schedule": crontab(hour=6, minute=45),
            "options": {"expires": 3600.0},
        },
        "remind": {
            "task": "reports.remind",
            "schedule": crontab(hour="8-17", minute=30),
            "options": {"expires": 1800.0},
        },
    }
    assert list(prepared) == [f"prepare-{code}" for code in dict.fromkeys(PREPARED)]
    for place, (name, entry) in enumerate(prepared.items()):
        assert entry == {
            "task": "reports.prepare",
            "schedule": crontab(hour=2, minute=5 * place),
            "kwargs": {"code": name.removeprefix("prepare-")},
            "options": {"expires": 3600.0},
        }


def test_every_report_with_a_deadline_is_prepared_and_every_kind_of_run_swept() -> None:
    assert set(PREPARED) == {filing.code for filing in DEADLINES}
    app.loader.import_default_modules()
    rung = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert rung <= set(app.tasks)
    assert {deductions.KIND, *jobs.KINDS} == {"deductions", "report", "export"}
