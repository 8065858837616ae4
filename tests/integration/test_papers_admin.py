"""Papers in the admin: added, seen, taken away as a download, withdrawn; each in one's own scope."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.kernel.models import SCOPE_ALL, Institution, Role
from loans.models import Paper, PaperWithdrawal
from loans.services import papers
from loans.services.papers import Stated
from settlement.admin.papers import PaperGapAdmin
from settlement.models import SchemeVersion
from settlement.services import plans
from tests import database
from tests.integration.book import AT, run
from tests.integration.paper_book import give, name, note, paper_book
from tests.integration.paper_files import PDF, handed_in, sha256
from tests.integration.samples import state
from tests.integration.small_book import NORTH, SOUTH, SmallBook
from tests.integration.steps import address, faults, send, taken
from tests.integration.test_admin import person, url, web  # noqa: F401

pytestmark = pytest.mark.django_db

PAGE = "loans.paper"


@pytest.fixture(autouse=True)
def kept(settings: Any, tmp_path: Path) -> Path:
    settings.REPORTS_DIR = tmp_path / "store"
    return tmp_path / "store"


@pytest.fixture
def book(tmp_path: Path) -> SmallBook:
    return paper_book(tmp_path / "files")


def at(code: str) -> Institution:
    return Institution.objects.get(code=code)


def upload(name: str = "承诺书.pdf", content: bytes = PDF) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="text/html")


def pk_of(number: str) -> int:
    """The note's key, whoever is signed in."""
    with database.as_role("worker"):
        return int(note(number).pk)


def whole() -> Any:
    with database.as_role("worker"):
        return state()


def shown(response: Any) -> str:
    """What a page says, without its marks."""
    text = re.sub(
        r"<(script|style)\b.*?</\1>|<[^>]+>", " ", response.content.decode(), flags=re.DOTALL
    )
    return re.sub(r"\s+", " ", unescape(text))


def attach(client: Client, number: str, **data: Any) -> Any:
    place = f"{address(PAGE, 'attach')}?note={pk_of(number)}"
    return client.post(place, {"kind": "borrower_undertaking", **data})


def test_a_maker_adds_a_file_and_reads_on_the_note_what_is_left(book: SmallBook, web: Any) -> None:
    client = web(person(Role.MAKER, at(NORTH)))
    page = url("loans.note", "change", pk_of("A"))
    before = shown(client.get(page))
    assert "试验 企业信用承诺书 缺少 请企业签承诺书 添加资料 (七)" in before
    assert "试验 合作银行承诺书 缺少 请登记承诺书 (五)" in before
    assert "购置发票" not in before
    response = attach(client, "A", file=upload(), dated_on="2026-01-06")
    assert taken(response)
    assert response.url == page
    with database.as_role("worker"):
        paper = Paper.objects.get()
    assert (paper.note_id, paper.kind, paper.file_name, paper.sha256, paper.size_bytes) == (
        pk_of("A"), "borrower_undertaking", "承诺书.pdf", sha256(PDF), len(PDF),
    )  # fmt: skip
    assert (paper.made_by, str(paper.dated_on)) == (f"maker-{at(NORTH).pk}", "2026-01-06")
    after = shown(client.get(page))
    assert f"试验 企业信用承诺书 已有 #{paper.pk}（maker-{at(NORTH).pk} " in after
    assert "） 承诺书.pdf (七)" in after
    assert "试验 资金用途跟踪记录 缺少 请登记跟踪记录 添加资料 (十二)" in after


def test_the_file_is_saved_never_shown(book: SmallBook, web: Any, tmp_path: Path) -> None:
    pk = give("A", Stated("use_of_funds"), handed_in(tmp_path))
    client = web(person(Role.AUDITOR, at(NORTH)))
    response = client.get(address(PAGE, "file", pk))
    assert b"".join(response) == PDF
    assert response.status_code == 200
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == (
        "attachment; filename*=utf-8''%E6%89%BF%E8%AF%BA%E4%B9%A6.pdf"
    )
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["Cache-Control"].startswith("private, no-store")


def test_a_changed_or_lost_file_is_not_handed_out(
    book: SmallBook, web: Any, tmp_path: Path, kept: Path
) -> None:
    pk = give("A", Stated("use_of_funds"), handed_in(tmp_path))
    (path,) = [path for path in kept.rglob("*") if path.is_file()]
    client = web(person(Role.AUDITOR, at(NORTH)))
    path.chmod(0o600)
    path.write_bytes(PDF + b"!")
    response = client.get(address(PAGE, "file", pk), follow=True)
    assert "已被改动，请从备份恢复" in shown(response)
    path.unlink()
    response = client.get(address(PAGE, "file", pk), follow=True)
    assert "文件库中缺少 承诺书.pdf" in shown(response)


@pytest.mark.parametrize(
    ("data", "field", "part"),
    [
        ({}, "file", "请上传文件，或填写档案号"),
        ({"file": upload("a.html")}, "file", "只接受内容与扩展名一致的"),
        ({"file": upload("a.pdf", b"<html>")}, "file", "只接受内容与扩展名一致的"),
        ({"file": upload("a.pdf", b"")}, "file", "文件是空的"),
        ({"file": upload("a.pdf", b"%PDF-" + bytes(20 << 20))}, "file", "超过 20 MB"),
        ({"file": upload("a" * 199 + ".pdf")}, "file", "超过 200 字"),
        ({"kind": "passport", "archive_number": "1"}, "kind", "passport"),
        ({"archive_number": "1", "dated_on": "2026-02-30"}, "dated_on", "2026-02-30"),
        ({"archive_number": "a\u202eb"}, "archive_number", "U+202E"),
        ({"archive_number": "DA-1"}, "archive_number", "该资料已登记"),
    ],
)
def test_a_refusal_is_told_at_its_field_and_changes_nothing(
    book: SmallBook, web: Any, kept: Path, data: dict[str, Any], field: str, part: str
) -> None:
    name("A", "borrower_undertaking", "DA-1")
    client = web(person(Role.MAKER, at(NORTH)))
    before = whole()
    for value in data.values():
        if isinstance(value, SimpleUploadedFile):
            value.seek(0)
    response = attach(client, "A", **data)
    assert part in faults(response)[field]
    assert whole() == before
    assert [path for path in kept.rglob("*") if path.is_file()] == []


def test_nobody_adds_to_a_note_of_another_institution(book: SmallBook, web: Any) -> None:
    client = web(person(Role.MAKER, at(NORTH)))
    other = pk_of("B")
    before = whole()
    data = {"kind": "invoice", "archive_number": "DA-1"}
    response = client.post(f"{address(PAGE, 'attach')}?note={other}", data)
    assert "note_number" in faults(response)
    for number, code in (("B", ""), ("B", SOUTH), ("A", SOUTH)):
        response = send(client, PAGE, "attach", **data, note_number=number, institution_code=code)
        assert faults(response) == {"note_number": "没有此借据，或不在您的机构范围内"}
    for bad in ("x", "-1", "9" * 30, "１"):
        response = client.post(f"{address(PAGE, 'attach')}?note={bad}", data)
        assert "note_number" in faults(response)
    assert whole() == before


@pytest.mark.parametrize("role", [Role.CHECKER, Role.FINANCE_VIEWER, Role.AUDITOR])
def test_who_only_looks_adds_and_withdraws_nothing(book: SmallBook, web: Any, role: Role) -> None:
    pk = name("A", "other", "DA-1")
    client = web(person(role, at(NORTH)))
    before = whole()
    for step, row in (("attach", None), ("attach_institution", None), ("withdraw", pk)):
        assert client.get(address(PAGE, step, row)).status_code == 403
        assert send(client, PAGE, step, row, why="错", kind="other").status_code == 403
    assert whole() == before
    assert "添加资料" not in shown(client.get(url("loans.note", "change", pk_of("A"))))


def test_papers_of_others_are_not_found(book: SmallBook, web: Any, tmp_path: Path) -> None:
    pk = give("B", Stated("use_of_funds"), handed_in(tmp_path))
    client = web(person(Role.MANAGER, at(NORTH)))
    before = whole()
    assert client.get(address(PAGE, "file", pk)).status_code == 404
    assert client.get(address(PAGE, "withdraw", pk)).status_code == 404
    assert send(client, PAGE, "withdraw", pk, why="错").status_code == 404
    assert "DA" not in shown(client.get(url(PAGE)))
    assert whole() == before


def test_a_paper_is_withdrawn_with_a_reason_once(book: SmallBook, web: Any) -> None:
    pk = name("A", "use_of_funds", "DA-1")
    client = web(person(Role.MAKER, at(NORTH)))
    before = whole()
    assert faults(send(client, PAGE, "withdraw", pk, why="")) == {"why": "这个字段是必填项。"}
    assert whole() == before
    assert taken(send(client, PAGE, "withdraw", pk, why="盖章不清"))
    with database.as_role("worker"):
        assert PaperWithdrawal.objects.get().why == "盖章不清"
    page = client.get(url(PAGE, "change", pk))
    assert "撤回资料" not in shown(page)
    assert f"maker-{at(NORTH).pk}：盖章不清" in shown(page)
    before = whole()
    assert faults(send(client, PAGE, "withdraw", pk, why="再撤")) == {"": "该资料已撤回"}
    assert whole() == before


def test_a_letter_of_the_head_office_is_seen_in_the_branch_and_stays(
    book: SmallBook, web: Any
) -> None:
    head = at(NORTH).parent
    assert head is not None
    client = web(person(Role.MAKER, head))
    sent = {"institution_id": head.pk, "scheme_code": "test", "kind": "commitment_letter"}
    assert taken(send(client, PAGE, "attach_institution", **sent, archive_number="函-1"))
    with database.as_role("worker"):
        pk = Paper.objects.get(note=None).pk
    branch = web(person(Role.MAKER, at(NORTH)))
    assert "试验 合作银行承诺书 已有 函-1" in shown(
        branch.get(url("loans.note", "change", pk_of("A")))
    )
    assert "撤回资料" not in shown(branch.get(url(PAGE, "change", pk)))
    before = whole()
    assert faults(send(branch, PAGE, "withdraw", pk, why="错")) == {
        "": "没有此资料，或不在您的机构范围内"
    }
    assert faults(
        send(branch, PAGE, "attach_institution", **sent, archive_number="函-2")
    ).keys() == {"institution_id"}
    assert whole() == before


def test_what_is_missing_is_listed_by_scheme_and_kind(book: SmallBook, web: Any) -> None:
    name("A", "use_of_funds", "DA-1")
    client = web(person(Role.MAKER, at(NORTH)))
    page = client.get(url("settlement.papergap"))
    assert [row.note.note_number for row in page.context["cl"].result_list] == ["A"]
    text = shown(page)
    assert "A 甲银行支行 试验 添加资料 企业信用承诺书 资金用途跟踪记录" in text
    link = (
        f"{reverse('admin:loans_paper_attach')}?note={note('A').pk}&amp;kind=borrower_undertaking"
    )
    assert link in page.content.decode()
    for query, count in (
        ({"scheme": "test"}, 1), ({"scheme": "none"}, 0), ({"missing": "borrower_undertaking"}, 1),
        ({"missing": "use_of_funds"}, 0), ({"q": "A"}, 1), ({"q": "B"}, 0),
    ):  # fmt: skip
        found = client.get(url("settlement.papergap", **query)).context["cl"].result_list
        assert len(found) == count, query
    auditor = web(person(Role.AUDITOR, at(NORTH)))
    assert "添加资料" not in shown(auditor.get(url("settlement.papergap")))


def test_the_list_says_which_bank_lacks_its_letter(book: SmallBook, web: Any) -> None:
    head = at(NORTH).parent
    assert head is not None
    client = web(person(Role.MANAGER, head))
    assert "甲银行缺少合作银行承诺书：试验" in shown(client.get(url("settlement.papergap")))
    papers.add_to_institution(
        institution_id=head.pk, scheme_code="", stated=Stated("commitment_letter", "函-1"),
        attachment=None, scope=SCOPE_ALL, actor="maker", at=AT,
    )  # fmt: skip
    assert "缺少合作银行承诺书" not in shown(client.get(url("settlement.papergap")))


def test_plans_and_texts_say_it_in_words(book: SmallBook, web: Any) -> None:
    book.collect("A", 3, at=NORTH, paid="")
    (plan_id,) = plans.make_plans(through=AT.date(), actor="maker", at=AT)
    head = at(NORTH).parent
    client = web(person(Role.CHECKER, head))
    listed = shown(client.get(url("settlement.planexception")))
    assert "资料不全（照常代付） 企业信用承诺书、资金用途跟踪记录" in listed
    plan = shown(client.get(url("settlement.plan", "change", plan_id)))
    assert "机构缺少的资料" in plan
    assert "试验 甲银行 合作银行承诺书 请登记承诺书 (五)" in plan
    version = shown(
        client.get(url("settlement.schemeversion", "change", SchemeVersion.objects.get().pk))
    )
    assert "购置发票 每笔借据 是 提示 请登记发票 (十二)" in version


def test_lists_take_as_many_queries_for_many_rows_as_for_one(
    book: SmallBook, web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked() -> list[int]:
        counts = []
        for page in (url("settlement.papergap"), url(PAGE)):
            with CaptureQueriesContext(connection) as queries:
                client.get(page)
            counts.append(len(queries))
        return counts

    name("A", "other", "DA-1")
    client = web(person(Role.MAKER, at(NORTH)))
    client.get(url(PAGE))
    before = asked()
    with database.as_role("worker"):
        for number in ("A2", "A3", "A4"):
            book.note(number, contract="A")
        run()
        for number in ("A2", "A3", "A4"):
            name(number, "other", "DA-1")
    assert asked() == before
    assert len(client.get(url("settlement.papergap")).context["cl"].result_list) == 4
    monkeypatch.setattr(PaperGapAdmin, "list_per_page", 3)
    pages = [client.get(url("settlement.papergap", p=page)).context["cl"] for page in (1, 2)]
    assert [[row.note.note_number for row in page.result_list] for page in pages] == [
        ["A", "A2", "A3"], ["A4"],
    ]  # fmt: skip
    assert {page.result_count for page in pages} == {4}
