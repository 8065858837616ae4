"""Jobs: reports and exports that workers make, ordered in the admin or by the clock.

The order is a run with one chunk; what comes of it is a file. A worker that dies leaves the chunk to
the next: the report is found made already, the export is written again to the same content.
"""

from __future__ import annotations

import logging
import tempfile
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from django.db import transaction

from config.kernel.models import Chunk, Run
from config.kernel.services import bulk, store, work
from config.kernel.services.export import write_register
from loans.values.errors import DomainError, bilingual
from reports.models import ReportFile
from reports.selectors.obligations import without_draft
from reports.services import asking, generation, obligations
from settlement.resources import REGISTERS

REPORT, EXPORT = "report", "export"
FORMATS = ("xlsx", "csv")
PREPARE_LOCK = 0x7072_6570  # one preparation at a time
SYSTEM = "system"

logger = logging.getLogger(__name__)


def order_report(
    *,
    code: str,
    period_code: str,
    institution_code: str,
    scheme_code: str | None,
    scope: tuple[int, int],
    actor: str,
    at: datetime,
    growth_ppm: int | None = None,
) -> int:
    """Order a report; returns the job's number. `scope` is what the actor may see.

    DomainError for what is no such report, period, institution or scheme, and `outside_scope`.
    """
    asked = asking.read(
        code=code,
        period_code=period_code,
        institution_code=institution_code,
        scheme_code=scheme_code,
        growth_ppm=growth_ppm,
    )
    _require_within(asked.scope, scope)
    params: dict[str, Any] = {
        "code": code,
        "period": asked.period.code,
        "institution": institution_code,
        "scheme": asked.scheme_code or "",
    }
    if growth_ppm is not None:
        params["growth_ppm"] = growth_ppm
    return work.open_run(
        kind=REPORT, params=params, payloads=[{}], actor=actor, at=at, scope=asked.scope
    )


def order_export(
    *,
    register: str,
    file_format: str,
    filters: Mapping[str, str],
    scope: tuple[int, int],
    actor: str,
    at: datetime,
) -> int:
    """Order a register as a file, of what the actor may see; returns the job's number."""
    if register not in REGISTERS or file_format not in FORMATS:
        raise DomainError(
            "export_unknown",
            bilingual(f"没有这种导出：{register}.{file_format}", "there is no such export"),
        )
    unknown = sorted(filters.keys() - (REGISTERS[register].filters or {}).keys())
    if unknown:
        raise DomainError(
            "filter_unknown",
            bilingual(
                f"{register} 不支持筛选 {', '.join(unknown)}", "no such filter for this kind"
            ),
        )
    params = {"register": register, "format": file_format, "filters": dict(filters)}
    return work.open_run(kind=EXPORT, params=params, payloads=[{}], actor=actor, at=at, scope=scope)


def _require_within(asked: tuple[int, int], scope: tuple[int, int]) -> None:
    if not (scope[0] <= asked[0] and asked[1] <= scope[1]):
        raise DomainError(
            "outside_scope",
            bilingual("机构不在您的范围内", "the institution is outside your scope"),
        )


@transaction.atomic
def prepare(*, code: str, at: datetime) -> list[int]:
    """Order drafts of this report for all who should have one by now; returns the jobs' numbers.

    What is due is read from the obligations, so a bell that did not ring is made up by the next.
    """
    bulk.rows("SELECT pg_advisory_xact_lock(%s)::text", [PREPARE_LOCK])
    brought = obligations.refresh(today=at.date())
    for problem in brought.problems:
        logger.warning("%s", problem)
    waiting = without_draft(code=code, today=at.date()).select_related("institution")
    ordered = []
    for obligation in waiting:
        params = {
            "code": code,
            "period": obligation.period,
            "institution": obligation.institution.code,
            "scheme": obligation.scheme_code,
        }
        if not Run.objects.filter(kind=REPORT, state=Run.State.OPEN, params=params).exists():
            scope = obligation.institution.scope
            ordered.append(
                work.open_run(
                    kind=REPORT, params=params, payloads=[{}], actor=SYSTEM, at=at, scope=scope
                )
            )
    return ordered


def work_job(
    *, run_id: int, owner: str, clock: Callable[[], datetime], until: datetime | None = None
) -> str:
    """Do what can be done of a job; returns the state it is in then.

    A refusal by a rule ends it; what went wrong otherwise is tried again, ATTEMPTS_MAX times. Where
    somebody else makes the same report, it waits for a later bell: that is no failure of its own.
    """
    run = Run.objects.get(pk=run_id)
    while until is None or clock() < until:
        chunk_id = work.claim_chunk(run_id=run_id, owner=owner, at=clock())
        if chunk_id is None or not _try_chunk(run=run, chunk_id=chunk_id, at=clock()):
            break
    return work.close_run(run_id=run_id, at=clock())


def work_open_jobs(
    *, owner: str, clock: Callable[[], datetime], until: datetime | None = None
) -> None:
    """Work on every job that is not finished, oldest first."""
    for run_id in sorted(run for kind in KINDS for run in work.open_runs(kind=kind)):
        work_job(run_id=run_id, owner=owner, clock=clock, until=until)


def _try_chunk(*, run: Run, chunk_id: int, at: datetime) -> bool:
    """One attempt at a chunk in hand; what fails is kept with it. False: better not now."""
    try:
        KINDS[run.kind](run=run, chunk_id=chunk_id, at=at)
    except DomainError as refused:
        if refused.code == generation.BUSY:
            work.put_back(chunk_id=chunk_id, why=refused.message)
            return False
        work.refuse_chunk(chunk_id=chunk_id, error=refused.message)
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001 (a panic is none)
        logger.warning("chunk %s: %r", chunk_id, error)
        trace = "".join(traceback.format_exception(error))
        work.note_failure(chunk_id=chunk_id, error=f"{error!r}\n\n{trace}")
    finally:
        work.release_chunk(chunk_id=chunk_id)
    return True


def _scope(run: Run) -> tuple[int, int]:
    assert run.scope_lo is not None and run.scope_hi is not None, "a job belongs to somebody"
    return run.scope_lo, run.scope_hi


def _work_report(*, run: Run, chunk_id: int, at: datetime) -> None:
    asked = asking.read(
        code=run.params["code"],
        period_code=run.params["period"],
        institution_code=run.params["institution"],
        scheme_code=run.params["scheme"],
        growth_ppm=run.params.get("growth_ppm"),
    )
    _require_within(asked.scope, _scope(run))
    with work.telling(chunk_id=chunk_id) as tell:
        made = generation.generate(
            code=run.params["code"], asked=asked, actor=run.actor, at=at, progress=tell
        )
    files = ReportFile.objects.filter(report_id=made.report_id, role="report")
    result = files.order_by("-format", "name").first()  # xlsx, pdf, csv: the one to work with
    assert result is not None
    stats = {"new": int(made.is_new), "report": made.report_id}
    _finish(run, chunk_id, name=result.name, sha256=result.sha256, stats=stats)


def _work_export(*, run: Run, chunk_id: int, **_at: datetime) -> None:
    params = run.params
    name = f"{params['register']}-{run.pk}.{params['format']}"
    with tempfile.TemporaryDirectory() as place, work.telling(chunk_id=chunk_id) as tell:
        path = Path(place).joinpath(name)
        count = write_register(
            register=REGISTERS[params["register"]],
            path=path,
            file_format=params["format"],
            scope=_scope(run),
            filters=params["filters"],
            progress=tell,
        )
        sha256 = store.keep(path)
    _finish(run, chunk_id, name=name, sha256=sha256, stats={"rows": count})


@transaction.atomic
def _finish(run: Run, chunk_id: int, *, name: str, sha256: str, stats: dict[str, Any]) -> None:
    """Finish the chunk and name its file, once: a chunk that is done stays as it is."""
    chunk = Chunk.objects.select_for_update().get(pk=chunk_id)
    if chunk.state == Chunk.State.TODO:
        work.finish_chunk(chunk_id=chunk_id, stats=stats)
        work.keep_result(run_id=run.pk, name=name, sha256=sha256)


KINDS: dict[str, Callable[..., None]] = {REPORT: _work_report, EXPORT: _work_export}
