"""Files that machines bring, and workers that are killed over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.kernel.models import Chunk, Institution, Run
from loans.models import FileImport, ImportBatch, Repayment
from loans.services import file_imports, import_work
from loans.services.controls import Controls
from loans.services.file_imports import Upload
from tests.integration.book import AT
from tests.integration.samples import BOOK, NANJING, csv_bytes, load_book
from tests.integration.test_import_processes import die

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def place(settings: Any, tmp_path: Path) -> None:
    settings.REPORTS_DIR = tmp_path / "store"


def bring(folder: Path, fen: int) -> FileImport:
    load_book(folder, upto="notes")
    path = folder / "sent.csv"
    path.write_bytes(csv_bytes(BOOK["repayments"]))
    bank = Institution.objects.get(code=NANJING)
    return file_imports.bring(
        upload=Upload(path, "repayments.csv", "repayments"),
        controls=Controls(1, fen),
        institution_id=bank.pk,
        scope=bank.scope,
        actor="api:core",
        at=AT,
    )


def test_a_worker_killed_over_a_file_leaves_nothing_and_the_next_takes_it_in_once(
    tmp_path: Path,
) -> None:
    row = bring(tmp_path, 10_000_000)
    batches = ImportBatch.objects.count()
    die(row.run_id, tmp_path)
    row.refresh_from_db()
    assert (row.state, row.batch_id, Chunk.objects.get().attempts) == ("importing", None, 1)
    assert (Repayment.objects.count(), ImportBatch.objects.count()) == (0, batches)
    for _ in range(2):
        import_work.work_open_imports(owner="sweeper", clock=lambda: AT)
        row.refresh_from_db()
        assert (row.state, Run.objects.get(pk=row.run_id).state) == ("done", "done")
        assert (Repayment.objects.count(), ImportBatch.objects.count()) == (1, batches + 1)


def test_what_is_wrong_with_a_refused_file_is_kept_with_the_refusal(tmp_path: Path) -> None:
    row = bring(tmp_path, 1)
    import_work.work_import(run_id=row.run_id, owner="worker", clock=lambda: AT)
    row.refresh_from_db()
    run = Run.objects.get(pk=row.run_id)
    assert (row.state, row.problem_count, run.state, run.error[:9]) == (
        "refused", 1, "failed", "文件有 1 处错误",
    )  # fmt: skip
    assert (Chunk.objects.get().attempts, Repayment.objects.count()) == (1, 0)
