"""What workers do of imports: look, take in, take back. PostgreSQL owns the work (K, `work`).

Each step is one chunk in one transaction with the row that tells people about it, so that a killed
worker leaves nothing half done: the next one does the step from its start.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from datetime import datetime

import polars as pl
from django.db import transaction

from config.kernel.models import Run
from config.kernel.services import work
from loans.models import FileImport, ImportUndo
from loans.services import file_imports, import_undos
from loans.services.file_imports import RUN_KIND
from loans.services.locks import BUSY
from loans.values.errors import DomainError

logger = logging.getLogger(__name__)


def work_import(
    *, run_id: int, owner: str, clock: Callable[[], datetime], until: datetime | None = None
) -> str:
    """Do what can be done of an ordered step; returns the state of its run then."""
    run = Run.objects.get(pk=run_id)
    while until is None or clock() < until:
        chunk_id = work.claim_chunk(run_id=run_id, owner=owner, at=clock())
        if chunk_id is None:
            break
        if not _try_chunk(run, chunk_id, clock()):
            break
    with transaction.atomic():
        state = work.close_run(run_id=run_id, at=clock())
        if state == Run.State.FAILED:
            _fail(Run.objects.get(pk=run_id), clock())
    return state


def work_open_imports(
    *, owner: str, clock: Callable[[], datetime], until: datetime | None = None
) -> None:
    """Work on every ordered step that is not finished, oldest first."""
    for run_id in work.open_runs(kind=RUN_KIND):
        work_import(run_id=run_id, owner=owner, clock=clock, until=until)


def _try_chunk(run: Run, chunk_id: int, at: datetime) -> bool:
    """One attempt; what a rule refuses is not tried again. False: better not now."""
    try:
        with work.telling(chunk_id=chunk_id) as tell, transaction.atomic():
            refused = _act(run, at, tell)
            if refused is None:
                work.finish_chunk(chunk_id=chunk_id, stats={})
            else:  # with what is wrong, which is kept
                work.refuse_chunk(chunk_id=chunk_id, error=refused)
    except DomainError as refusal:
        if refusal.code == BUSY:
            work.put_back(chunk_id=chunk_id, why=refusal.message)
            return False
        work.refuse_chunk(chunk_id=chunk_id, error=refusal.message)
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001 (a panic is none)
        logger.warning("chunk %s: %r", chunk_id, error)
        trace = "".join(traceback.format_exception(error))
        work.note_failure(chunk_id=chunk_id, error=f"{error!r}\n\n{trace}")
    finally:
        work.release_chunk(chunk_id=chunk_id)
    return True


def _act(run: Run, at: datetime, tell: Callable[[int], None]) -> str | None:
    """Do the step; why the file was refused, if it was."""
    if "undo" in run.params:
        import_undos.take_back(undo_id=run.params["undo"], at=at)
        return None
    row = file_imports.locked(import_id=run.params["import"])
    assert row.run_id == run.pk, "a step is ordered once"
    refused: str | None = file_imports.STEPS[run.params["step"]](row=row, at=at, tell=tell)
    return refused


def _fail(run: Run, at: datetime) -> None:
    """Tell the people who wait that the worker's step has failed, and that nothing has changed."""
    if "undo" in run.params:
        waiting = ImportUndo.objects.filter(pk=run.params["undo"], state=ImportUndo.State.WORKING)
        waiting.update(state=ImportUndo.State.FAILED, error=run.error)
        return
    states = [FileImport.State.CHECKING, FileImport.State.IMPORTING]
    waiting_files = FileImport.objects.filter(
        pk=run.params["import"], run_id=run.pk, state__in=states
    )
    waiting_files.update(state=FileImport.State.FAILED, told=run.error, finished_at=at)
