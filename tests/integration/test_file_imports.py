"""A file through the preview: what is shown, what is confirmed, what is taken in, and by whom."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from config.kernel.models import SCOPE_ALL, Institution, Run
from config.kernel.services import store
from loans.files.kinds import KINDS
from loans.models import FileImport, ImportBatch
from loans.services import file_imports, import_work
from loans.services.controls import Controls
from loans.services.file_imports import Upload
from loans.values.errors import DomainError
from tests.integration.book import AT
from tests.integration.samples import (
    BANK,
    BOOK,
    FIRM,
    NANJING,
    SUZHOU,
    all_stored,
    changed,
    csv_bytes,
    labels,
    load_book,
    state,
    stored,
    take,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def place(settings: Any, tmp_path: Path) -> None:
    settings.REPORTS_DIR = tmp_path / "store"


def send(
    kind: str, data: bytes, folder: Path, *, rows: int, fen: int | None, **options: Any
) -> FileImport:
    """Upload bytes as a person of the whole installation, or of a bank (`of`)."""
    path = folder / "sent.csv"
    path.write_bytes(data)
    of: Institution | None = options.pop("of", None)
    return file_imports.receive(
        upload=Upload(path, options.pop("name", f"{kind}.csv"), kind, options.pop("encoding", "")),
        controls=Controls(rows, fen),
        institution_id=of and of.pk,
        scope=of.scope if of else SCOPE_ALL,
        actor=options.pop("actor", "maker"),
        at=AT,
    )


def send_rows(
    kind: str, rows: Sequence[Mapping[str, str]], folder: Path, fen: int | None, **options: Any
) -> FileImport:
    return send(kind, csv_bytes(rows), folder, rows=len(rows), fen=fen, **options)


def listed(sha256: str) -> list[dict[str, str]]:
    with store.opened(sha256) as source:
        return list(csv.DictReader(io.StringIO(source.read().decode("utf-8-sig"))))


def confirm(row: FileImport, actor: str = "maker") -> FileImport:
    return file_imports.confirm(import_id=row.pk, fingerprint=row.fingerprint, actor=actor, at=AT)


def facts() -> Any:
    return {name: rows for name, rows in state().items() if "fileimport" not in name}


def test_new_rows_are_shown_then_taken_in_as_shown(tmp_path: Path) -> None:
    load_book(tmp_path, upto="notes")
    before = facts()
    data = csv_bytes(BOOK["repayments"])

    row = send("repayments", data, tmp_path, rows=1, fen=10_000_000)

    assert facts() == before
    assert (row.state, row.rows, row.total_fen) == ("ready", 1, 10_000_000)
    assert (row.inserted, row.corrected, row.unchanged, row.refused) == (1, 0, 0, 0)
    assert (row.problem_count, row.difference_count, row.by_worker) == (0, 0, False)

    done = confirm(row)

    assert (done.state, done.told) == ("done", "")
    assert stored("repayments", tmp_path) == BOOK["repayments"]
    batch = ImportBatch.objects.latest("pk")
    assert done.batch_id == batch.pk
    assert (batch.kind, batch.file_name, batch.sha256, batch.rows, batch.actor) == (
        "repayments", "repayments.csv", row.sha256, 1, "maker",
    )  # fmt: skip
    with store.opened(row.sha256) as kept:
        assert kept.read() == data


def test_differences_are_told_field_by_field_and_can_all_be_downloaded(tmp_path: Path) -> None:
    load_book(tmp_path)
    before = facts()
    first, second = BOOK["notes"]
    rows = [
        changed(first, annual_rate="3.2000", scheme_codes=""),
        changed(second, principal="500000.00"),
    ]

    row = send_rows("notes", rows, tmp_path, 150_000_000)

    assert facts() == before
    assert (row.state, row.inserted, row.corrected, row.unchanged) == ("ready", 0, 1, 1)
    label = ";".join(("central-sme-2026", "jiangsu-manufacturing-2026"))
    expected = [
        [2, f"{NANJING} · JJ-1", "scheme_codes", "贴息政策", label, ""],
        [2, f"{NANJING} · JJ-1", "annual_rate", "年利率(%)", "3.1000", "3.2000"],
    ]
    assert row.shown_differences == expected
    assert [list(one.values()) for one in listed(row.differences_sha256)] == [
        [str(cell) for cell in one] for one in expected
    ]
    assert confirm(row).state == "done"
    assert stored("notes", tmp_path) == rows


def test_errors_are_told_by_row_and_column_and_nothing_can_be_confirmed(tmp_path: Path) -> None:
    load_book(tmp_path, upto="notes")
    before = facts()
    row_1 = BOOK["repayments"][0]
    rows = [
        changed(row_1, amount="1e5", reference="=1+1"),
        changed(row_1, note_number="JJ-9"),
        changed(row_1, reference="R-3"),
    ]
    row = send_rows("repayments", rows, tmp_path, 30_000_000)
    assert (row.state, row.rows, row.refused, row.inserted) == ("refused", 3, 2, 1)
    assert [problem[:4] for problem in row.shown_problems] == [
        [2, "amount", "还本金额", "1e5"],
        [3, "note_number", "借据号", "JJ-9"],
    ]
    assert [(one["行"], one["列"], one["值"]) for one in listed(row.problems_sha256)] == [
        ("2", "amount", "1e5"),
        ("3", "note_number", "JJ-9"),
    ]
    assert "请先导入借据" in listed(row.problems_sha256)[1]["说明"]
    with pytest.raises(DomainError) as refusal:
        confirm(row)
    assert refusal.value.code == "import_not_ready"
    assert facts() == before


@pytest.mark.parametrize(
    ("kind", "rows", "fen", "told"),
    [
        ("repayments", 2, 10_000_000, "您填写 2 行，文件有 1 行"),
        ("repayments", 1, 10_000_001, "您填写的还本金额合计为 100,000.01 元，文件合计为 100,000.00 元"),
        ("repayments", 1, None, "请填写金额合计（还本金额）"),
        ("note-statuses", 1, 5, "此类文件没有金额列"),
        ("interest-collections", 2, 1_263_000, "您填写的实收利息合计为 12,630.00 元，文件合计为 5,500.00 元"),
    ],
)  # fmt: skip
def test_control_totals_that_do_not_agree_are_refused_with_both_figures(
    kind: str, rows: int, fen: int | None, told: str, tmp_path: Path
) -> None:
    load_book(tmp_path, upto="notes")
    before = facts()
    row = send(kind, csv_bytes(BOOK[kind]), tmp_path, rows=rows, fen=fen)
    assert (row.state, row.problem_count) == ("refused", 1)
    assert told in row.shown_problems[0][4]
    with pytest.raises(DomainError):
        confirm(row)
    assert facts() == before


def test_every_kind_comes_in_through_the_preview(tmp_path: Path) -> None:
    labels()
    for kind, rows in BOOK.items():
        row = send_rows("", rows, tmp_path, total(kind), name=f"{kind}.csv")
        if row.state == "checking":
            assert kind == "note-transfers"
            work_off(row)
        assert (row.state, row.kind, row.inserted) == ("ready", kind, len(rows)), row.shown_problems
        confirmed = confirm(row)
        if confirmed.state == "importing":
            work_off(confirmed)
        assert confirmed.state == "done"
    assert all_stored(tmp_path) == BOOK


def work_off(row: FileImport) -> None:
    import_work.work_import(run_id=row.run_id, owner="test", clock=lambda: AT)
    row.refresh_from_db()


def test_the_webs_own_role_brings_each_kind_in(tmp_path: Path, as_role: Any) -> None:
    load_book(tmp_path, upto="enterprise-titles")
    with connection.cursor() as cursor:
        cursor.execute("DISCARD TEMP")
    bank = Institution.objects.get(code=BANK)
    banks_own = list(KINDS)[list(KINDS).index("projects") :]
    for kind in banks_own:
        of = None if kind in {"scheme-funds", "external-subsidies"} else bank
        with as_role("app", of, everything=of is None):
            row = send_rows(kind, BOOK[kind], tmp_path, total(kind), of=of)
        if kind in {"contracts", "note-transfers"}:
            assert (row.state, row.by_worker) == ("checking", True)
            work_off(row)
        assert (row.state, row.inserted) == ("ready", len(BOOK[kind])), row.shown_problems
        with as_role("app", of, everything=of is None):
            row = confirm(row)
        if row.by_worker:
            work_off(row)
        assert row.state == "done"
        with connection.cursor() as cursor:
            cursor.execute("DISCARD TEMP")  # another role's; a test is one transaction for all
    assert {k: r for k, r in all_stored(tmp_path).items() if k in banks_own} == {
        k: r for k, r in BOOK.items() if k in banks_own
    }


def test_rows_beyond_the_webs_sight_are_a_clash_and_no_fault(tmp_path: Path, as_role: Any) -> None:
    load_book(tmp_path, upto="note-transfers")
    nanjing = Institution.objects.get(code=NANJING)
    before = facts()
    with connection.cursor() as cursor:
        cursor.execute("DISCARD TEMP")
    with as_role("app", nanjing):
        row = send_rows("notes", [BOOK["notes"][1]], tmp_path, 50_000_000, of=nanjing)
        assert row.state == "refused"
        assert "与已存数据冲突（例如借据已划转到您范围以外的机构" in row.shown_problems[0][4]
    assert facts() == before


def total(kind: str) -> int | None:
    """The control total of the book's rows of a kind, in fen."""
    amounts = [c.key for c in KINDS[kind].columns if c.type == "amount"]
    name = "interest_paid" if kind == "interest-collections" else (amounts or [None])[0]
    return sum(int((r[name] or "0").replace(".", "")) for r in BOOK[kind]) if name else None


def test_institutions_show_their_differences_too(tmp_path: Path) -> None:
    load_book(tmp_path, upto="institutions")
    before = facts()
    rows = [*BOOK["institutions"][:-1], changed(BOOK["institutions"][-1], name="乙银行股份")]
    row = send_rows("institutions", rows, tmp_path, None)
    assert facts() == before
    assert (row.inserted, row.corrected, row.unchanged) == (0, 1, 3)
    assert row.shown_differences == [
        [5, "B0000000000002", "name", "机构名称", "乙银行", "乙银行股份"]
    ]
    assert confirm(row).state == "done"
    assert stored("institutions", tmp_path) == rows


def test_a_confirmation_covers_what_was_shown_and_nothing_else(tmp_path: Path) -> None:
    load_book(tmp_path)
    first = BOOK["notes"][0]
    row = send_rows("notes", [changed(first, annual_rate="3.2000")], tmp_path, 100_000_000)
    take("notes", [changed(first, annual_rate="3.3000")], tmp_path)
    before = facts()

    again = confirm(row)

    assert (again.state, again.batch_id) == ("ready", None)
    assert "预览之后数据库中的数据已变化" in again.told
    assert again.shown_differences[0][4:] == ["3.3000", "3.2000"]
    assert facts() == before
    with pytest.raises(DomainError) as stale:
        confirm(row)
    assert stale.value.code == "import_changed"
    assert facts() == before
    assert confirm(again).state == "done"
    assert stored("notes", tmp_path)[0]["annual_rate"] == "3.2000"


def test_a_file_that_the_database_refuses_by_now_is_shown_with_its_errors(tmp_path: Path) -> None:
    load_book(tmp_path, upto="notes")
    row = send_rows("repayments", BOOK["repayments"], tmp_path, 10_000_000)
    other = changed(BOOK["repayments"][0], reference="R-0", amount="950000.00")
    take("repayments", [other], tmp_path)
    before = facts()
    again = confirm(row)
    assert (again.state, again.problem_count) == ("refused", 1)
    assert "还本合计超过放款金额" in again.shown_problems[0][4]
    assert facts() == before


def test_confirmed_twice_it_is_imported_once(tmp_path: Path) -> None:
    load_book(tmp_path, upto="notes")
    row = send_rows("repayments", BOOK["repayments"], tmp_path, 10_000_000)
    confirm(row)
    before = facts()
    with pytest.raises(DomainError) as refusal:
        confirm(row)
    assert refusal.value.code == "import_taken"
    assert facts() == before


def test_bytes_that_are_lost_or_changed_are_never_taken_in(tmp_path: Path) -> None:
    load_book(tmp_path, upto="notes")
    row = send_rows("repayments", BOOK["repayments"], tmp_path, 10_000_000)
    before = facts()
    kept = store.place(row.sha256)
    kept.chmod(0o640)
    kept.write_bytes(kept.read_bytes().replace(b"R-1", b"R-2"))
    for _ in range(2):
        with pytest.raises(DomainError) as refusal:
            confirm(row)
        assert refusal.value.code == "file_lost"
        kept.unlink(missing_ok=True)
    row.refresh_from_db()
    assert (row.state, facts()) == ("ready", before)


def test_only_who_uploaded_a_file_goes_on_with_it(tmp_path: Path) -> None:
    load_book(tmp_path, upto="notes")
    row = send_rows("repayments", BOOK["repayments"], tmp_path, 10_000_000)
    before = facts()
    for step in (
        lambda: confirm(row, "another"),
        lambda: file_imports.drop(import_id=row.pk, actor="another", at=AT),
        lambda: file_imports.look_again(import_id=row.pk, actor="another", at=AT),
        lambda: file_imports.confirm_codes(import_id=row.pk, reason="x", actor="another", at=AT),
    ):
        with pytest.raises(DomainError) as refusal:
            step()
        assert refusal.value.code == "import_of_another"
    row.refresh_from_db()
    assert (row.state, facts() == before) == ("ready", True)
    file_imports.drop(import_id=row.pk, actor="maker", at=AT)
    with pytest.raises(DomainError):
        confirm(row)
    assert facts() == before


def test_nobody_brings_rows_of_another_institution(tmp_path: Path) -> None:
    load_book(tmp_path, upto="notes")
    suzhou = Institution.objects.get(code=SUZHOU)
    before = facts()
    row = send_rows("repayments", BOOK["repayments"], tmp_path, 10_000_000, of=suzhou)
    assert (row.state, row.institution_id) == ("refused", suzhou.pk)
    assert "不在您的机构范围内" in row.shown_problems[0][4]
    lpr = send_rows("lpr", BOOK["lpr"], tmp_path, None, of=suzhou)
    assert "只有管理员可以导入此类文件" in lpr.shown_problems[0][4]
    assert facts() == before


def test_a_kind_is_recognised_by_its_headers_or_asked_for(tmp_path: Path) -> None:
    load_book(tmp_path, upto="notes")
    zh = [c.header_zh for c in KINDS["repayments"].columns]
    data = csv_bytes(BOOK["repayments"], headers=zh)
    assert send("", data, tmp_path, rows=1, fen=10_000_000).kind == "repayments"
    row = send("", b"a,b\n1,2\n", tmp_path, rows=1, fen=None)
    assert (row.state, row.kind, row.rows) == ("refused", "", None)
    assert "表头不符合任何一类数据" in row.shown_problems[0][4]


def test_a_large_file_and_one_that_reaches_further_are_a_workers(
    tmp_path: Path, settings: Any
) -> None:
    load_book(tmp_path, upto="projects")
    bank = Institution.objects.get(code=BANK)
    row = send_rows("contracts", BOOK["contracts"], tmp_path, 700_000_000, of=bank)
    assert (row.state, row.by_worker) == ("checking", True)
    run = Run.objects.get(pk=row.run_id)
    assert (run.kind, run.scope_lo, run.scope_hi, run.actor) == ("import", *bank.scope, "maker")
    with pytest.raises(DomainError):
        confirm(row)
    work_off(row)
    assert (row.state, row.inserted) == ("ready", 2)
    confirmed = confirm(row)
    assert confirmed.state == "importing"
    with pytest.raises(DomainError) as refusal:
        confirm(row)
    assert refusal.value.code == "import_taken"
    work_off(confirmed)
    assert confirmed.state == "done"
    assert stored("contracts", tmp_path) == BOOK["contracts"]
    settings.IMPORT_CELERY_ROWS = 1
    assert send_rows("notes", BOOK["notes"], tmp_path, 150_000_000, of=bank).by_worker


def test_django_import_export_takes_whole_files_in(tmp_path: Path) -> None:
    from loans.resources import IntakeResource

    load_book(tmp_path, upto="notes")
    rows = [*BOOK["notes"], changed(BOOK["notes"][0], note_number="JJ-3")]
    rows[1] = changed(rows[1], annual_rate="4.0000")
    row = send_rows("notes", rows, tmp_path, 250_000_000)
    counts = {"new": 1, "update": 1, "delete": 0, "skip": 1, "error": 0, "invalid": 0}
    looked = IntakeResource().import_data(row, dry_run=True, actor="maker", at=AT)
    assert (looked.total_rows, dict(looked.totals)) == (3, counts)
    assert stored("notes", tmp_path) == BOOK["notes"]
    fingerprint = FileImport.objects.get().fingerprint
    done = IntakeResource().import_data(row, fingerprint=fingerprint, actor="maker", at=AT)
    assert (dict(done.totals), done.base_errors) == (counts, [])
    assert stored("notes", tmp_path) == [rows[0], rows[1], rows[2]]


def test_a_code_that_fails_its_check_digit_waits_for_two_people(tmp_path: Path) -> None:
    from loans.services import checking

    load_book(tmp_path, upto="participations")
    wrong = changed(BOOK["enterprises"][0], uscc=FIRM[:-1] + "2")
    row = send_rows("enterprises", [wrong], tmp_path, None)
    assert (row.state, row.failing_usccs) == ("refused", [FIRM[:-1] + "2"])
    file_imports.confirm_codes(import_id=row.pk, reason="查证无误", actor="maker", at=AT)
    again = file_imports.look_again(import_id=row.pk, actor="maker", at=AT)
    assert again.state == "refused"
    from loans.models import UsccConfirmation

    made = UsccConfirmation.objects.get()
    assert (made.made_by, made.checked_by, made.reason) == ("maker", None, "查证无误")
    checking.check_confirmation(confirmation_id=made.pk, actor="checker", at=AT)
    again = file_imports.look_again(import_id=row.pk, actor="maker", at=AT)
    assert (again.state, again.failing_usccs) == ("ready", [])
    assert confirm(again).state == "done"
