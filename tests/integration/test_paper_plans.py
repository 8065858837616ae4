"""Papers of institutions, in plans and in files: letters, exceptions, archive numbers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from django.db import ProgrammingError

from config.kernel.models import SCOPE_ALL, Institution
from config.kernel.services import store
from loans.models import Paper, PaperWithdrawal
from loans.services import papers
from loans.services.papers import Stated
from loans.values.errors import DomainError
from reports.services.verification import verify_papers
from settlement.models import Plan, PlanException
from settlement.selectors import papers as selected
from settlement.services import plans
from tests.integration.book import AT, import_rows, load_shipped
from tests.integration.paper_book import ASKS, gaps, give, name, note, paper_book
from tests.integration.paper_files import PDF, PNG, handed_in, sha256
from tests.integration.samples import refused, state
from tests.integration.small_book import NORTH, SOUTH, SmallBook

pytestmark = pytest.mark.django_db

AsRole = Callable[..., AbstractContextManager[None]]


@pytest.fixture(autouse=True)
def kept(settings: Any, tmp_path: Path) -> Path:
    settings.REPORTS_DIR = tmp_path / "store"
    return tmp_path / "store"


@pytest.fixture
def book(tmp_path: Path) -> SmallBook:
    return paper_book(tmp_path / "files")


def letter(code: str, **changes: Any) -> int:
    place = Institution.objects.get(code=code)
    said: dict[str, Any] = {
        "institution_id": place.pk, "scheme_code": "test", "attachment": None, "scope": SCOPE_ALL,
        "stated": Stated("commitment_letter", f"函-{code}"), "actor": "maker", "at": AT,
    }  # fmt: skip
    return papers.add_to_institution(**said | changes)


def lacking(scope: tuple[int, int] = SCOPE_ALL) -> list[str]:
    return [gap.institution_name for gap in selected.institution_gaps(scope=scope)]


def test_a_letter_serves_the_institution_and_all_below(book: SmallBook, as_role: AsRole) -> None:
    head, branch = NORTH.replace("320100", "110000"), Institution.objects.get(code=NORTH)
    assert lacking() == ["甲银行", "乙银行"]
    pk = letter(head)
    assert lacking() == ["乙银行"]
    with as_role("app", branch):
        assert [(one.id, one.is_own) for one in selected.held_by_note(note_id=note("A").pk)] == [
            (pk, False)
        ]
        assert Paper.objects.get().pk == pk
    with as_role("app", Institution.objects.get(code=SOUTH)):
        assert Paper.objects.count() == 0
    before = state()
    with pytest.raises(DomainError) as refusal, as_role("app", branch):
        papers.withdraw(paper_id=pk, why="错", scope=branch.scope, actor="zhang", at=AT)
    assert refusal.value.code == "paper_unknown"
    with pytest.raises(ProgrammingError, match="row-level security"), as_role("app", branch):
        PaperWithdrawal.objects.create(
            institution=branch.parent, paper_id=pk, why="错", made_by="zhang", made_at=AT
        )
    assert state() == before
    papers.withdraw(paper_id=pk, why="已过期", scope=SCOPE_ALL, actor="zhang", at=AT)
    assert lacking() == ["甲银行", "乙银行"]


def test_letters_of_no_scheme_institution_or_scope_are_refused(book: SmallBook) -> None:
    north = Institution.objects.get(code=NORTH)
    letter(NORTH)
    before = state()
    for changes, code in (
        ({"scheme_code": "none"}, "scheme_unknown"),
        ({"institution_id": 10**15}, "institution_unknown"),
        ({"institution_id": north.parent_id, "scope": north.scope}, "institution_unknown"),
        ({}, "paper_known"),
    ):
        with pytest.raises(DomainError) as refusal:
            letter(NORTH, **changes)
        assert refusal.value.code == code
    assert state() == before


# Plans


def planned(book: SmallBook, missing: str = "") -> int:
    """A draft of the interest of both notes in March, and money for it."""
    if missing:
        book.scheme(more=ASKS.format(missing=missing))
    for number, bank in (("A", NORTH), ("B", SOUTH)):
        book.collect(number, 3, at=bank, paid="")
    made = plans.make_plans(through=AT.date(), actor="maker", at=AT)
    return made[0]


def exceptions() -> list[tuple[str, str, str, str]]:
    found = PlanException.objects.order_by("note__note_number").select_related("note")
    return [(one.note.note_number, one.scheme_code, one.reason, one.detail) for one in found]


def test_what_is_missing_is_an_exception_of_the_plan_and_is_served_all_the_same(
    book: SmallBook,
) -> None:
    name("A", "use_of_funds", "DA-1")
    plan_id = planned(book)
    assert exceptions() == [
        ("A", "test", "papers", "borrower_undertaking"),
        ("B", "test", "papers", "borrower_undertaking;use_of_funds"),
    ]
    assert list(Plan.objects.values_list("planned_fen", flat=True)) == [100_000, 100_000]
    assert selected.blocking(plan_id=plan_id, limit=5) == []
    plans.check_plan(plan_id=plan_id, actor="checker", at=AT)
    assert Plan.objects.get(pk=plan_id).state == "checked"
    assert book.net() == {"A-2": 1000, "B-2": 1000}


def test_complete_papers_are_no_exception(book: SmallBook) -> None:
    for kind in ("borrower_undertaking", "use_of_funds"):
        name("A", kind, f"DA-{kind}")
    planned(book)
    assert [one[0] for one in exceptions()] == ["B"]


def test_a_scheme_may_say_that_nothing_is_checked_without_a_paper(book: SmallBook) -> None:
    plan_id = planned(book, 'missing = "block"')
    before = state()
    with pytest.raises(DomainError, match="：A 企业信用承诺书；请补齐资料") as refusal:
        plans.check_plan(plan_id=plan_id, actor="checker", at=AT)
    assert refusal.value.code == "papers_missing"
    assert state() == before
    name("A", "borrower_undertaking", "DA-1")
    plans.check_plan(plan_id=plan_id, actor="checker", at=AT)
    assert Plan.objects.get(pk=plan_id).state == "checked"


# Files of archive numbers


def test_archive_numbers_come_by_file_with_who_brought_them(book: SmallBook) -> None:
    row = {
        "institution_code": NORTH, "note_number": "A", "kind": "企业信用承诺书",
        "archive_number": "DA-1", "dated_on": "2026-01-06", "sha256": "AB" * 32,
    }  # fmt: skip
    head = {
        "institution_code": NORTH.replace("320100", "110000"), "scheme_code": "test",
        "kind": "commitment_letter", "archive_number": "函-1",
    }  # fmt: skip
    done = import_rows("papers", [row, head], book.folder)
    assert (done.rows, done.inserted, done.unchanged) == (2, 2, 0)
    paper = Paper.objects.get(archive_number="DA-1")
    assert (paper.kind, paper.sha256, paper.size_bytes) == ("borrower_undertaking", "ab" * 32, None)
    assert (paper.made_by, paper.made_at, paper.batch_id is not None) == ("system", AT, True)
    assert gaps()["A"] == ["use_of_funds"]
    assert lacking() == ["乙银行"]
    assert import_rows("papers", [row, head], book.folder).unchanged == 2
    papers.withdraw(paper_id=paper.pk, why="错", scope=SCOPE_ALL, actor="maker", at=AT)
    assert gaps()["A"] == ["borrower_undertaking", "use_of_funds"]
    assert import_rows("papers", [row], book.folder).inserted == 1
    assert gaps()["A"] == ["use_of_funds"]


def test_rows_that_say_it_wrong_are_refused(book: SmallBook) -> None:
    row = {
        "institution_code": NORTH, "note_number": "A", "scheme_code": "", "kind": "invoice",
        "archive_number": "DA-1", "sha256": "",
    }  # fmt: skip
    for cells, column, part in (
        ({"note_number": "C"}, "note_number", "该机构没有此借据号"),
        ({"scheme_code": "test"}, "scheme_code", "借据的资料不分政策"),
        ({"kind": "passport"}, "kind", "passport"),
        ({"archive_number": ""}, "archive_number", "必填"),
        ({"sha256": "0123"}, "sha256", "64 位十六进制"),
        ({"note_number": "", "scheme_code": "none"}, "scheme_code", "未登记的贴息政策代码"),
    ):
        (problem,) = refused("papers", [row | cells], book.folder)
        assert problem.startswith(f"row 2, column {column}"), problem
        assert part in problem
    scope = Institution.objects.get(code=SOUTH).scope
    (problem,) = refused("papers", [row], book.folder, scope=scope)
    assert "不在您的机构范围内" in problem


def test_the_shipped_schemes_store_what_they_ask_for() -> None:
    load_shipped()
    found = [
        (one.scheme_code, one.kind, one.per, one.article)
        for one in selected.asked()
        if one.scheme_code == "jiangsu-manufacturing-2026"
    ]
    assert found == [
        ("jiangsu-manufacturing-2026", kind, per, article)
        for kind, per, article in (
            ("commitment_letter", "institution", "(五)"), ("borrower_undertaking", "note", "(七)"),
            ("supplementary_agreement", "note", "(七)"), ("invoice", "note", "(十二)"),
            ("payment_proof", "note", "(十二)"), ("use_of_funds", "note", "(十二)"),
        )
    ]  # fmt: skip


def test_verify_reads_every_paper_again(book: SmallBook, tmp_path: Path) -> None:
    assert verify_papers() == (0, [])
    first = give("A", Stated("invoice"), handed_in(tmp_path))
    second = give("B", Stated("invoice"), handed_in(tmp_path, PNG, "b.png"))
    name("A", "other", "DA-1")
    papers.withdraw(paper_id=second, why="错", scope=SCOPE_ALL, actor="maker", at=AT)
    assert verify_papers() == (2, [])
    store.place(sha256(PDF)).unlink()
    store.place(sha256(PNG)).chmod(0o600)
    store.place(sha256(PNG)).write_bytes(PNG + b"!")
    count, problems = verify_papers()
    assert count == 2
    assert len(problems) == 2
    assert problems[0].startswith(f"资料 paper #{first}: 文件库中缺少 承诺书.pdf")
    assert problems[1].startswith(f"资料 paper #{second}: 文件 b.png 与登记的 sha256")
