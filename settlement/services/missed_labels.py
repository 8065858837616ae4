"""Looking for notes that would be subsidised if they were labelled (应享未享).

All notes are judged with every label they do not carry, over all facts known now; what comes of it is
kept until the next search. It changes no judgement and moves no money.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from config.kernel.services import bulk, work
from loans.selectors import facts
from settlement.engine.missed import missed
from settlement.selectors import missed_labels
from settlement.services.assessments import assess_facts
from settlement.services.schemes import terms_in_force

KIND = "missed-labels"


@dataclass(frozen=True)
class Found:
    """How many labels are missing, by scheme."""

    by_scheme: dict[str, int]

    @property
    def labels(self) -> int:
        """All schemes together."""
        return sum(self.by_scheme.values())


@transaction.atomic
def find_missed_labels(*, at: datetime) -> Found:
    """Search all notes under the terms in force; what is kept is replaced."""
    book = terms_in_force()
    known = replace(
        assess_facts(),
        notes=facts.notes(),
        participation_hits=facts.participations_covering(),
    )
    found = missed(terms=book.terms, facts=known)
    bulk.create_stage("missed", missed_labels.SQL_COLUMNS)
    bulk.fill_stage("missed", found.select(list(missed_labels.SQL_COLUMNS)))
    bulk.execute(missed_labels.UPSERT, [at])
    bulk.execute(missed_labels.GONE)
    bulk.analyze("settlement_missedlabel", written=found.height)
    counts = found.group_by("scheme_code").len().sort("scheme_code")
    return Found(dict(counts.iter_rows()))


@transaction.atomic
def ask_for_search(*, actor: str, at: datetime) -> int:
    """Order a search; one that is ordered and not done yet is enough. Returns its run."""
    waiting = work.open_runs(kind=KIND)
    if waiting:
        return waiting[0]
    return work.open_run(kind=KIND, params={}, payloads=[{}], actor=actor, at=at)


def work_searches(*, owner: str, clock: Callable[[], datetime], actor: str | None = None) -> None:
    """Do every search that is ordered and that nobody else is doing; `actor` orders one first."""
    if actor is not None:
        ask_for_search(actor=actor, at=clock())
    for run_id in work.open_runs(kind=KIND):
        chunk_id = work.claim_chunk(run_id=run_id, owner=owner, at=clock())
        if chunk_id is not None:
            _search(chunk_id=chunk_id, at=clock())
        work.close_run(run_id=run_id, at=clock())


def _search(*, chunk_id: int, at: datetime) -> None:
    """One attempt; its failure stays with the chunk, for the next one."""
    try:
        with transaction.atomic():
            found = find_missed_labels(at=at)
            work.finish_chunk(chunk_id=chunk_id, stats=found.by_scheme)
    except Exception as error:  # noqa: BLE001 (kept with the chunk, whatever it is)
        work.note_failure(chunk_id=chunk_id, error=repr(error))
    finally:
        work.release_chunk(chunk_id=chunk_id)
