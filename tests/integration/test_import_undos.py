"""An accepted file taken back: while nothing uses it, by two people, whole."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from config.kernel.models import Institution, Run
from config.kernel.services import store
from loans.files.kinds import KINDS
from loans.models import Enterprise, ImportBatch, ImportUndo, InterestCollection
from loans.services import import_undos, import_work
from loans.values.errors import DomainError
from tests.integration import rows as small
from tests.integration.book import AT
from tests.integration.samples import BOOK, NANJING, SUZHOU, changed, load_book, state, stored, take

pytestmark = pytest.mark.django_db

NEVER = {"institutions", "note-transfers", "papers"}
# What each kind of the book leans on is there before it, and nothing leans on it yet.
KINDS_BACK = [kind for kind in KINDS if kind not in NEVER]


@pytest.fixture(autouse=True)
def place(settings: Any, tmp_path: Path) -> None:
    settings.REPORTS_DIR = tmp_path / "store"


def execute(statement: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)


def last() -> ImportBatch:
    return ImportBatch.objects.latest("pk")


def ask(batch: ImportBatch, actor: str = "maker") -> int:
    return import_undos.ask(batch_id=batch.pk, reason="文件有误", actor=actor, at=AT)


def agree(undo_id: int, actor: str = "checker") -> ImportUndo:
    return import_undos.agree(undo_id=undo_id, answer="同意", actor=actor, at=AT)


def facts() -> Any:
    """All rows but those of the steps themselves, and the counters of firms concerned."""
    steps = ("importbatch", "importundo", "loans_enterprise", "kernel_run", "kernel_chunk")
    return {name: rows for name, rows in state().items() if not name.endswith(steps)}


def test_every_kind_comes_back_out_as_it_was_and_in_again(tmp_path: Path) -> None:
    load_book(tmp_path, upto="institutions")
    former: dict[str, Any] = {}
    for kind in KINDS_BACK:
        former[kind] = facts(), Enterprise.objects.count()
        take(kind, BOOK[kind], tmp_path)
    for kind in reversed(KINDS_BACK):
        batch = ImportBatch.objects.filter(kind=kind).earliest("pk")
        done = agree(ask(batch))
        assert (done.state, done.removed, done.error) == ("done", len(BOOK[kind]), "")
        before, firms = former[kind]
        assert without_history(facts()) == without_history(before), kind
        assert Enterprise.objects.count() == firms
        assert_recorded(done, batch)
    for kind in KINDS_BACK:
        assert take(kind, BOOK[kind], tmp_path).inserted == len(BOOK[kind])


def without_history(rows: Any) -> Any:
    marks = "settlement_duplicatedue"  # what a check has to look at is not taken back
    return {
        name: found for name, found in rows.items() if not name.endswith("event") and name != marks
    }


def assert_recorded(done: ImportUndo, batch: ImportBatch) -> None:
    """A batch says that the rows are gone, and a file says what they were."""
    counter = last()
    assert (done.counter_id, counter.kind, counter.rows, counter.corrected, counter.actor) == (
        counter.pk, batch.kind, batch.rows, batch.rows, "checker",
    )  # fmt: skip
    with store.opened(done.removed_sha256) as kept:
        lines = list(csv.reader(io.StringIO(kept.read().decode("utf-8-sig"))))
    assert lines[0] == ["row"]
    assert [json.loads(line)["batch_id"] for (line,) in lines[1:]] == [batch.pk] * batch.rows


def test_history_keeps_what_was_taken_back(tmp_path: Path) -> None:
    load_book(tmp_path, upto="notes")
    agree(ask(last()))
    with connection.cursor() as cursor:
        cursor.execute("SELECT note_number, pgh_label FROM loans_noteevent ORDER BY note_number")
        assert cursor.fetchall() == [("JJ-1", "before_delete"), ("JJ-2", "before_delete")]


def refused(batch: ImportBatch) -> str:
    """Ask and agree, which must be refused, leaving all as it was; returns why."""
    before, undos = facts(), list(ImportUndo.objects.values())
    batches = ImportBatch.objects.count()
    with pytest.raises(DomainError) as refusal, transaction.atomic():
        agree(ask(batch))
    assert (facts(), list(ImportUndo.objects.values())) == (before, undos)
    assert ImportBatch.objects.count() == batches
    return f"{refusal.value.code} {refusal.value.message}"


def batch_of(kind: str) -> ImportBatch:
    return ImportBatch.objects.filter(kind=kind).earliest("pk")


@pytest.mark.parametrize(
    ("kind", "by"),
    [
        ("enterprises", "合同 2、企业联系方式 2、企业称号 1、项目 1"),
        ("projects", "合同 1"),
        ("contracts", "借据 2、银团份额 1"),
        ("notes", "还本 1"),
        ("notes", "收息 2"),
        ("guarantees", "代偿 1"),
    ],
)
def test_what_other_rows_lean_on_stays(kind: str, by: str, tmp_path: Path) -> None:
    load_book(tmp_path)
    said = refused(batch_of(kind))
    assert said.startswith("undo_used 已被使用，不能撤销（")
    assert by in said


def test_a_plan_that_was_completed_stays_and_its_completion_goes(tmp_path: Path) -> None:
    load_book(tmp_path, upto="interest-collections")
    plan = batch_of("interest-collections")
    paid = changed(BOOK["interest-collections"][1], interest_paid="7130.00")
    take("interest-collections", [paid], tmp_path)
    assert "收息 1" in refused(plan)
    agree(ask(last()))
    assert stored("interest-collections", tmp_path) == BOOK["interest-collections"]
    agree(ask(plan))
    assert InterestCollection.objects.count() == 0


def test_a_file_that_corrected_rows_is_not_taken_back(tmp_path: Path) -> None:
    load_book(tmp_path, upto="notes")
    first = last()
    take("notes", [changed(BOOK["notes"][0], annual_rate="3.2000")], tmp_path)
    assert refused(last()).startswith("undo_corrected 该批次更正过 1 行已存数据")
    assert "该批次有 1 行已被后来的文件更正" in refused(first)


@pytest.mark.parametrize("kind", sorted(NEVER))
def test_some_kinds_are_put_right_by_another_file_or_a_withdrawal(
    kind: str, tmp_path: Path
) -> None:
    load_book(tmp_path, upto=kind)
    assert refused(batch_of(kind)).startswith("undo_kind ")


@pytest.mark.parametrize("kind", ["notes", "lpr", "interest-collections"])
def test_what_a_run_may_have_read_stays(kind: str, tmp_path: Path) -> None:
    load_book(tmp_path, upto=kind)
    run = Run.objects.create(kind="deductions", actor="system", created_at=AT)
    assert f"贴息计算 #{run.pk}" in refused(batch_of(kind))


def test_what_an_assessment_has_read_stays(tmp_path: Path) -> None:
    from settlement.models import Assessment

    load_book(tmp_path, upto="opening-positions")
    batch = last()
    fields = {"terms_key": "1", "engine": 1, "labels": 0, "changed": 0, "at": AT}
    Assessment.objects.create(facts_position=batch.pk - 1, **fields)
    one = Assessment.objects.create(facts_position=batch.pk, **fields)
    assert f"（贴息认定 #{one.pk}）" in refused(batch)


def test_what_a_plan_or_a_filed_report_or_a_settlement_has_read_stays(tmp_path: Path) -> None:
    from reports.models import Report
    from settlement.models import Plan, Settlement

    load_book(tmp_path, upto="opening-positions")
    batch = last()
    fields = {
        "institution": Institution.objects.get(code=NANJING), "made_by": "maker", "made_at": AT,
    }  # fmt: skip
    plan = Plan.objects.create(**fields, collected_on=AT.date(), planned_fen=0)
    settled = Settlement.objects.create(
        **fields,
        scheme=small.scheme_version().scheme,
        kind="annual",
        year=2026,
        part=1,
        state="draft",
    )
    report_fields = {
        "code": "new-loans", "period": "2026-03", "version": 1, "content_sha256": "0" * 64,
        "totals": {}, "ties": [], "ledger_entry": 0, "ledger_entries": 0, "ledger_chain": "0" * 64,
        "facts_position": batch.pk, "terms_key": "1",
    }  # fmt: skip
    Report.objects.create(**fields, **report_fields)
    filed = Report.objects.create(**fields, **report_fields | {"period": "2026-04"})
    Report.objects.filter(pk=filed.pk).update(state="checked", checked_by="checker", checked_at=AT)
    said = refused(batch)
    assert f"（代付计划 #{plan.pk}、结算清算 #{settled.pk}、报表 #{filed.pk}）" in said


def test_money_that_was_booked_stays(tmp_path: Path) -> None:
    from loans.models import PreAllocation
    from settlement.models import Receipt

    load_book(tmp_path, upto="pre-allocations")
    batch = last()
    received = PreAllocation.objects.get()
    Receipt.objects.create(
        institution_id=received.institution_id, pre_allocation=received, made_by="maker",
        made_at=AT, checked_by="checker", checked_at=AT,
    )  # fmt: skip
    assert "预拨入账 1" in refused(batch)


def test_nobody_takes_back_alone_or_twice(tmp_path: Path) -> None:
    load_book(tmp_path, upto="notes")
    batch, before = last(), facts()
    undo = ask(batch)
    for step, code in (
        (lambda: agree(undo, "maker"), "undo_own"),
        (lambda: import_undos.decline(undo_id=undo, answer="x", actor="maker", at=AT), "undo_own"),
        (lambda: ask(batch, "another"), "undo_asked"),
    ):
        with pytest.raises(DomainError) as refusal:
            step()
        assert refusal.value.code == code
    assert facts() == before
    import_undos.decline(undo_id=undo, answer="文件无误", actor="checker", at=AT)
    with pytest.raises(DomainError) as answered:
        agree(undo)
    assert answered.value.code == "undo_answered"
    assert facts() == before
    again = ask(batch)
    assert agree(again).state == "done"
    with pytest.raises(DomainError) as twice:
        ask(batch)
    assert twice.value.code == "undo_asked"


def test_the_database_itself_refuses_what_nobody_checked(tmp_path: Path) -> None:
    load_book(tmp_path, upto="notes")
    undo, before = ask(last()), facts()
    with pytest.raises(DatabaseError, match="asked for by one"), transaction.atomic():
        execute("SELECT loans_undo_import(%s)", undo)
    execute("SET LOCAL kernel.import_undo = 'on'")
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        execute("DELETE FROM loans_note")
    assert facts() == before


def test_another_institutions_file_is_out_of_reach(tmp_path: Path, as_role: Any) -> None:
    load_book(tmp_path, upto="contracts")
    nanjing, suzhou = (Institution.objects.get(code=code) for code in (NANJING, SUZHOU))
    take("notes", BOOK["notes"], tmp_path, scope=nanjing.scope)
    undo, before = ask(last()), facts()
    ImportUndo.objects.filter(pk=undo).update(state="working", checked_by="checker", checked_at=AT)
    with as_role("app", suzhou):
        assert ImportBatch.objects.count() == ImportUndo.objects.count() == 0
        with pytest.raises(DatabaseError, match="no such request"), transaction.atomic():
            execute("SELECT loans_undo_import(%s)", undo)
    assert facts() == before
    with as_role("app", nanjing):
        import_undos.take_back(undo_id=undo, at=AT)
    assert stored("notes", tmp_path) == []


def test_a_large_one_is_a_workers_and_a_refusal_there_is_told(
    tmp_path: Path, settings: Any
) -> None:
    settings.IMPORT_CELERY_ROWS = 1
    load_book(tmp_path, upto="notes")
    batch, before = last(), facts()
    ordered = agree(ask(batch))
    assert (ordered.state, facts()) == ("working", before)
    take("repayments", BOOK["repayments"], tmp_path)
    work_off(ordered)
    assert (ordered.state, ordered.removed) == ("failed", None)
    assert "还本 1" in ordered.error
    assert len(stored("notes", tmp_path)) == 2
    agree(ask(last()))
    ordered = agree(ask(batch))
    work_off(ordered)
    assert (ordered.state, ordered.removed, facts()) == ("done", 2, facts())
    assert stored("notes", tmp_path) == []


def work_off(row: ImportUndo) -> None:
    import_work.work_import(run_id=row.run_id, owner="test", clock=lambda: AT)
    row.refresh_from_db()
