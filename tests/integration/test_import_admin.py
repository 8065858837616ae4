"""The import pages, as the web's own database role: who sees and does what, and what is refused."""
# ruff: noqa: F811 (fixtures are imported by the name they are asked for by)

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from config.kernel.models import Institution, Role, Run
from loans.models import FileImport, ImportBatch, ImportUndo, Repayment
from tests.integration.samples import BANK, BOOK, NANJING, SUZHOU, changed, csv_bytes, load_book
from tests.integration.steps import address, faults, send, taken
from tests.integration.test_admin import person, web  # noqa: F401
from tests.integration.test_import_undos import facts as facts_in_scope

pytestmark = pytest.mark.django_db

PAGE, UNDO = "loans.fileimport", "loans.importundo"
ROWS = BOOK["repayments"]


@pytest.fixture
def banks(tmp_path: Path, settings: Any) -> dict[str, Institution]:
    settings.REPORTS_DIR = tmp_path / "store"
    load_book(tmp_path, upto="notes")
    with connection.cursor() as cursor:
        cursor.execute("DISCARD TEMP")  # the worker's; a test is one transaction for every role
    return {one.code: one for one in Institution.objects.all()}


def facts(*, uploads: bool = True) -> Any:
    """Everybody's rows, whoever has just been signed in."""
    scope = "SELECT set_config('app.lo', %s, true), set_config('app.hi', %s, true)"
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.lo', true), current_setting('app.hi', true)")
        before = cursor.fetchone()
        cursor.execute(scope, ["0", str(2**63 - 1)])
        found = facts_in_scope()
        cursor.execute(scope, [one or "" for one in before])
    quiet = {"django_session", "kernel_user", *([] if uploads else ["loans_fileimport"])}
    return {name: rows for name, rows in found.items() if name not in quiet}


def form(data: bytes = csv_bytes(ROWS), **changes: Any) -> dict[str, Any]:
    sent = SimpleUploadedFile("还本.csv", data)
    return {"kind": "", "file": sent, "rows": "1", "total": "100,000.00", "encoding": "", **changes}


def upload(client: Any, data: bytes = csv_bytes(ROWS), **changes: Any) -> FileImport:
    assert taken(send(client, PAGE, "import", **form(data, **changes)))
    return FileImport.objects.latest("pk")


def confirm(client: Any, row: FileImport, fingerprint: str | None = None) -> list[str]:
    """Confirm what is shown; returns what is told."""
    sent = {
        "import": row.pk,
        "fingerprint": row.fingerprint if fingerprint is None else fingerprint,
    }
    response = client.post(address(PAGE, "process_import"), sent, follow=True)
    assert response.status_code == 200
    return [str(message) for message in response.context["messages"]]


def text(client: Any, page: str, step: str, pk: Any) -> str:
    return client.get(address(page, step, pk)).content.decode()


def test_a_maker_uploads_confirms_and_two_take_it_back(banks: Any, web: Any) -> None:
    maker = web(person(Role.MAKER, banks[NANJING], "liu"))
    checker = web(person(Role.CHECKER, banks[NANJING], "wang"))
    row = upload(maker)
    assert (row.state, row.inserted, row.institution, row.made_by) == (
        "ready", 1, banks[NANJING], "liu",
    )  # fmt: skip
    page = text(maker, PAGE, "change", row.pk)
    assert 'id="confirm-form"' in page
    assert "100,000.00" in page
    assert 'id="confirm-form"' not in text(checker, PAGE, "change", row.pk)

    assert confirm(maker, row) == ["已导入：新增 1 行，更正 0 行，未变 0 行"]
    assert confirm(maker, row) == ["该文件已确认，不会重复导入"]
    batch = ImportBatch.objects.latest("pk")
    assert (batch.file_name, batch.actor, Repayment.objects.count()) == ("还本.csv", "liu", 1)

    assert taken(send(maker, "loans.importbatch", "undo", batch.pk, reason="重发"))
    undo = ImportUndo.objects.get()
    assert send(maker, UNDO, "agree", undo.pk, answer="").status_code == 403
    assert taken(send(checker, UNDO, "agree", undo.pk, answer="同意"))
    undo.refresh_from_db()
    assert (undo.state, undo.removed, Repayment.objects.count()) == ("done", 1, 0)
    assert "下载（1 行）" in text(checker, UNDO, "change", undo.pk)
    rows_back = checker.get(address(UNDO, "rows", undo.pk))
    assert b'""reference"": ""R-1""' in b"".join(rows_back)
    assert faults(send(checker, UNDO, "agree", undo.pk, answer="")) == {"": "该申请已有结论"}


def test_what_is_used_is_not_taken_back_and_the_page_says_by_what(banks: Any, web: Any) -> None:
    maker = web(person(Role.MAKER, banks[NANJING], "liu"))
    checker = web(person(Role.CHECKER, banks[NANJING], "wang"))
    confirm(maker, upload(maker))
    batch = ImportBatch.objects.latest("pk")
    assert taken(send(maker, "loans.importbatch", "undo", batch.pk, reason="重发"))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE worker")
        run = Run.objects.create(kind="deductions", actor="system", created_at=batch.at)
        cursor.execute("SET LOCAL ROLE app")
    before, undo = facts(), ImportUndo.objects.get()
    told = faults(send(checker, UNDO, "agree", undo.pk, answer=""))
    assert told == {"": f"已被使用，不能撤销（贴息计算 #{run.pk}）；请冲正，或导入更正文件"}
    undo.refresh_from_db()
    assert (undo.state, undo.checked_by, facts()) == ("asked", None, before)
    assert taken(send(checker, UNDO, "decline", undo.pk, answer="已用于计算"))
    undo.refresh_from_db()
    assert (undo.state, undo.answer, facts()) == ("declined", "已用于计算", before)
    why = f"已被使用，不能撤销（贴息计算 #{run.pk}）；请冲正，或导入更正文件"
    assert why in maker.get(address("loans.importbatch", "undo", batch.pk)).content.decode()
    once_more = send(maker, "loans.importbatch", "undo", batch.pk, reason="再试")
    assert faults(once_more) == {"": why}
    assert (ImportUndo.objects.count(), facts()) == (1, before)
    again = send(checker, UNDO, "decline", undo.pk, answer="")
    assert faults(again) == {"answer": "这个字段是必填项。"}


def test_errors_and_differences_are_shown_and_downloaded(banks: Any, web: Any) -> None:
    maker = web(person(Role.MAKER, banks[NANJING], "liu"))
    before = facts(uploads=False)
    row = upload(maker, csv_bytes([changed(ROWS[0], amount="-0.001")]), total="")
    assert (row.state, row.kind) == ("refused", "repayments")
    page = text(maker, PAGE, "change", row.pk)
    for told in ("有错误", "还本金额", "-0.001", "最多 2 位小数"):
        assert told in page
    address_of = f"/admin/loans/fileimport/{row.pk}/list/problems/"
    response = maker.get(address_of)
    assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response.headers["Content-Disposition"] == (
        f'attachment; filename="import-{row.pk}-problems.csv"'
    )
    downloaded = b"".join(response).decode("utf-8-sig")
    assert downloaded.splitlines()[0] == "行,列,表头,值,说明,in English"
    assert "2,amount,还本金额,-0.001," in downloaded
    assert maker.get(address_of.replace("problems", "differences")).status_code == 404
    assert maker.get(address_of.replace("problems", "secrets")).status_code == 404
    changes = upload(
        maker, csv_bytes([changed(BOOK["notes"][0], annual_rate="3.5000")]), total="1000000"
    )
    assert (changes.kind, changes.corrected) == ("notes", 1)
    page = text(maker, PAGE, "change", changes.pk)
    assert "3.1000" in page
    assert "3.5000" in page
    assert facts(uploads=False) == before


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"file": ""}, {"file": "这个字段是必填项。"}),
        ({"rows": "一"}, {"rows": "“一”：只接受 0-9 的数字"}),
        ({"rows": "-1"}, {"rows": "“-1”：须在 0 与 2,000,000 之间"}),
        ({"total": "1e5"}, {"total": "“1e5”：不接受科学计数法"}),
        ({"total": "1.005"}, {"total": "“1.005”：最多 2 位小数"}),
        ({"total": "", "kind": "notes"}, {"total": "请填写此类文件的金额合计"}),
        ({"total": "1", "kind": "note-statuses"}, {"total": "此类文件没有金额列，请不要填写"}),
    ],
)
def test_what_is_keyed_in_wrongly_is_refused_at_its_field(
    changes: dict[str, Any], told: dict[str, str], banks: Any, web: Any
) -> None:
    maker = web(person(Role.MAKER, banks[NANJING], "liu"))
    before = facts()
    assert faults(send(maker, PAGE, "import", **form(**changes))) == told
    kinds = faults(send(maker, PAGE, "import", **form(kind="lpr")))
    assert kinds.keys() == {"kind"}
    assert facts() == before


@pytest.mark.parametrize("role", [Role.CHECKER, Role.FINANCE_VIEWER, Role.AUDITOR])
def test_other_roles_only_look(role: Role, banks: Any, web: Any) -> None:
    row = upload(web(person(Role.MAKER, banks[NANJING], "liu")))
    other = web(person(role, banks[NANJING], "wang"))
    before = facts()
    sees = {Role.FINANCE_VIEWER: 403}.get(role, 200)
    assert other.get(address(PAGE, "changelist")).status_code == sees
    assert other.get(address(PAGE, "import")).status_code == 403
    assert send(other, PAGE, "import", **form()).status_code == 403
    sent = {"import": row.pk, "fingerprint": row.fingerprint}
    assert other.post(address(PAGE, "process_import"), sent).status_code == 403
    for step in ("again", "drop", "codes"):
        assert send(other, PAGE, step, row.pk, reason="x").status_code == 403
    assert send(other, "loans.importbatch", "undo", 1, reason="x").status_code in {403, 404}
    assert facts() == before


def test_nobody_reaches_another_institutions_file(banks: Any, web: Any) -> None:
    row = upload(web(person(Role.MAKER, banks[NANJING], "liu")))
    other = web(person(Role.MAKER, banks[SUZHOU], "zhou"))
    before, kept = facts(), facts(uploads=False)
    listed = other.get(address(PAGE, "changelist")).content.decode()
    assert "还本.csv" not in listed
    for name in ("file", "problems"):
        assert other.get(f"/admin/loans/fileimport/{row.pk}/list/{name}/").status_code == 404
    sent = {"import": row.pk, "fingerprint": row.fingerprint}
    assert other.post(address(PAGE, "process_import"), sent).status_code == 404
    assert send(other, PAGE, "drop", row.pk).status_code == 404
    assert facts() == before
    theirs = upload(other)
    assert theirs.state == "refused"
    assert "不在您的机构范围内" in theirs.shown_problems[0][4]
    assert facts(uploads=False) == kept


def test_a_colleague_sees_a_file_and_does_not_confirm_it(banks: Any, web: Any) -> None:
    row = upload(web(person(Role.MAKER, banks[NANJING], "liu")))
    manager = web(person(Role.MANAGER, banks[BANK], "zhao"))
    before = facts()
    assert 'id="confirm-form"' not in text(manager, PAGE, "change", row.pk)
    assert confirm(manager, row) == ["只有上传人可以继续处理此文件"]
    assert confirm(web(row_owner(row)), row, "0") == ["预览已更新，请核对后再确认"]
    assert facts() == before


def row_owner(row: FileImport) -> Any:
    from config.kernel.models import User

    return User.objects.get(username=row.made_by)


def test_what_a_worker_has_is_waited_for(
    banks: Any, web: Any, settings: Any, monkeypatch: Any
) -> None:
    settings.IMPORT_CELERY_ROWS = 0
    maker = web(person(Role.MAKER, banks[NANJING], "liu"))
    row = upload(maker)
    assert (row.state, row.by_worker) == ("checking", True)
    response = maker.get(address(PAGE, "change", row.pk))
    assert 'id="kernel-watch"' in response.content.decode()
    assert "等待后台处理" in response.content.decode()
    assert confirm(maker, row) == ["该文件现为“检查中”，不能进行此操作"]


def test_a_file_of_nonsense_is_refused_and_never_breaks_the_page(banks: Any, web: Any) -> None:
    maker = web(person(Role.MAKER, banks[NANJING], "liu"))
    before = facts(uploads=False)
    for data in (b"\x00\x01\x02", b"PK\x03\x04junk", b"a;b\n", b"\xff\xfe\x00", b"<html></html>"):
        row = upload(maker, data, kind="repayments")
        assert (row.state, row.rows) == ("refused", None)
        assert maker.get(address(PAGE, "change", row.pk)).status_code == 200
    assert facts(uploads=False) == before
