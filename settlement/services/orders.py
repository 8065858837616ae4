"""Work on money that staff order in the admin and workers do: plans, results, trials, recomputations.

The order is a run with one chunk in the scope of who ordered it. A worker that dies leaves the chunk
to the next; each kind may be done again without anything happening twice.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl
from django.conf import settings
from django.db import transaction

from config.kernel.models import SCOPE_ALL, Chunk, Run
from config.kernel.services import bulk, work
from loans.values.errors import DomainError, bilingual
from settlement.models.recomputation import JOB_KINDS, PLAN, POST, RESULTS, TRIAL
from settlement.selectors.reservations import answered
from settlement.services import checked_runs, deductions, recomputations
from settlement.services.deductions import EVERYTHING, Asked

ORDERING_LOCK = 0x6F726472  # one order at a time, so that the same one twice is seen

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Order:
    """One attempt at an order: who works on it, and whom it tells how far it is."""

    run: Run
    owner: str
    clock: Callable[[], datetime]
    tell: Callable[[int], None]

    @property
    def scope(self) -> tuple[int, int]:
        """The institutions it may reach."""
        assert self.run.scope_lo is not None, "a job belongs to somebody"
        assert self.run.scope_hi is not None, "a job belongs to somebody"
        return self.run.scope_lo, self.run.scope_hi


@transaction.atomic
def order(
    *, kind: str, params: dict[str, Any], scope: tuple[int, int], actor: str, at: datetime
) -> int:
    """Order such work for the institutions `scope`; the job's number.

    DomainError `order_open` if the same is ordered there and not done yet.
    """
    bulk.rows("SELECT pg_advisory_xact_lock(%s)", [ORDERING_LOCK])
    same = Run.objects.filter(
        kind=kind, state=Run.State.OPEN, params=params, scope_lo=scope[0], scope_hi=scope[1]
    ).first()
    if same is not None:
        raise DomainError(
            "order_open",
            bilingual(
                f"相同的任务 #{same.pk} 正在进行，未重复提交",
                f"the same job, number {same.pk}, is under way: not ordered again",
            ),
        )
    return work.open_run(kind=kind, params=params, payloads=[{}], actor=actor, at=at, scope=scope)


def work_order(
    *, run_id: int, owner: str, clock: Callable[[], datetime], until: datetime | None = None
) -> str:
    """Do what was ordered; returns the state the job is in then. A refusal by a rule ends it."""
    run = Run.objects.get(pk=run_id)
    while until is None or clock() < until:
        chunk_id = work.claim_chunk(run_id=run_id, owner=owner, at=clock())
        if chunk_id is None:
            break
        _try_chunk(run, chunk_id, owner=owner, clock=clock)
    return work.close_run(run_id=run_id, at=clock())


def work_open_orders(
    *, owner: str, clock: Callable[[], datetime], until: datetime | None = None
) -> None:
    """Work on every order that is not done, oldest first."""
    for run_id in sorted(run for kind in JOB_KINDS for run in work.open_runs(kind=kind)):
        work_order(run_id=run_id, owner=owner, clock=clock, until=until)


def _try_chunk(run: Run, chunk_id: int, *, owner: str, clock: Callable[[], datetime]) -> None:
    try:
        with work.telling(chunk_id=chunk_id) as tell:
            stats = KINDS[run.kind](Order(run, owner, clock, tell))
        work.finish_chunk(chunk_id=chunk_id, stats=stats)
    except DomainError as refused:
        work.refuse_chunk(chunk_id=chunk_id, error=refused.message)
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001 (a panic is none)
        logger.warning("chunk %s: %r", chunk_id, error)
        trace = "".join(traceback.format_exception(error))
        work.note_failure(chunk_id=chunk_id, error=f"{error!r}\n\n{trace}")
    finally:
        work.release_chunk(chunk_id=chunk_id)


def _plan(asked: Order) -> dict[str, Any]:
    """Draft plans; `made_at` is the moment of the order, by which the job's page finds them."""
    made = checked_runs.begin_plans(
        through=date.fromisoformat(asked.run.params["through"]),
        scope=asked.scope,
        actor=asked.run.actor,
        clock=asked.clock,
        at=asked.run.created_at,
        send=False,
    ).plan_ids
    asked.tell(len(made))
    return {"plans": len(made)}


def _results(asked: Order) -> dict[str, Any]:
    """Post what the core's results of a plan came to, and nothing else."""
    plan_id = asked.run.params["plan"]
    found = answered(plan_id=plan_id)
    if found.is_empty():
        return {}
    return _post(
        asked,
        through=max(found["collected_on"].to_list()),
        what=Asked(plan_id=plan_id, enterprise_ids=set(found["enterprise_id"].to_list())),
    )


def _post(asked: Order, *, through: date, what: Asked) -> dict[str, Any]:
    """A deduction run of its own, in the order's scope; its moment is the order's, by which it is found."""
    scope = asked.scope
    started = deductions.start_run(
        actor=asked.run.actor,
        at=asked.run.created_at,
        through=through,
        scope=None if scope == SCOPE_ALL else scope,
        asked=what,
    )
    if started is None:
        return {}
    counts = deductions.work_run(run_id=started.run_id, owner=asked.owner, clock=asked.clock)
    if Run.objects.get(pk=started.run_id).state == Run.State.FAILED:
        raise DomainError(
            "run_failed",
            bilingual(
                f"计算任务 {started.run_id} 有失败的分段，请管理员查看任务分段",
                f"run {started.run_id} has failed chunks: have an administrator look at them",
            ),
        )
    told = {name: count for name, count in counts.items() if isinstance(count, int)}
    unseen = told.get("unseen", 0) + started.unseen
    return told | ({"unseen": unseen} if unseen else {})


def _trial(asked: Order) -> dict[str, Any]:
    """Find out what would change, and write nothing but that."""
    checked_runs.look(clock=asked.clock)
    found = recomputations.record_trial(
        recomputation_id=asked.run.params["recomputation"],
        scope=asked.scope,
        at=asked.clock(),
        tell=asked.tell,
    )
    return {"differences": found}


def _recompute(asked: Order) -> dict[str, Any]:
    """Post what a second person released, if the facts are still those of the trial."""
    key = asked.run.params.get("recomputation")
    if key is None:
        return _post_unseen(asked)
    released = recomputations.begin_posting(
        recomputation_id=key, scope=asked.scope, at=asked.clock()
    )
    if released is None:
        return {}
    stats = _post(asked, through=released[0], what=released[1])
    posted = Run.objects.filter(
        kind=deductions.KIND, actor=asked.run.actor, created_at=asked.run.created_at
    )
    newest = posted.order_by("-pk").values_list("pk", flat=True).first()
    recomputations.finish_posting(recomputation_id=key, run_id=newest)
    return stats


def _post_unseen(asked: Order) -> dict[str, Any]:
    """Post what nobody looked at, as the command does, where a checker stands in for the second person."""
    if not settings.AUTO_CHECK:
        raise DomainError(
            "not_released",
            bilingual("入账须由另一人复核放行", "another person has to release what is posted"),
        )
    checked_runs.look(clock=asked.clock)
    through = date.fromisoformat(asked.run.params["through"])
    return _post(asked, through=through, what=EVERYTHING)


KINDS = {PLAN: _plan, RESULTS: _results, TRIAL: _trial, POST: _recompute}


def done_of(*, run_id: int) -> tuple[int, int]:
    """How many parts of the deduction run behind an order are done, and how many there are."""
    run = Run.objects.get(pk=run_id)
    behind = Run.objects.filter(kind=deductions.KIND, actor=run.actor, created_at=run.created_at)
    found = behind.order_by("-pk").values_list("pk", flat=True).first()
    if found is None:
        return 0, 0
    chunks = Chunk.objects.filter(run_id=found)
    return chunks.exclude(state=Chunk.State.TODO).count(), chunks.count()
