"""Recomputations by two people: one orders a trial, another sees what it would change and releases it.

A trial writes what it found and nothing else. What is posted is what one run over all facts gives
(D20), and only while the facts and terms are those of the trial.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

import polars as pl
from django.db import transaction

from config.kernel.services import bulk
from loans.selectors import facts
from loans.values import reasons
from loans.values.errors import DomainError, bilingual
from settlement.engine import TIERS
from settlement.models import Recomputation
from settlement.selectors import deductions as selected
from settlement.selectors import reservations, stops
from settlement.services import groups
from settlement.services.assessments import assess_notes
from settlement.services.besides import besides, seen_in
from settlement.services.checking import require_other
from settlement.services.deductions import Asked, terms_key
from settlement.services.postings import with_waiting
from settlement.services.schemes import Book, terms_in_force
from settlement.services.targets import differences, gather, targets

State = Recomputation.State
PROPOSING_LOCK = 0x72656373  # one proposal at a time, so that a second one is told
ROWS_KEPT = 200  # differences kept for people to look at; the sums are of all
MONEY = [f"{tier}_fen" for tier in TIERS]
OPEN = (State.TRYING, State.READY, State.RELEASED)
LAPSED = (
    "事实或政策已变化，或已由其他任务入账，请重新试算"
    " / facts or terms have changed since, or another run has posted it: have it tried anew"
)
ALL_WAITS = (
    "只有待资金到位的金额，预拨到账后再试算"
    " / all there is waits for its fund's money: have it tried when that has come in"
)
ALL_BLOCKED = (
    "只有因核查事项暂停的金额（及待资金到位的金额），事项判定不属实（预拨到账）后再试算"
    " / all there is is blocked by findings (or waits for money): have it tried once they are dismissed (that has come in)"
)

Tell = Callable[[int], None]


@transaction.atomic
def propose(*, institution_id: int, through: date, actor: str, at: datetime) -> int:
    """Ask what late facts would change of an institution's deductions; refuses while another is open."""
    bulk.rows("SELECT pg_advisory_xact_lock(%s)", [PROPOSING_LOCK])
    known = Recomputation.objects.filter(institution_id=institution_id, state__in=OPEN).first()
    if known is not None:
        raise DomainError(
            "recomputation_open",
            bilingual(
                f"该机构的重算 {known}（{known.get_state_display()}）尚未办结，未重复提交",
                f"recomputation {known} is {known.state} there: not ordered again",
            ),
        )
    made = Recomputation.objects.create(
        institution_id=institution_id, through=through, made_by=actor, made_at=at
    )
    return int(made.pk)


@transaction.atomic
def record_trial(*, recomputation_id: int, scope: tuple[int, int], at: datetime, tell: Tell) -> int:
    """Store what a run would post now; the number of differences of collections posted before."""
    row = Recomputation.objects.get(pk=recomputation_id)
    if row.state != State.TRYING:
        return 0
    assess_notes(at=at, only_if_stale=True)
    book = terms_in_force()
    concerned = _concerned(book, through=row.through, scope=scope)
    others = besides(book=book, through=row.through, scope=scope)
    digest = _digest(book, concerned, _blocked(concerned))  # before what it stands for is read
    due = _due(book, concerned, through=row.through, scope=scope, tell=tell)
    later = due.filter(pl.col("sequence") > 0)
    held, blocked = due.filter(pl.col("waits")), due.filter(pl.col("is_blocked"))
    posted = due.filter(~pl.col("waits") & ~pl.col("is_blocked"))
    is_nothing = posted.is_empty() and others.is_nothing
    does_wait = bool(others.waiting) or posted.height < due.height
    waits = ALL_WAITS if blocked.is_empty() else ALL_BLOCKED
    Recomputation.objects.filter(pk=row.pk, state=State.TRYING).update(
        trial={
            "sums": list(_sums(posted)),
            "differences": later.height,
            "rows": _shown(later),
            "others": [
                *_waiting_sums("held", held),
                *_waiting_sums("blocked", blocked),
                *others.sums(),
            ],
            "besides": others.rows(),
        },
        digest=digest,
        state=State.NOTHING if is_nothing else State.READY,
        why=waits if is_nothing and does_wait else "",
    )
    return later.height


def _concerned(book: Book, *, through: date, scope: tuple[int, int]) -> pl.DataFrame:
    """Stale enterprises with notes in the scope, and those coupled to them, with how many notes."""
    stale = selected.stale_enterprises(through=through, terms_key=terms_key(book))
    inside = selected.enterprises_within(scope=scope)
    own = stale.filter(pl.col("enterprise_id").is_in(list(inside)))["enterprise_id"].to_list()
    return facts.enterprise_versions().filter(
        pl.col("enterprise_id").is_in(groups.closure(enterprise_ids=own, book=book))
    )


def _due(
    book: Book, concerned: pl.DataFrame, *, through: date, scope: tuple[int, int], tell: Tell
) -> pl.DataFrame:
    """Every row due for these institutions, with what was posted before (`*_was`).

    `waits`: whether its holding fund lacks the money (D19), of each chunk as if it were the only one;
    `is_blocked`: whether a finding blocks it (F5).
    """
    found = []
    notes = dict(concerned.select("enterprise_id", "notes").iter_rows())
    for enterprise_ids in groups.chunks(notes=notes, book=book):
        evidence = gather(enterprise_ids=enterprise_ids)
        rows = targets(book=book, evidence=evidence, through=through).rows
        due = differences(rows=rows, evidence=evidence, book=book, through=through)
        was = evidence.posted.select("collection_id", "scheme_id", *MONEY)
        inside = due.join(evidence.scopes, on="note_id").filter(
            pl.col("institution_id").is_between(*scope)
        )
        settled = reservations.completed(
            note_ids=evidence.scopes["note_id"].to_list(), through=through, scope=scope
        )
        mine = with_waiting(due=inside, settled=settled, book=book, evidence=evidence)
        key = ["collection_id", "scheme_id"]
        found.append(mine.join(was, on=key, how="left", suffix="_was"))
        tell(1)
    return pl.concat(found) if found else _NONE


_NONE = pl.DataFrame(
    schema={
        "note_id": pl.Int64, "fund_institution_id": pl.Int64, "waits": pl.Boolean, "is_blocked": pl.Boolean, "collection_id": pl.Int64, "scheme_id": pl.Int64, "sequence": pl.Int64,
        "collected_on": pl.Date, "why": pl.String,
        **dict.fromkeys([*MONEY, *(f"{name}_was" for name in MONEY)], pl.Int64),
    }
)  # fmt: skip


def _sums(due: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """By fund: what is paid for the first time, what is added, what is taken back; fen."""
    is_first = pl.col("sequence") == 0
    for tier in TIERS:
        fen = pl.col(f"{tier}_fen")
        rows = (
            due.filter(fen != 0)
            .group_by("fund_institution_id", "scheme_id")
            .agg(
                count=pl.len(),
                first_fen=fen.filter(is_first).sum(),
                more_fen=fen.filter(~is_first & (fen > 0)).sum(),
                less_fen=fen.filter(~is_first & (fen < 0)).sum(),
            )
            .sort("fund_institution_id", "scheme_id")
        )
        for one in rows.iter_rows(named=True):
            yield {"tier": tier, **one}


def _waiting_sums(kind: str, rows: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """What waits, by fund and year; fen."""
    for tier in TIERS:
        fen = pl.col(f"{tier}_fen")
        sums = (
            rows.filter(fen != 0)
            .group_by("fund_institution_id", "scheme_id", year=pl.col("collected_on").dt.year())
            .agg(count=pl.len(), amount_fen=fen.sum())
            .sort("fund_institution_id", "scheme_id", "year")
        )
        for one in sums.iter_rows(named=True):
            yield {"kind": kind, "tier": tier, **one}


def _shown(later: pl.DataFrame) -> list[dict[str, Any]]:
    columns = ["note_id", "collection_id", "scheme_id", "sequence", "why"]
    amounts = [pl.col(name) for name in MONEY]
    before = [pl.col(f"{name}_was").fill_null(0) for name in MONEY]
    return (
        later.sort("collected_on", "note_id", "collection_id", "scheme_id")
        .head(ROWS_KEPT)
        .select(*columns, pl.col("collected_on").cast(pl.String), *amounts, *before)
        .to_dicts()
    )


Blocked = list[tuple[int, int, int]]


def _blocked(concerned: pl.DataFrame) -> Blocked:
    """What findings block of these enterprises: (enterprise, note, scheme)."""
    return stops.of_enterprises(enterprise_ids=concerned["enterprise_id"].to_list())


def _digest(book: Book, concerned: pl.DataFrame, blocked: Blocked) -> str:
    """Of which facts, terms and findings a trial speaks, as far as what is posted depends on them."""
    versions = concerned.select("enterprise_id", "facts_version").sort("enterprise_id").rows()
    told = [terms_key(book), versions, *blocked]
    return hashlib.sha256(" ".join(map(str, told)).encode()).hexdigest()


@transaction.atomic
def release(*, recomputation_id: int, actor: str, at: datetime) -> None:
    """Let a second person release what a trial found: a worker posts it."""
    row = _waiting(recomputation_id, actor, State.READY)
    row.state, row.checked_by, row.checked_at = State.RELEASED, actor, at
    row.save(update_fields=["state", "checked_by", "checked_at"])


@transaction.atomic
def refuse(*, recomputation_id: int, why: str, actor: str, at: datetime) -> None:
    """Let a second person refuse it, for a reason: nothing is posted.

    Also one whose trial never came to an end, since its maker may be gone.
    """
    row = _waiting(recomputation_id, actor, State.TRYING, State.READY)
    row.why = reasons.required(why)
    row.state, row.checked_by, row.checked_at = State.REFUSED, actor, at
    row.save(update_fields=["state", "why", "checked_by", "checked_at"])


def _waiting(recomputation_id: int, actor: str, *states: str) -> Recomputation:
    found = _locked(recomputation_id, *states)
    require_other(row=found, actor=actor)
    return found


def _locked(recomputation_id: int, *states: str) -> Recomputation:
    found = Recomputation.objects.select_for_update().filter(pk=recomputation_id).first()
    if found is None:
        raise DomainError(
            "unknown_recomputation",
            bilingual(f"没有这项重算：{recomputation_id}", "no such recomputation in your scope"),
        )
    if found.state not in states:
        raise DomainError(
            "recomputation_not_ready",
            bilingual(
                f"重算 {found} 现为“{found.get_state_display()}”，不能再办理此步骤",
                f"the recomputation is {found.state}: this step is not possible (any more)",
            ),
        )
    return found


@transaction.atomic
def begin_posting(
    *, recomputation_id: int, scope: tuple[int, int], at: datetime
) -> tuple[date, Asked] | None:
    """Up to which day to post, and what was released; None if nothing is to be, the facts having changed."""
    row = Recomputation.objects.select_for_update().get(pk=recomputation_id)
    if row.state != State.RELEASED:
        return None
    assess_notes(at=at, only_if_stale=True)
    book = terms_in_force()
    concerned = _concerned(book, through=row.through, scope=scope)
    others = besides(book=book, through=row.through, scope=scope)
    # a posting that failed may have booked some already
    blocked = _blocked(concerned)
    if row.digest == _digest(book, concerned, blocked) and seen_in(row.trial).covers(others):
        versions = dict(concerned.select("enterprise_id", "facts_version").iter_rows())
        return row.through, Asked(
            enterprise_ids=versions,
            versions=versions,
            terms_key=terms_key(book),
            blocked=blocked,
            recomputation_id=row.pk,
        )
    Recomputation.objects.filter(pk=row.pk).update(state=State.LAPSED, why=LAPSED)
    return None


@transaction.atomic
def finish_posting(*, recomputation_id: int, run_id: int | None) -> None:
    """It is posted, by that run."""
    released = Recomputation.objects.filter(pk=recomputation_id, state=State.RELEASED)
    released.update(state=State.POSTED, run_id=run_id)


@transaction.atomic
def withdraw(*, recomputation_id: int, why: str, actor: str, at: datetime) -> None:
    """Let its maker give up one that nobody has checked; who, when and why are kept.

    Raises DomainError `recomputation_not_ready`, `not_own_recomputation`, `reason_missing`.
    """
    row = _locked(recomputation_id, State.TRYING, State.READY)
    if row.made_by != actor:
        raise DomainError(
            "not_own_recomputation",
            bilingual(
                f"重算 {row} 由 {row.made_by} 提交，由其本人撤回，或由复核人退回",
                "only its maker withdraws it; a checker refuses it",
            ),
        )
    row.state, row.why = State.LAPSED, reasons.required(why)
    row.withdrawn_by, row.withdrawn_at = actor, at
    row.save(update_fields=["state", "why", "withdrawn_by", "withdrawn_at"])
