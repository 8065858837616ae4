"""Deduction runs: bring what is posted to what one run over all facts would give (D20).

A run finds the enterprises whose posted deductions may be stale, cuts them into chunks of whole
groups, and works chunk by chunk: lock the enterprises, read their facts, ask the engine, post the
differences. Every chunk is one transaction; repeating, interrupting or doubling a run is harmless,
because a chunk posts target − posted, read under the lock.
"""

from __future__ import annotations

import hashlib
import logging
import time
import traceback
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl
from django.db import transaction

from config.kernel.models import SCOPE_ALL, Chunk, Run
from config.kernel.services import bulk, work
from loans.selectors import facts
from loans.services import locks
from settlement.selectors import deductions, reservations
from settlement.selectors.stops import of_enterprises, stops
from settlement.services import blocked, groups, told
from settlement.services.answers import answers_of
from settlement.services.assessments import ENGINE_VERSION, assess_notes
from settlement.services.besides import seen_of
from settlement.services.guarantee_postings import NO_FEES, post_guarantee_subsidies
from settlement.services.postings import Posted, post_chunk
from settlement.services.reviews import propose_disallowances
from settlement.services.schemes import Book, terms_in_force
from settlement.services.taken_over import NOTHING_BOOKED, book_taken_over
from settlement.services.targets import differences, gather, targets

logger = logging.getLogger(__name__)

KIND = "deductions"
WAIT_SECONDS = 1  # between looks at chunks in other hands

Progress = Callable[[int, int], None]


class GroupGrew(Exception):
    """A chunk's enterprises are coupled to others since it was cut; carries the whole groups."""

    def __init__(self, enterprise_ids: list[int]) -> None:
        super().__init__()
        self.enterprise_ids = enterprise_ids


@dataclass(frozen=True)
class Asked:
    """What a run that a person orders in the admin may post; anything else is left to others.

    `plan_id`: what the core answered to this plan, and nothing but the first posting of it.
    `enterprise_ids`: these only. `versions`, `terms_key` and `blocked` (enterprise, note, scheme): only
    what is still as it was looked at.
    `recomputation_id`: of opening positions and fees only what its trial showed.
    """

    plan_id: int | None = None
    enterprise_ids: Collection[int] | None = None
    versions: Mapping[int, int] | None = None
    terms_key: str | None = None
    blocked: Collection[tuple[int, int, int]] = ()
    recomputation_id: int | None = None

    def payload(self, enterprise_ids: list[int]) -> dict[str, Any]:
        """A chunk of these enterprises, and what was looked at of them.

        `versions`: the facts' version of each (-1: not at all), None if nobody looked; `blocked`: note and
        scheme.
        """
        known, own = self.versions, set(enterprise_ids)
        return {
            "enterprise_ids": enterprise_ids,
            "versions": None if known is None else [known.get(one, -1) for one in enterprise_ids],
            "blocked": sorted([note, scheme] for one, note, scheme in self.blocked if one in own),
        }


EVERYTHING = Asked()


@dataclass(frozen=True)
class Started:
    """A run that was cut: its number, and what part of the book it will look at.

    `unseen`: opening positions left out of it because nobody had looked at them.
    """

    run_id: int
    through: date
    enterprises: int
    chunks: int
    labels_changed: int
    unseen: int = 0


def start_run(
    *,
    actor: str,
    at: datetime,
    through: date | None = None,
    scheme: str | None = None,
    scope: tuple[int, int] | None = None,
    asked: Asked = EVERYTHING,
) -> Started | None:
    """Judge what needs judging, find stale enterprises, cut the run; None if nothing was collected.

    `scheme`, `scope` (a range of institutions) and `asked` choose what is posted, not how it is computed.
    """
    booked = NOTHING_BOOKED
    if asked.plan_id is None:
        seen = seen_of(asked.recomputation_id)
        booked = book_taken_over(
            actor=actor,
            at=at,
            scheme=scheme,
            scope=scope or SCOPE_ALL,
            seen=None if seen is None else seen.openings,
        )
    assessed = assess_notes(at=at, only_if_stale=True)
    through = through or facts.last_collected_on()
    if through is None:
        return None
    book = terms_in_force()
    stale = deductions.stale_enterprises(through=through, terms_key=terms_key(book))
    if asked.enterprise_ids is not None:
        stale = stale.filter(pl.col("enterprise_id").is_in(list(asked.enterprise_ids)))
    payloads = [
        asked.payload(chunk) for chunk in groups.chunks(notes=dict(stale.iter_rows()), book=book)
    ]
    params = {
        "through": through.isoformat(),
        "scheme": scheme,
        "scope": list(scope) if scope else None,
        "plan": asked.plan_id,
        "terms_key": asked.terms_key,
        "recomputation": asked.recomputation_id,
    }
    run_id = work.open_run(kind=KIND, params=params, payloads=payloads, actor=actor, at=at)
    labels_changed = assessed.changed + assessed.removed
    return Started(run_id, through, stale.height, len(payloads), labels_changed, booked.unseen)


def work_run(
    *,
    run_id: int,
    owner: str,
    clock: Callable[[], datetime],
    until: datetime | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Work chunks of the run until none is left; returns the run's counts so far.

    One that fails is tried again after the others, ATTEMPTS_MAX times in all, and then fails the run
    when everything else of it is done. Chunks in other hands are waited for, unless `until` is
    given: then none is begun after that moment, and what others hold is left to them. At its end
    guarantee-fee subsidies are posted and what finance disallowed is proposed to be taken back.
    """
    total = Chunk.objects.filter(run_id=run_id).count()
    while until is None or clock() < until:
        at = clock()
        chunk_id = work.claim_chunk(run_id=run_id, owner=owner, at=at)
        if chunk_id is not None:
            _try_chunk(chunk_id=chunk_id, at=at)
        elif until is not None or not work.is_in_good_hands(run_id=run_id, at=clock()):
            break
        else:
            time.sleep(WAIT_SECONDS)
        if progress is not None:
            done = Chunk.objects.filter(run_id=run_id, state=Chunk.State.DONE).count()
            progress(done, total)
    state = _closed(run_id=run_id, at=clock())
    counts = work.total(Chunk.objects.filter(run_id=run_id).values_list("stats", flat=True))
    bulk.analyze("settlement_deduction", written=counts.get("originals", 0))
    return counts if state == Run.State.OPEN else counts | _afterwards(run_id=run_id, at=clock())


@transaction.atomic
def _closed(*, run_id: int, at: datetime) -> str:
    """Close the run if nothing of it is left, and tell, once, what it posted; the state it is in now."""
    was_open = Run.objects.select_for_update().get(pk=run_id).state == Run.State.OPEN
    state = work.close_run(run_id=run_id, at=at)
    if was_open and state != Run.State.OPEN:
        told.run_posted(run=Run.objects.get(pk=run_id), at=at)
    return state


def _afterwards(*, run_id: int, at: datetime) -> dict[str, Any]:
    """What follows on what is posted now: fees (D17), and what reviews disallow; what there was of it."""
    run = Run.objects.get(pk=run_id)
    if run.params.get("plan") is not None:
        return {}
    scheme, scope = run.params["scheme"], tuple(run.params["scope"] or SCOPE_ALL)
    seen = seen_of(run.params.get("recomputation"))
    fees = post_guarantee_subsidies(
        actor=run.actor,
        at=at,
        through=date.fromisoformat(run.params["through"]),
        scheme=scheme,
        scope=(scope[0], scope[1]),
        seen=None if seen is None else seen.fees,
    )
    proposed = propose_disallowances(
        actor=run.actor, at=at, scheme=scheme, scope=(scope[0], scope[1])
    )
    told = {
        "fees": fees if fees != NO_FEES else None,
        "fees_waiting": fees.held,
        "unseen": fees.unseen,
        "proposed": proposed.clawbacks,
        "beyond_paid": proposed.beyond_paid,
    }
    return {name: value for name, value in told.items() if value}


def work_open_runs(
    *, owner: str, clock: Callable[[], datetime], until: datetime | None = None
) -> None:
    """Work on every run that still has chunks to take, oldest first."""
    for run_id in work.open_runs(kind=KIND):
        work_run(run_id=run_id, owner=owner, clock=clock, until=until)


def _try_chunk(*, chunk_id: int, at: datetime) -> None:
    """One attempt at a chunk in hand; its failure is kept with it and stops no other."""
    try:
        work_chunk(chunk_id=chunk_id, at=at)
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001 (a panic is none)
        logger.warning("chunk %s: %r", chunk_id, error)
        trace = "".join(traceback.format_exception(error))
        work.note_failure(chunk_id=chunk_id, error=f"{error!r}\n\n{trace}")
    finally:
        work.release_chunk(chunk_id=chunk_id)


def work_chunk(*, chunk_id: int, at: datetime) -> None:
    """Bring the enterprises of one chunk up to date, in one transaction.

    `at`: the moment of this very chunk. A run may cross midnight; entries carry the day they are made
    on, so that what is posted of a past month stays as it was told.
    """
    enterprise_ids: list[int] = Chunk.objects.get(pk=chunk_id).payload["enterprise_ids"]
    while True:
        try:
            with transaction.atomic():
                _work_groups(chunk_id=chunk_id, enterprise_ids=enterprise_ids, at=at)
        except GroupGrew as grown:
            enterprise_ids = grown.enterprise_ids
        else:
            return


def _work_groups(*, chunk_id: int, enterprise_ids: list[int], at: datetime) -> None:
    chunk = Chunk.objects.select_related("run").get(pk=chunk_id)
    params = chunk.run.params
    through = date.fromisoformat(params["through"])
    book = terms_in_force()
    key = terms_key(book)  # before anything it stands for is read
    versions = locks.lock_enterprises(enterprise_ids=enterprise_ids)
    whole = groups.closure(enterprise_ids=enterprise_ids, book=book)
    if len(whole) > len(enterprise_ids):
        raise GroupGrew(whole)
    if _has_moved(chunk, versions, key):
        work.finish_chunk(chunk_id=chunk_id, stats={"moved": len(enterprise_ids)})
        return
    evidence = gather(enterprise_ids=enterprise_ids)
    stopped = stops(note_ids=evidence.scopes["note_id"].to_list())
    result = targets(book=book, evidence=evidence, through=through)
    due = differences(rows=result.rows, evidence=evidence, book=book, through=through)
    due = due.join(evidence.scopes, on="note_id")
    settled = reservations.completed(
        note_ids=evidence.scopes["note_id"].to_list(),
        through=through,
        scheme_id=book.scheme_ids[params["scheme"]] if params["scheme"] else None,
        scope=params["scope"],
        plan_id=params.get("plan"),
    )
    kept_back: frozenset[int] = frozenset()
    if params.get("plan") is not None:
        due, kept_back = answers_of(due, plan_id=params["plan"], evidence=evidence, book=book)
        settled = [one for one in settled if one.result_id not in kept_back]
    due = _chosen(due, params, book)
    posted = post_chunk(due=due, settled=settled, chunk=chunk, at=at, book=book, evidence=evidence)
    whole_book = not any(params.get(name) for name in ("scheme", "scope", "plan"))
    if whole_book:
        done = {
            one: version for one, version in versions.items() if one not in posted.held_enterprises
        }
        _mark_current(done, through=through, terms_key=key)
        blocked.record(stopped=stopped, rows=posted.blocked, scopes=evidence.scopes)
    work.finish_chunk(
        chunk_id=chunk_id,
        stats={
            "collections": evidence.facts.collections.height,
            "targets": result.rows.height,
            **_counts(posted),
            **({"kept_back": len(kept_back)} if kept_back else {}),
        },
    )


def _counts(posted: Posted) -> dict[str, Any]:
    return {
        "originals": posted.rows.filter(pl.col("sequence") == 0).height,
        "differences": posted.rows.filter(pl.col("sequence") > 0).height,
        "held": posted.held_rows,
        "blocked": posted.blocked.height,
        "posted": told.posted_by_institution(posted.rows),
    }


def _has_moved(chunk: Chunk, versions: Mapping[int, int], key: str) -> bool:
    """Whether facts, terms or findings are no longer those that somebody looked at before it was released."""
    seen = chunk.payload.get("versions")
    if seen is None:
        return False
    known = dict(zip(chunk.payload["enterprise_ids"], seen, strict=True))
    blocked = [[note, scheme] for _, note, scheme in of_enterprises(enterprise_ids=list(versions))]
    return (
        chunk.run.params["terms_key"] != key
        or dict(versions) != known
        or sorted(blocked) != chunk.payload.get("blocked", [])
    )


def terms_key(book: Book) -> str:
    """What deductions are computed by besides an enterprise's own facts: stale when it changes.

    Funds shared in proportion belong to it; those served first come first show in the judgements.
    """
    shared = [terms.code for terms in book.terms if terms.fund_method == "pro_rata"]
    funds = facts.funds().filter(pl.col("scheme_code").is_in(shared)) if shared else None
    amounts = "" if funds is None else str(sorted(funds.rows()))
    return f"{ENGINE_VERSION}:{book.key}:{hashlib.sha256(amounts.encode()).hexdigest()[:8]}"


def _chosen(due: pl.DataFrame, params: dict[str, Any], book: Book) -> pl.DataFrame:
    """The rows that this run was asked to post."""
    if params["scheme"] is not None:
        due = due.filter(pl.col("scheme_id") == book.scheme_ids[params["scheme"]])
    if params["scope"] is not None:
        due = due.filter(pl.col("institution_id").is_between(*params["scope"]))
    return due


def _mark_current(versions: dict[int, int], *, through: date, terms_key: str) -> None:
    frame = pl.DataFrame(
        {"enterprise_id": list(versions), "facts_version": list(versions.values())},
        schema={"enterprise_id": pl.Int64, "facts_version": pl.Int64},
    )
    bulk.create_stage("brought", {"enterprise_id": "bigint", "facts_version": "bigint"})
    bulk.fill_stage("brought", frame)
    bulk.execute(
        "INSERT INTO settlement_enterpriseposting (enterprise_id, facts_version, through, terms_key) "
        "SELECT enterprise_id, facts_version, %s, %s FROM brought ORDER BY 1 "
        "ON CONFLICT (enterprise_id) DO UPDATE SET facts_version = excluded.facts_version, "
        "through = excluded.through, terms_key = excluded.terms_key",
        [through, terms_key],
    )
