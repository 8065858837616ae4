"""How far a job is, told while its own transaction still goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from config.kernel.models import Chunk, Institution
from config.kernel.services import work
from reports.services import jobs
from tests.integration import rows
from tests.integration.rows import BANK
from tests.integration.test_report_jobs import AT, done, order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def banks(settings: Any, tmp_path: Path) -> dict[str, Institution]:
    settings.REPORTS_DIR = tmp_path / "store"
    rows.scheme_version()
    return rows.institutions()


def test_rows_are_told_while_a_job_goes_on_and_anew_at_each_attempt(
    banks: dict[str, Institution], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = jobs.order_export(
        register="notes", file_format="xlsx", filters={}, scope=banks[BANK].scope, actor="maker", at=AT
    )  # fmt: skip
    seen: list[int] = []

    def write(*, progress: Any, **_: Any) -> int:
        for rows_written in (3, 4):
            progress(rows_written)
            with transaction.atomic():
                seen.append(Chunk.objects.get().rows_done)
        raise OSError("disk full")

    monkeypatch.setattr(jobs, "write_register", write)
    assert done(run_id) == "failed"
    assert seen == [3, 7] * work.ATTEMPTS_MAX
    assert Chunk.objects.get().attempts == work.ATTEMPTS_MAX


def test_what_cannot_be_told_at_once_is_left_out(banks: dict[str, Institution]) -> None:
    run_id = order(banks[BANK].scope)
    chunk_id = Chunk.objects.get(run_id=run_id).pk
    with work.telling(chunk_id=chunk_id) as tell:
        with transaction.atomic():
            Chunk.objects.select_for_update().get(pk=chunk_id)
            tell(5)
        tell(2)
    assert Chunk.objects.get(pk=chunk_id).rows_done == 2
