"""What a run looks at, what it posts of it, and how it goes on where something fails."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from config.celery import app
from config.kernel.models import Chunk, Institution, Run
from config.kernel.services import bulk, work
from loans.models import Note
from settlement import tasks
from settlement.models import Deduction, EnterprisePosting, LedgerEntry
from settlement.services import deductions, groups
from settlement.services.assessments import assess_notes
from tests import database
from tests.integration.book import (
    AT,
    run,
)
from tests.integration.small_book import (
    FIRST,
    NORTH,
    SECOND,
    SOUTH,
    THIRD,
    SmallBook,
    agrees,
    capped,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def small(tmp_path: Path) -> SmallBook:
    return SmallBook(tmp_path)


@pytest.fixture
def three(small: SmallBook, monkeypatch: pytest.MonkeyPatch) -> SmallBook:
    """Three enterprises, each a chunk of its own, with a collection each."""
    monkeypatch.setattr(groups, "CHUNK_NOTES", 1)
    small.scheme()
    for number, uscc in (("A", FIRST), ("B", SECOND), ("C", THIRD)):
        small.lend(number, uscc)
        small.collect(number, 2)
    return small


# ---- the queue of work


class Spoiled:
    """Facts of one enterprise cannot be read, as often as said; remembers who was tried."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, uscc: str, times: int, error: BaseException
    ) -> None:
        self.tried: list[str] = []
        self.read = deductions.gather
        self.uscc, self.times, self.error = uscc, times, error
        monkeypatch.setattr(deductions, "gather", self)

    def __call__(self, *, enterprise_ids: Sequence[int]) -> object:
        names = {pk: uscc for uscc, pk in borrowers().items()}
        self.tried += [names[pk] for pk in enterprise_ids]
        if self.uscc in self.tried[-1:] and self.times > 0:
            self.times -= 1
            raise self.error
        return self.read(enterprise_ids=enterprise_ids)


def borrowers() -> dict[str, int]:
    return dict(Note.objects.values_list("contract__enterprise__uscc", "contract__enterprise_id"))


@pytest.mark.parametrize(
    "error", [ValueError("not this one"), pl.exceptions.PanicException("not this one")]
)
def test_a_bad_chunk_is_tried_five_times_after_all_others(
    three: SmallBook, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    spoiled = Spoiled(monkeypatch, FIRST, 99, error)
    run()
    assert spoiled.tried == [FIRST, SECOND, THIRD, FIRST, FIRST, FIRST, FIRST]
    assert three.net() == {"B-2": 1000, "C-2": 1000}
    assert Run.objects.get().state == Run.State.FAILED
    bad = Chunk.objects.exclude(state=Chunk.State.DONE).get()
    assert (bad.state, bad.attempts, bad.lease_owner) == (Chunk.State.FAILED, 5, "")
    assert "not this one" in bad.error.splitlines()[0]
    assert "Traceback" in bad.error
    assert set(EnterprisePosting.objects.values_list("enterprise__uscc", flat=True)) == {
        SECOND,
        THIRD,
    }

    spoiled.times, spoiled.tried = 0, []
    run()
    assert spoiled.tried == [FIRST]
    assert three.net() == {"A-2": 1000, "B-2": 1000, "C-2": 1000}
    assert list(Run.objects.order_by("pk").values_list("state", flat=True)) == ["failed", "done"]
    assert agrees()


def test_an_error_that_passes_is_forgotten(
    three: SmallBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    Spoiled(monkeypatch, SECOND, 2, ValueError("for now"))
    run()
    assert three.net() == {"A-2": 1000, "B-2": 1000, "C-2": 1000}
    assert Run.objects.get().state == Run.State.DONE
    assert list(Chunk.objects.order_by("ordinal").values_list("attempts", "error")) == [
        (1, ""),
        (3, ""),
        (1, ""),
    ]


def start() -> int:
    started = deductions.start_run(actor="system", at=AT)
    assert started is not None
    return started.run_id


@contextmanager
def in_other_hands(chunk: Chunk) -> Iterator[None]:
    """Another session holds a chunk, until it is gone: the server frees the lock a moment later."""
    with database.connect("worker") as session:
        session.execute("SELECT pg_advisory_lock(%s)", [work.CHUNK_LOCKS + chunk.pk])
        holder = session.info.backend_pid
        yield
    while bulk.rows("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = %s", [holder]):
        time.sleep(0.01)


def test_a_chunk_in_other_hands_is_left_to_them(three: SmallBook) -> None:
    run_id = start()
    first, second, third = Chunk.objects.order_by("ordinal")
    with in_other_hands(first):
        assert work.claim_chunk(run_id=run_id, owner="me", at=AT) == second.pk
        assert work.claim_chunk(run_id=run_id, owner="me", at=AT) == third.pk
        Chunk.objects.filter(pk__in=[second.pk, third.pk]).update(state=Chunk.State.DONE)
        assert work.claim_chunk(run_id=run_id, owner="me", at=AT) is None
        assert work.close_run(run_id=run_id, at=AT) == Run.State.OPEN
    first.refresh_from_db()
    assert (first.attempts, first.lease_owner) == (0, "")
    assert work.claim_chunk(run_id=run_id, owner="me", at=AT) == first.pk


def test_a_last_attempt_under_way_is_not_given_up(three: SmallBook) -> None:
    run_id = start()
    last = Chunk.objects.order_by("ordinal").first()
    Chunk.objects.exclude(pk=last.pk).update(state=Chunk.State.DONE)
    Chunk.objects.filter(pk=last.pk).update(
        attempts=work.ATTEMPTS_MAX, lease_owner="elsewhere:7", lease_until=AT
    )
    with in_other_hands(last):
        assert work.claim_chunk(run_id=run_id, owner="me", at=AT) is None
        assert work.close_run(run_id=run_id, at=AT) == Run.State.OPEN
        assert work.is_in_good_hands(run_id=run_id, at=AT)
        assert not work.is_in_good_hands(run_id=run_id, at=AT + timedelta(minutes=1))
    assert work.close_run(run_id=run_id, at=AT) == Run.State.FAILED
    last.refresh_from_db()
    assert (
        last.error
        == "5 次尝试均中断，没有留下错误 / the worker died at each attempt, last of all elsewhere:7"
    )


def test_a_hung_worker_is_not_waited_for(three: SmallBook) -> None:
    run_id = start()
    hung = Chunk.objects.order_by("ordinal").first()
    Chunk.objects.filter(pk=hung.pk).update(
        lease_owner="hung", lease_until=AT - timedelta(seconds=1)
    )
    with in_other_hands(hung):
        deductions.work_run(run_id=run_id, owner="me", clock=lambda: AT)
    assert three.net() == {"B-2": 1000, "C-2": 1000}
    assert Run.objects.get().state == Run.State.OPEN


def test_no_chunk_is_begun_after_the_time_given(three: SmallBook) -> None:
    run_id = start()
    ticks = iter(AT + timedelta(seconds=n) for n in range(100))
    deductions.work_run(
        run_id=run_id, owner="me", clock=lambda: next(ticks), until=AT + timedelta(seconds=3)
    )
    assert Chunk.objects.filter(state=Chunk.State.DONE).count() == 2
    assert Run.objects.get().state == Run.State.OPEN
    deductions.work_open_runs(owner="me", clock=lambda: AT)
    assert Run.objects.get().state == Run.State.DONE
    assert three.net() == {"A-2": 1000, "B-2": 1000, "C-2": 1000}


def test_entries_carry_the_day_they_are_made_though_the_run_crosses_midnight(
    three: SmallBook,
) -> None:
    run_id = start()
    night = datetime(2026, 3, 31, 23, 59, 59, tzinfo=ZoneInfo("Asia/Shanghai"))
    ticks = iter(night + timedelta(seconds=n) for n in range(100))
    deductions.work_run(run_id=run_id, owner="me", clock=lambda: next(ticks))
    posted = [date(2026, 3, 31), date(2026, 4, 1), date(2026, 4, 1)]
    assert list(LedgerEntry.objects.order_by("pk").values_list("posted_on", flat=True)) == posted
    assert sorted(Deduction.objects.values_list("posted_on", flat=True)) == posted


def test_an_older_run_has_nothing_left_to_post(three: SmallBook) -> None:
    older = start()
    three.collect("A", 3)
    run()
    postings = three.posted()
    assert len(postings) == 4
    counts = deductions.work_run(run_id=older, owner="late", clock=lambda: AT)
    assert (counts["originals"], counts["differences"]) == (0, 0)
    assert three.posted() == postings
    run()
    assert three.posted() == postings
    assert agrees()


def test_enterprises_coupled_after_the_run_was_cut_are_worked_together(
    small: SmallBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "CHUNK_NOTES", 0)
    small.scheme(more=capped("project", 1500))
    small.project("P")
    small.lend("A", FIRST, project="P")
    small.collect("A", 3)
    run_id = start()
    assert [len(chunk.payload["enterprise_ids"]) for chunk in Chunk.objects.all()] == [1, 2]
    small.lend("B", SECOND, project="P")
    small.collect("B", 2)
    assess_notes(at=AT)
    chunk_id = work.claim_chunk(run_id=run_id, owner="me", at=AT)
    assert chunk_id is not None
    deductions.work_chunk(chunk_id=chunk_id, at=AT)
    assert small.posted() == [("A-3", 0, 500), ("B-2", 0, 1000)]
    deductions.work_run(run_id=run_id, owner="me", clock=lambda: AT)
    assert len(small.posted()) == 2
    assert agrees()


# ---- bells


def test_a_bell_starts_a_run_and_another_works_on_it(
    three: SmallBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tasks.work_run.app is app
    rung: list[int] = []
    monkeypatch.setattr(tasks.work_run, "delay", lambda *, run_id: rung.append(run_id))
    tasks.run_deductions(actor="system")
    opened = Run.objects.get()
    assert (rung, opened.state, opened.actor) == ([opened.pk], Run.State.OPEN, "system")
    assert three.net() == {}
    monkeypatch.setattr(tasks, "WORK_TIME", timedelta(0))
    tasks.work_run(run_id=opened.pk)
    assert rung == [opened.pk] * 2
    tasks.sweep()
    assert three.net() == {}
    monkeypatch.setattr(tasks, "WORK_TIME", timedelta(minutes=1))
    tasks.sweep()
    assert Run.objects.get().state == Run.State.DONE
    assert three.net() == {"A-2": 1000, "B-2": 1000, "C-2": 1000}
    assert len(rung) == 2
    tasks.run_deductions(actor="system")
    tasks.work_run(run_id=rung.pop())
    assert not Run.objects.filter(state=Run.State.OPEN).exists()


def test_a_bell_with_nothing_to_do_starts_nothing(small: SmallBook) -> None:
    tasks.run_deductions(actor="system")
    tasks.sweep()
    assert not Run.objects.exists()


# ---- versions of schemes


@pytest.fixture
def late(small: SmallBook) -> SmallBook:
    """Two notes at two banks under a cap of 1,500; March came late, April was served before it."""
    small.scheme(more=capped("enterprise", 1500))
    small.scheme(code="other")
    small.lend("A", FIRST)
    small.lend("B", FIRST, at=SOUTH)
    small.collect("B", 4, at=SOUTH)
    run()
    small.collect("A", 3)
    return small


ALL_AT_ONCE = {"A-3": 1000, "B-4": 500}


def test_through_an_earlier_day_posts_the_effect_and_not_the_late_original(late: SmallBook) -> None:
    assert run(through=date(2026, 3, 10)) == {
        "collections": 2,
        "targets": 2,
        "originals": 0,
        "differences": 1,
        "held": 0,
        "blocked": 0,
    }
    assert late.net() == {"B-4": 500}
    assert agrees()
    assert run()["originals"] == 1
    assert late.net() == ALL_AT_ONCE
    assert late.posted() == [("B-4", 0, 1000), ("B-4", 1, -500), ("A-3", 0, 1000)]
    assert agrees()


def test_through_a_later_day_posts_both(late: SmallBook) -> None:
    run(through=date(2026, 3, 11))
    assert late.net() == ALL_AT_ONCE
    run()
    assert late.net() == ALL_AT_ONCE
    assert agrees()


@pytest.mark.parametrize(
    ("bank", "net"), [(NORTH, {"A-3": 1000, "B-4": 1000}), (SOUTH, {"B-4": 500})]
)
def test_one_institution_posts_its_own_rows_of_what_all_would_give(
    late: SmallBook, bank: str, net: dict[str, int]
) -> None:
    chosen = Institution.objects.get(code=bank)
    run(scope=(chosen.id, chosen.last_id))
    assert late.net() == net
    assert agrees(waiting=1)
    run()
    assert late.net() == ALL_AT_ONCE
    assert Deduction.objects.count() == 3
    assert agrees()


def test_one_scheme_posts_nothing_of_another(late: SmallBook) -> None:
    before = late.posted()
    run(scheme="other")
    assert late.posted() == before
    assert agrees(waiting=1)
    run(scheme="test")
    assert late.net() == ALL_AT_ONCE
    run()
    assert Deduction.objects.count() == 3
    assert agrees()
