"""Jobs: ordered by people or by the clock, worked by whoever is there, done once."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction

from config.kernel.models import Chunk, Institution, Run
from config.kernel.services import store, work
from loans.values.errors import DomainError
from reports.models import Job, Obligation, Report
from reports.selectors.obligations import obligations_of, reports_for, with_standing
from reports.services import generation, jobs, obligations, steps, storing
from tests.integration import rows
from tests.integration.rows import BANK, NANJING, OTHER, SUZHOU
from tests.integration.small_report import CODE, Small, small

AT = datetime(2026, 4, 2, 9, 0, tzinfo=UTC)
SME = "central-sme-2026"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def place(settings: Any, tmp_path: Path) -> None:
    settings.REPORTS_DIR = tmp_path / "store"


@pytest.fixture(autouse=True)
def no_terms(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scheme of the small book has no terms."""
    from settlement.services.schemes import Book

    monkeypatch.setattr(
        "reports.services.building.terms_in_force", lambda: Book((), {}, {}, "terms")
    )


@pytest.fixture
def report() -> Iterator[Small]:
    with small() as one:
        yield one


@pytest.fixture
def banks() -> dict[str, Institution]:
    made = rows.institutions()
    rows.scheme_version()
    rows.note(made[NANJING], "N1", drawn_on=date(2026, 2, 10))
    return made


def order(scope: tuple[int, int], actor: str = "maker", **changes: Any) -> int:
    asked = {
        "code": CODE,
        "period_code": "2026-03",
        "institution_code": NANJING,
        "scheme_code": SME,
    }
    return jobs.order_report(**asked | changes, scope=scope, actor=actor, at=AT)


def done(run_id: int) -> str:
    return jobs.work_job(run_id=run_id, owner="test", clock=lambda: AT)


def test_a_report_is_ordered_and_made_in_the_name_of_who_ordered_it(
    report: Small, banks: dict[str, Institution]
) -> None:
    run_id = order(banks[BANK].scope)
    run = Job.objects.get()
    assert (run.pk, run.state, run.scope_lo, run.scope_hi) == (
        run_id, "open", banks[NANJING].id, banks[NANJING].last_id,
    )  # fmt: skip
    assert work.progress(run_id=run_id) == (0, 1)

    assert done(run_id) == "done"

    run.refresh_from_db()
    made = Report.objects.get()
    assert (made.made_by, made.scheme_code, made.institution) == ("maker", SME, banks[NANJING])
    stats = {"new": 1, "report": made.pk}
    assert (run.stats, run.error, work.progress(run_id=run_id)) == (stats, "", (1, 1))
    assert run.result_name == f"{CODE}_{SME}_{NANJING}_2026-03.pdf"
    assert run.result_sha256 == made.files.get(format="pdf").sha256


def test_the_same_order_twice_makes_one_report(
    report: Small, banks: dict[str, Institution]
) -> None:
    first, second = order(banks[BANK].scope), order(banks[BANK].scope, "other")
    jobs.work_open_jobs(owner="test", clock=lambda: AT)
    found = list(Run.objects.filter(pk__in=[first, second]).order_by("pk"))
    assert [run.state for run in found] == ["done", "done"]
    assert found[0].result_sha256 == found[1].result_sha256
    made = Report.objects.get().pk
    assert [run.stats for run in found] == [{"new": 1, "report": made}, {"new": 0, "report": made}]


def test_a_worker_that_died_after_the_report_was_kept_leaves_no_second(
    report: Small, banks: dict[str, Institution], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = order(banks[BANK].scope)
    kept = jobs._finish

    def die(*args: Any, **more: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(jobs, "_finish", die)
    claimed = work.claim_chunk(run_id=run_id, owner="one", at=AT)
    assert claimed is not None
    jobs._try_chunk(run=Run.objects.get(pk=run_id), chunk_id=claimed, at=AT)
    assert (Run.objects.get().state, Report.objects.count()) == ("open", 1)
    assert "MemoryError" in Chunk.objects.get().error

    monkeypatch.setattr(jobs, "_finish", kept)
    assert done(run_id) == "done"
    assert Run.objects.get().stats == {"new": 0, "report": Report.objects.get().pk}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"code": "nothing"}, "report_unknown"),
        ({"period_code": "2026-13"}, "period_unreadable"),
        ({"institution_code": "X"}, "institution_unknown"),
        ({"scheme_code": "x"}, "scheme_unknown"),
        ({"institution_code": SUZHOU}, "outside_scope"),
        ({"institution_code": BANK}, "outside_scope"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(
    report: Small, banks: dict[str, Institution], changes: dict[str, str], code: str
) -> None:
    with pytest.raises(DomainError) as refusal:
        order(banks[NANJING].scope, **changes)
    assert refusal.value.code == code
    assert Run.objects.count() == 0


def test_a_refusal_ends_a_job_at_once_and_is_told(
    report: Small, banks: dict[str, Institution]
) -> None:
    report.ledger_fen = 1
    run_id = order(banks[BANK].scope)

    assert done(run_id) == "failed"

    run = Run.objects.get()
    assert "勾稽不平" in run.error
    assert (run.result_sha256, Chunk.objects.get().attempts) == ("", 1)
    assert Report.objects.count() == 0


def test_what_breaks_is_tried_again_and_then_given_up(
    report: Small, banks: dict[str, Institution], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = order(banks[BANK].scope)

    def fail(**_all: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(generation, "generate", fail)
    assert done(run_id) == "failed"
    assert Chunk.objects.get().attempts == work.ATTEMPTS_MAX
    assert Run.objects.get().error == "OSError('disk full')"


def test_a_job_waits_for_whoever_makes_the_same_report_however_long(
    report: Small, banks: dict[str, Institution], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A register takes longer than a lock may be waited for: the second order must not fail of it."""
    run_id = order(banks[BANK].scope)

    def busy(**_all: Any) -> None:
        raise DomainError(generation.BUSY, "同一报表正在生成")

    with monkeypatch.context() as patch:
        patch.setattr(generation, "generate", busy)
        assert [done(run_id) for _ in range(work.ATTEMPTS_MAX + 1)] == ["open"] * 6
    chunk = Chunk.objects.get()
    assert (chunk.attempts, chunk.lease_owner, chunk.error) == (0, "", "同一报表正在生成")
    assert done(run_id) == "done"
    assert (Report.objects.count(), Chunk.objects.get().error) == (1, "")


def test_a_job_reaches_no_further_than_its_scope(
    report: Small, banks: dict[str, Institution]
) -> None:
    """Whoever could write an order by hand gets no other bank's report."""
    run_id = order(banks[BANK].scope)
    Run.objects.update(params=Run.objects.get().params | {"institution": OTHER})
    assert done(run_id) == "failed"
    assert "不在您的范围内" in Run.objects.get().error
    assert Report.objects.count() == 0


def exported(run_id: int) -> list[dict[str, str]]:
    run = Run.objects.get(pk=run_id)
    with storing.opened_result(sha256=run.result_sha256, name=run.result_name) as source:
        return list(csv.DictReader(io.StringIO(source.read().decode(), newline="")))


def test_an_export_holds_what_its_scope_sees_and_nothing_else(
    banks: dict[str, Institution],
) -> None:
    rows.note(banks[SUZHOU], "N2")
    rows.note(banks[OTHER], "N3")

    def ordered(of: str) -> int:
        return jobs.order_export(
            register="notes", file_format="csv", filters={}, scope=banks[of].scope,
            actor="auditor", at=AT,
        )  # fmt: skip

    runs = {code: ordered(code) for code in (BANK, NANJING, OTHER)}
    jobs.work_open_jobs(owner="test", clock=lambda: AT)

    assert {code: [row["note_number"] for row in exported(pk)] for code, pk in runs.items()} == {
        BANK: ["N1", "N2"],
        NANJING: ["N1"],
        OTHER: ["N3"],
    }
    run = Run.objects.get(pk=runs[NANJING])
    assert (run.stats, run.result_name) == ({"rows": 1}, f"notes-{run.pk}.csv")


def test_exports_that_do_not_exist_are_refused(banks: dict[str, Institution]) -> None:
    ask = {"register": "notes", "file_format": "csv", "filters": {}}
    for changes, code in (
        ({"register": "secrets"}, "export_unknown"),
        ({"file_format": "exe"}, "export_unknown"),
        ({"filters": {"since": "2026-01-01"}}, "filter_unknown"),
    ):
        with pytest.raises(DomainError) as refusal:
            jobs.order_export(**ask | changes, scope=(1, 2), actor="a", at=AT)
        assert refusal.value.code == code
    assert Run.objects.count() == 0


def test_the_web_orders_within_its_scope_and_sees_no_other_jobs(
    report: Small, banks: dict[str, Institution], as_role: Any
) -> None:
    with as_role("app", banks[NANJING]):
        mine = order(banks[NANJING].scope)
        assert [run.pk for run in Job.objects.all()] == [mine]
        assert Chunk.objects.count() == 1
    with as_role("app", banks[OTHER]):
        assert (Run.objects.count(), Chunk.objects.count()) == (0, 0)
    with as_role("app", banks[BANK]):
        assert Run.objects.count() == 1
    assert Run.objects.count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "deductions"},
        {"scope_lo": 0, "scope_hi": 2**62},
        {"scope_lo": None, "scope_hi": None},
        {"state": "done"},
        {"result_sha256": "0" * 64},
    ],
)
def test_the_web_cannot_order_anything_else(
    banks: dict[str, Institution], as_role: Any, changes: dict[str, Any]
) -> None:
    lo, hi = banks[NANJING].scope
    right = {"kind": "report", "actor": "x", "created_at": AT, "scope_lo": lo, "scope_hi": hi}
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        as_role("app", banks[NANJING]),
    ):
        Run.objects.create(**right | changes)
    with as_role("app", banks[NANJING]):
        Run.objects.create(**right)
    with pytest.raises(ProgrammingError, match="permission denied"), as_role("app", banks[NANJING]):
        Run.objects.update(state="done")
    assert [run.state for run in Run.objects.all()] == ["open"]


def prepared(day: date) -> list[dict[str, Any]]:
    at = datetime(day.year, day.month, day.day, 2, tzinfo=UTC)
    found = Run.objects.filter(pk__in=jobs.prepare(code=CODE, at=at)).order_by("pk")
    return [run.params for run in found]


def wanted(month: str) -> dict[str, str]:
    return {"code": CODE, "period": month, "institution": BANK, "scheme": SME}


def test_drafts_are_ordered_some_working_days_ahead_and_missed_ones_made_up(
    report: Small, banks: dict[str, Institution]
) -> None:
    """Notes since February: February's is due on 5 March, March's on 5 April."""
    assert prepared(date(2026, 2, 28)) == []
    assert prepared(date(2026, 3, 1)) == [wanted("2026-02")]
    assert prepared(date(2026, 3, 1)) == []  # it is ordered already
    jobs.work_open_jobs(owner="test", clock=lambda: AT)
    assert Report.objects.get().made_by == "system"
    assert prepared(date(2026, 3, 31)) == []  # April's bells did not ring
    assert prepared(date(2026, 5, 2)) == [wanted("2026-03"), wanted("2026-04")]


def test_a_returned_draft_is_made_again(report: Small, banks: dict[str, Institution]) -> None:
    prepared(date(2026, 3, 1))
    jobs.work_open_jobs(owner="test", clock=lambda: AT)
    steps.give_back(report_id=Report.objects.get().pk, actor="checker", at=AT, why="错期")
    assert prepared(date(2026, 3, 2)) == [wanted("2026-02")]


def test_obligations_of_the_level_that_files_with_their_days(
    banks: dict[str, Institution],
) -> None:
    brought = obligations.refresh(today=date(2026, 9, 1))

    assert brought.problems == ()
    every = Obligation.objects.all()
    assert {one.institution_id for one in every} == {banks[BANK].id}
    assert brought.inserted == every.count() == 9 + 10 + 1
    february = every.get(code="new-loans", period="2026-02")
    assert (february.due_on, february.last_working_day) == (date(2026, 3, 5), date(2026, 3, 5))
    october = every.get(code="new-loans", period="2026-09")
    assert (october.due_on, october.last_working_day) == (date(2026, 10, 5), date(2026, 9, 30))
    assert every.get(code="monthly-execution", period="2026-09").due_on == date(2026, 10, 13)
    assert every.get(code="annual-demand").due_on == date(2026, 2, 5)
    assert obligations.refresh(today=date(2026, 9, 1)) == obligations.Refreshed(0, 0, ())


def test_what_falls_into_an_unpublished_year_is_told_and_stops_nothing_else(
    banks: dict[str, Institution],
) -> None:
    brought = obligations.refresh(today=date(2026, 11, 27))

    (problem,) = brought.problems
    assert "2027 年节假日安排尚未导入" in problem
    assert Obligation.objects.filter(due_on__year=2027).count() == 0
    assert Obligation.objects.filter(period="2026-11").count() == 2


def standings(today: date) -> dict[str, str]:
    found = with_standing(Obligation.objects.filter(code=CODE), today=today)
    return {one.period: one.standing for one in found}


def test_where_an_obligation_stands_follows_from_its_reports(
    report: Small, banks: dict[str, Institution]
) -> None:
    obligations.refresh(today=date(2026, 3, 2))
    assert standings(date(2026, 3, 2))["2026-02"] == "pending"
    done(order(banks[BANK].scope, institution_code=BANK, period_code="2026-02"))
    made = Report.objects.get()
    assert standings(date(2026, 3, 5))["2026-02"] == "generated"
    assert standings(date(2026, 3, 6))["2026-02"] == "overdue"
    steps.check(report_id=made.pk, actor="checker", at=AT)
    steps.submit(report_id=made.pk, actor="maker", at=AT)
    assert standings(date(2026, 3, 6))["2026-02"] == "submitted"
    report.amounts["JJ1"] = 1
    done(order(banks[BANK].scope, institution_code=BANK, period_code="2026-02"))
    assert standings(date(2026, 3, 6))["2026-02"] == "submitted"  # a draft of a correction
    steps.accept(report_id=made.pk, actor="maker", at=AT)
    assert standings(date(2026, 3, 6))["2026-02"] == "accepted"


def test_a_report_of_all_schemes_counts_for_those_it_speaks_of_once_submitted(
    report: Small, banks: dict[str, Institution]
) -> None:
    obligations.refresh(today=date(2026, 3, 2))
    late = date(2026, 3, 6)
    all_schemes = {"institution_code": BANK, "period_code": "2026-02", "scheme_code": None}
    report.schemes = ("another-scheme",)
    done(order(banks[BANK].scope, **all_schemes))
    first = Report.objects.get()
    steps.check(report_id=first.pk, actor="checker", at=AT)
    steps.submit(report_id=first.pk, actor="maker", at=AT)
    assert standings(late)["2026-02"] == "overdue"
    steps.give_back(report_id=first.pk, actor="maker", at=AT, why="缺一项政策")

    report.schemes = ("another-scheme", SME)
    done(order(banks[BANK].scope, **all_schemes))
    made = Report.objects.get(state="generated")
    assert made.schemes == ["another-scheme", SME]
    assert standings(late)["2026-02"] == "overdue"  # finance does not have it
    assert prepared(date(2026, 3, 1)) == [wanted("2026-02")]  # nor does its draft do
    steps.check(report_id=made.pk, actor="checker", at=AT)
    steps.submit(report_id=made.pk, actor="maker", at=AT)
    assert standings(late)["2026-02"] == "submitted"
    steps.accept(report_id=made.pk, actor="maker", at=AT)
    assert standings(late)["2026-02"] == "accepted"
    (answered,) = obligations_of(Report.objects.get(pk=made.pk))
    assert (answered.scheme_code, answered.period) == (SME, "2026-02")
    assert [one.pk for one in reports_for(answered)] == [made.pk]


def test_store_keeps_one_copy(tmp_path: Path) -> None:
    one = tmp_path / "a"
    one.write_bytes(b"same")
    assert store.keep(one) == store.keep(one)
    assert len([path for path in (tmp_path / "store").rglob("*") if path.is_file()]) == 1


def test_the_tables_of_jobs_are_protected() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class"
            " WHERE relname IN ('kernel_run', 'kernel_chunk') ORDER BY 1"
        )
        assert cursor.fetchall() == [("kernel_chunk", True, True), ("kernel_run", True, True)]
