"""Imports confirmed by two at once, and workers that are killed in the middle of one."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from config.kernel.models import Chunk, Run
from config.kernel.services import work
from loans.models import FileImport, ImportBatch, ImportUndo, Repayment
from loans.services import file_imports, import_undos, import_work
from loans.values.errors import DomainError
from tests.integration.book import AT
from tests.integration.samples import BOOK, load_book
from tests.integration.test_file_imports import send_rows
from tests.integration.test_import_undos import facts
from tests.integration.test_intake_processes import ROOT, environment

pytestmark = pytest.mark.django_db(transaction=True)

# A worker that dies where the work is done and the end of its transaction is not.
DIES = """
import os, signal, django
django.setup()
from pathlib import Path
from django.conf import settings
settings.REPORTS_DIR = Path({store!r})
from django.utils import timezone
from config.kernel.services import work
from loans.services import import_work
work.finish_chunk = lambda **_: os.kill(os.getpid(), signal.SIGKILL)
import_work.work_import(run_id={run_id}, owner="dying", clock=timezone.localtime)
"""


@pytest.fixture(autouse=True)
def place(settings: Any, tmp_path: Path) -> None:
    settings.REPORTS_DIR = tmp_path / "store"


def die(run_id: int, folder: Path) -> None:
    """Let a worker's process take the step up, do it, and be killed before it is kept."""
    done = subprocess.run(
        [sys.executable, "-c", DIES.format(run_id=run_id, store=str(folder / "store"))], cwd=ROOT, check=False, timeout=120,
        env=environment(), capture_output=True,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def both(act: Callable[[], Any]) -> list[Any]:
    """Do it twice at once; what each gives or refuses."""

    def once(_: int) -> Any:
        try:
            return act()
        except DomainError as refusal:
            return refusal.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(once, range(2)))


def sweep() -> None:
    import_work.work_open_imports(owner="sweeper", clock=lambda: AT)


def test_two_confirmations_at_once_import_once(tmp_path: Path) -> None:
    load_book(tmp_path, upto="notes")
    row = send_rows("repayments", BOOK["repayments"], tmp_path, 10_000_000)
    batches = ImportBatch.objects.count()

    def confirm() -> str:
        done = file_imports.confirm(
            import_id=row.pk, fingerprint=row.fingerprint, actor="maker", at=AT
        )
        return str(done.state)

    assert sorted(both(confirm)) == ["done", "import_taken"]
    assert (Repayment.objects.count(), ImportBatch.objects.count()) == (1, batches + 1)


def test_two_requests_and_two_agreements_at_once_take_back_once(tmp_path: Path) -> None:
    load_book(tmp_path, upto="repayments")
    batch = ImportBatch.objects.latest("pk")
    asked = both(lambda: import_undos.ask(batch_id=batch.pk, reason="重发", actor="maker", at=AT))
    undo = ImportUndo.objects.get()
    assert sorted(asked, key=str) == sorted([undo.pk, "undo_asked"], key=str)
    agreed = both(
        lambda: str(import_undos.agree(undo_id=undo.pk, answer="", actor="checker", at=AT).state)
    )
    assert sorted(agreed) == ["done", "undo_answered"]
    assert (Repayment.objects.count(), ImportBatch.objects.count()) == (0, batch.pk + 1)


def test_a_killed_worker_leaves_nothing_half_done_and_the_next_finishes(
    tmp_path: Path, settings: Any
) -> None:
    settings.IMPORT_CELERY_ROWS = 0
    load_book(tmp_path, upto="notes")
    before = facts()
    row = send_rows("repayments", BOOK["repayments"], tmp_path, 10_000_000)
    die(row.run_id, tmp_path)
    row.refresh_from_db()
    assert (row.state, Chunk.objects.get().attempts) == ("checking", 1)
    sweep()
    row.refresh_from_db()
    assert row.state == "ready"
    confirmed = file_imports.confirm(
        import_id=row.pk, fingerprint=row.fingerprint, actor="maker", at=AT
    )
    die(confirmed.run_id, tmp_path)
    row.refresh_from_db()
    after = {name: rows for name, rows in facts().items() if name != "loans_fileimport"}
    assert (row.state, after) == (
        "importing", {name: rows for name, rows in before.items() if name != "loans_fileimport"},
    )  # fmt: skip
    sweep()
    row.refresh_from_db()
    assert (row.state, Repayment.objects.count()) == ("done", 1)
    sweep()
    assert Repayment.objects.count() == 1


def test_a_step_that_kills_every_worker_ends_as_failed_with_nothing_done(
    tmp_path: Path, settings: Any
) -> None:
    settings.IMPORT_CELERY_ROWS = 0
    load_book(tmp_path, upto="notes")
    row = send_rows("repayments", BOOK["repayments"], tmp_path, 10_000_000)
    Chunk.objects.update(attempts=work.ATTEMPTS_MAX - 1)
    die(row.run_id, tmp_path)
    sweep()
    row.refresh_from_db()
    assert (row.state, Run.objects.get().state) == ("failed", "failed")
    assert "5 次尝试均中断，没有留下错误" in row.told
    assert Repayment.objects.count() == 0
    again = file_imports.look_again(import_id=row.pk, actor="maker", at=AT)
    sweep()
    again.refresh_from_db()
    assert again.state == "ready"


def test_a_killed_undo_is_finished_by_the_next(tmp_path: Path, settings: Any) -> None:
    settings.IMPORT_CELERY_ROWS = 0
    load_book(tmp_path, upto="repayments")
    batch = ImportBatch.objects.latest("pk")
    undo = import_undos.ask(batch_id=batch.pk, reason="重发", actor="maker", at=AT)
    ordered = import_undos.agree(undo_id=undo, answer="", actor="checker", at=AT)
    die(ordered.run_id, tmp_path)
    ordered.refresh_from_db()
    assert (ordered.state, Repayment.objects.count()) == ("working", 1)
    sweep()
    ordered.refresh_from_db()
    assert (ordered.state, ordered.removed, Repayment.objects.count()) == ("done", 1, 0)


def test_a_busy_intake_is_waited_for_without_counting_as_an_attempt(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    settings.IMPORT_CELERY_ROWS = 0
    load_book(tmp_path, upto="notes")
    row = send_rows("repayments", BOOK["repayments"], tmp_path, 10_000_000)

    def busy(**_: Any) -> None:
        raise OperationalError("lock timeout")

    with monkeypatch.context() as patch:
        patch.setattr("loans.services.intake.locks.lock_intake", busy)
        sweep()
    assert (Run.objects.get().state, Chunk.objects.get().attempts) == ("open", 0)
    assert FileImport.objects.get().state == "checking"
    sweep()
    row.refresh_from_db()
    assert row.state == "ready"
