"""What lists and files that a worker takes in have in common: the order, the job, what came of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from rest_framework.response import Response

from config.kernel.api import jobs
from config.kernel.models import Run
from loans.models import FileImport
from loans.services import file_imports
from loans.services.controls import Controls
from loans.services.file_imports import RUN_KIND, Upload
from loans.tasks import work_import

TAKEN = "take"


def ordered(
    *,
    upload: Upload,
    controls: Controls,
    institution_id: int | None,
    scope: tuple[int, int],
    actor: str,
    at: datetime,
) -> Response:
    """Keep the file, have a worker take it in, and say where that is told of."""
    row = file_imports.bring(
        upload=upload,
        controls=controls,
        institution_id=institution_id,
        scope=scope,
        actor=actor,
        at=at,
    )
    assert row.run_id is not None, "it was ordered"
    run_id = int(row.run_id)
    # A message that is lost is made up by the sweep.
    transaction.on_commit(lambda: work_import.delay(run_id=run_id), robust=True)
    return jobs.ordered(run_id)


def named(kind: str, path: Path) -> Upload:
    """A body as a file of a kind: machines give theirs no name."""
    return Upload(path=path, name=f"{kind}{path.suffix}", kind=kind)


def _came(run: Run) -> jobs.Came:
    """What a file did; nothing of files whose institutions the caller does not see."""
    row = FileImport.objects.filter(pk=run.params.get("import"), run_id=run.pk).first()
    if row is None:
        return jobs.Came({})
    is_done = row.state == FileImport.State.DONE
    counts = {
        "stored": row.inserted if is_done else 0,
        "corrected": row.corrected if is_done else 0,
        "unchanged": row.unchanged if is_done else 0,
    }
    result = {"kind": row.kind, "received": row.rows, **counts, "batch": row.batch_id}
    return jobs.Came(result, [_problem(one) for one in row.shown_problems], row.problem_count)


def _problem(shown: list[Any]) -> dict[str, Any]:
    line, column, _header, value, message, *code = shown
    return {
        "row": line,
        "column": column or None,
        "code": code[0] if code else "invalid",
        "value": value or None,
        "detail": message,
    }


jobs.RESULTS[RUN_KIND] = _came
