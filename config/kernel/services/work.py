"""Runs and chunks: PostgreSQL owns the work, a message only rings the bell.

A chunk belongs to whoever holds the advisory lock with its number. The lock dies with its holder's
connection, so a killed worker's chunk is free at once; `lease_until` tells people how long the
holder said it would need, and `attempts` stops a chunk that kills every worker from being tried for
ever.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import F

from config.kernel.models import Chunk, Run
from config.kernel.services import bulk

CHUNK_LOCKS = 0x7469 << 48  # advisory lock keys from here on mean "chunk in hand"
LEASE_MINUTES = 15
ATTEMPTS_MAX = 5
ERRORS_SHOWN = 10  # of a run's failed chunks, the first line each
DIED = (
    "{attempts} 次尝试均中断，没有留下错误 / the worker died at each attempt, last of all {owner}"
)


@transaction.atomic
def open_run(
    *,
    kind: str,
    params: dict[str, Any],
    payloads: Iterable[dict[str, Any]],
    actor: str,
    at: datetime,
    scope: tuple[int, int] | None = None,
) -> int:
    """Record a run and cut it into chunks, in order; returns the run's number.

    `scope`: the institutions it may reach and whose staff see it; None is all of them.
    """
    lo, hi = scope or (None, None)
    run = Run.objects.create(
        kind=kind, params=params, actor=actor, created_at=at, scope_lo=lo, scope_hi=hi
    )
    Chunk.objects.bulk_create(
        Chunk(run=run, ordinal=ordinal, payload=payload) for ordinal, payload in enumerate(payloads)
    )
    return int(run.pk)


def claim_chunk(*, run_id: int, owner: str, at: datetime) -> int | None:
    """Take one chunk of the run that nobody is working on; None when there is none.

    What failed before comes last, so that it never keeps others waiting. Call it outside the
    transaction of the work: the attempt has to be counted whatever becomes of it.
    """
    waiting = Chunk.objects.filter(run_id=run_id, state=Chunk.State.TODO, attempts__lt=ATTEMPTS_MAX)
    for chunk_id in waiting.order_by("attempts", "ordinal").values_list("pk", flat=True):
        if not bulk.rows("SELECT pg_try_advisory_lock(%s)", [CHUNK_LOCKS + chunk_id])[0][0]:
            continue
        taken = waiting.filter(pk=chunk_id).update(
            attempts=F("attempts") + 1,
            lease_owner=owner,
            lease_until=at + timedelta(minutes=LEASE_MINUTES),
        )
        if taken:
            return int(chunk_id)
        release_chunk(chunk_id=chunk_id)
    return None


def release_chunk(*, chunk_id: int) -> None:
    """Let go of a chunk, done or not."""
    bulk.rows("SELECT pg_advisory_unlock(%s)", [CHUNK_LOCKS + chunk_id])


def finish_chunk(*, chunk_id: int, stats: dict[str, Any]) -> None:
    """Mark the chunk done; call it in the transaction that did the work."""
    Chunk.objects.filter(pk=chunk_id).update(
        state=Chunk.State.DONE, stats=stats, lease_owner="", lease_until=None, error=""
    )


def note_failure(*, chunk_id: int, error: str) -> None:
    """Keep the error with the chunk; the last allowed attempt turns it into a failed one."""
    Chunk.objects.filter(pk=chunk_id).update(error=error[:4000], lease_owner="", lease_until=None)
    Chunk.objects.filter(pk=chunk_id, attempts__gte=ATTEMPTS_MAX).update(state=Chunk.State.FAILED)


def put_back(*, chunk_id: int, why: str) -> None:
    """Leave a chunk for later, as if it had not been tried: nothing is wrong with it."""
    Chunk.objects.filter(pk=chunk_id).update(
        attempts=F("attempts") - 1, lease_owner="", lease_until=None, error=why[:4000]
    )


def refuse_chunk(*, chunk_id: int, error: str) -> None:
    """Give a chunk up at once: what a rule refuses, another attempt will not change."""
    Chunk.objects.filter(pk=chunk_id).update(
        state=Chunk.State.FAILED, error=error[:4000], lease_owner="", lease_until=None
    )


def keep_result(*, run_id: int, name: str, sha256: str) -> None:
    """Name the file that came of the run; call it in the transaction that finishes its last chunk."""
    Run.objects.filter(pk=run_id).update(result_name=name, result_sha256=sha256)


@transaction.atomic
def close_run(*, run_id: int, at: datetime) -> str:
    """Close the run if nothing of it waits or is in hand; returns the state it is in now."""
    run = Run.objects.select_for_update().get(pk=run_id)
    if run.state != Run.State.OPEN:
        return str(run.state)
    _give_up(run_id=run_id)
    chunks = list(Chunk.objects.filter(run_id=run_id).order_by("ordinal"))
    if any(chunk.state == Chunk.State.TODO for chunk in chunks):
        return str(run.state)
    failed = [chunk for chunk in chunks if chunk.state == Chunk.State.FAILED]
    run.state = Run.State.FAILED if failed else Run.State.DONE
    run.finished_at = at
    run.stats = total(chunk.stats for chunk in chunks)
    run.error = "\n".join(chunk.error.partition("\n")[0] for chunk in failed[:ERRORS_SHOWN])
    run.save(update_fields=["state", "finished_at", "stats", "error"])
    return str(run.state)


def _give_up(*, run_id: int) -> None:
    """Fail the chunks whose last allowed attempt ended without a word: their workers died."""
    tried = Chunk.objects.filter(run_id=run_id, state=Chunk.State.TODO, attempts__gte=ATTEMPTS_MAX)
    for chunk in tried.order_by("ordinal"):
        if bulk.rows("SELECT pg_try_advisory_xact_lock(%s)", [CHUNK_LOCKS + chunk.pk])[0][0]:
            tried.filter(pk=chunk.pk).update(
                state=Chunk.State.FAILED,
                lease_owner="",
                lease_until=None,
                error=chunk.error or DIED.format(attempts=chunk.attempts, owner=chunk.lease_owner),
            )


def is_in_good_hands(*, run_id: int, at: datetime) -> bool:
    """Is any chunk left within the time its holder said it would need?

    Ask it when there was none to claim: what is left then is in somebody's hand. Past that time the
    holder hangs, which people have to look into.
    """
    left = Chunk.objects.filter(run_id=run_id, state=Chunk.State.TODO)
    return left.exclude(lease_until__lt=at).exists()


def total(stats: Iterable[dict[str, Any] | None]) -> dict[str, int]:
    """Add up the counts of several chunks, key by key; what is no count is the chunks' own."""
    totals: dict[str, int] = {}
    for chunk_stats in stats:
        for key, count in (chunk_stats or {}).items():
            if isinstance(count, list):
                continue
            totals[key] = totals.get(key, 0) + int(count)
    return totals


@contextlib.contextmanager
def telling(*, chunk_id: int) -> Iterator[Callable[[int], None]]:
    """Tell people how many rows of a chunk are done while its transaction still goes on.

    On a connection of its own, since what the work's own transaction writes nobody sees. A word that
    cannot be said at once is left out: it stops no work.
    """
    aside = connection.copy()

    def tell(rows: int) -> None:
        with contextlib.suppress(DatabaseError), aside.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
            cursor.execute(
                "UPDATE kernel_chunk SET rows_done = CASE WHEN %s = 0 THEN 0 ELSE rows_done + %s END"
                " WHERE id = %s",
                [rows, rows, chunk_id],
            )

    try:
        tell(0)
        yield tell
    finally:
        aside.close()


def progress(*, run_id: int) -> tuple[int, int]:
    """How many chunks of the run are finished, well or badly, and how many are there?"""
    chunks = Chunk.objects.filter(run_id=run_id)
    return chunks.exclude(state=Chunk.State.TODO).count(), chunks.count()


def open_runs(*, kind: str) -> list[int]:
    """Which runs of this kind still have work in them, oldest first?"""
    runs = Run.objects.filter(kind=kind, state=Run.State.OPEN).order_by("pk")
    return [int(pk) for pk in runs.values_list("pk", flat=True)]
