"""Judging every label of every note, and keeping what changed.

Eligibility couples notes widely (a borrower's caps, a year's fund, a project's central subsidy), so
all labels are judged together, in columns; what is unchanged is not written, and enterprises whose
judgement changed are marked so that the next run looks at them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl
from django.db import transaction

from config.kernel.services import bulk
from loans.selectors import facts
from loans.services import locks
from settlement.engine import assess
from settlement.engine.duplicates import duty
from settlement.engine.facts import AssessFacts
from settlement.engine.guarantee import subsidies
from settlement.models import Assessment
from settlement.selectors import enrolments
from settlement.services.schemes import Book, terms_in_force

ENGINE_VERSION = 2  # raise it when the same facts and terms give another result (CHANGES.md)
PATIENCE = "3min"  # how long a judging waits for imports under way


@dataclass(frozen=True)
class Assessed:
    """How many labels were judged, and how many judgements changed."""

    labels: int
    changed: int
    removed: int
    was_current: bool = False


@transaction.atomic
def assess_notes(
    *, at: datetime, scheme: str | None = None, only_if_stale: bool = False
) -> Assessed:
    """Judge all labels over all facts known now; with `scheme`, write only its and those it excludes."""
    _hold_intake()
    book = terms_in_force()
    position = facts.facts_position()
    last = Assessment.objects.order_by("-pk").first()
    state = (position, book.key, ENGINE_VERSION)
    if not book.terms:
        return Assessed(0, 0, 0)  # nor ever was: what is checked stays so
    if only_if_stale and last and (last.facts_position, last.terms_key, last.engine) == state:
        return Assessed(last.labels, 0, 0, was_current=True)
    known = assess_facts()
    judged = assess(terms=book.terms, facts=known)
    judged = judged.with_columns(
        pl.col("scheme_code")
        .replace_strict(book.version_ids, return_dtype=pl.Int64)
        .alias("version_id")
    )
    changed, removed = _write(judged, book=book, scheme=scheme)
    _write_guarantee_subsidies(book, known, judged)
    if scheme is None:
        Assessment.objects.create(
            facts_position=position,
            terms_key=book.key,
            engine=ENGINE_VERSION,
            labels=judged.height,
            changed=changed + removed,
            at=at,
        )
    return Assessed(judged.height, changed, removed)


def _hold_intake() -> None:
    """Wait for imports under way, longer than for a row: a large one must not fail a nightly run."""
    bulk.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
    locks.hold_intake()
    bulk.execute("SET LOCAL lock_timeout TO DEFAULT")


def assess_facts() -> AssessFacts:
    """Everything eligibility depends on."""
    return AssessFacts(
        notes=facts.notes(labelled=True),
        labels=facts.labels(),
        participation_hits=facts.participation_hits(),
        titles=facts.titles(),
        lpr=facts.lpr(),
        overdue=facts.overdue(),
        funds=facts.funds(),
        rejections=facts.rejections(),
    )


def _write(judged: pl.DataFrame, *, book: Book, scheme: str | None) -> tuple[int, int]:
    stored = enrolments.stored()
    if scheme is not None:
        duties = {terms.code: duty(terms) for terms in book.terms}
        of_group = {code for code in duties if duties[code] == duties[scheme]}
        of_group |= set(enrolments.stored_of_group(group=duties[scheme]))  # by texts before these
        asked = pl.col("scheme_code").is_in(sorted(of_group))
        judged, stored = judged.filter(asked), stored.filter(asked)
    fresh = enrolments.comparable(judged)
    changed = fresh.join(stored, on=fresh.columns, how="anti", nulls_equal=True)
    keys = ["note_id", "scheme_code"]
    removed = stored.join(fresh, on=keys, how="anti").select(keys)
    if changed.height or removed.height:
        bulk.create_stage("judged", enrolments.SQL_COLUMNS)
        bulk.fill_stage("judged", changed)
        bulk.create_stage("unlabelled", {"note_id": "bigint", "scheme_code": "text"})
        bulk.fill_stage("unlabelled", removed)
        bulk.create_stage("concerned", {"note_id": "bigint"})
        bulk.fill_stage("concerned", _concerned(changed, removed, stored, book))
        locks.touch_notes(queries=["SELECT note_id FROM concerned"])
        groups = {terms.code: terms.exclusive_group for terms in book.terms}
        bulk.execute(enrolments.UPSERT, [list(groups), list(groups.values())])
        bulk.execute(
            "DELETE FROM settlement_enrolment t USING unlabelled u "
            "WHERE t.note_id = u.note_id AND t.scheme_code = u.scheme_code"
        )
        bulk.analyze("settlement_enrolment", written=changed.height)
    return changed.height, removed.height


def _concerned(
    changed: pl.DataFrame, removed: pl.DataFrame, stored: pl.DataFrame, book: Book
) -> pl.DataFrame:
    """The notes whose deductions may change: a label that left a shared fund leaves more to others."""
    shared = [terms.code for terms in book.terms if terms.fund_method == "pro_rata"]
    left = removed.filter(pl.col("scheme_code").is_in(shared))
    sharing = stored.join(left, on="scheme_code", how="semi")
    return pl.concat(frame.select("note_id") for frame in (changed, removed, sharing)).unique()


def _write_guarantee_subsidies(book: Book, known: AssessFacts, judged: pl.DataFrame) -> None:
    due = subsidies(
        terms=book.terms, guarantees=facts.guarantees(), notes=known.notes, enrolments=judged
    )
    bulk.create_stage("due", enrolments.GUARANTEE_COLUMNS)
    bulk.fill_stage("due", enrolments.comparable_guarantees(due))
    bulk.execute(enrolments.GUARANTEE_UPSERT)
    bulk.execute(
        "DELETE FROM settlement_guaranteesubsidy t WHERE NOT EXISTS "
        "(SELECT 1 FROM due u WHERE u.guarantee_id = t.guarantee_id AND u.scheme_code = t.scheme_code)"
    )
