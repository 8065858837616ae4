"""A report's life: made once per content, checked by another, told once, corrected in the open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction

from config.kernel.models import Institution
from config.kernel.services import bulk, store
from loans.values.errors import DomainError
from reports.definitions.sheet import Column, Table, whole
from reports.models import Report, ReportFile
from reports.services import asking, generation, steps, storing
from reports.services.catalogue import Asked
from reports.services.generation import Generated
from reports.services.verification import Proved, verify_reports
from tests.integration import rows
from tests.integration.rows import NANJING
from tests.integration.small_report import CODE, Small, small

AT = datetime(2026, 4, 2, 9, 0, tzinfo=UTC)
STEM = f"{CODE}_{NANJING}_2026-03"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def place(settings: Any, tmp_path: Path) -> Path:
    settings.REPORTS_DIR = tmp_path / "store"
    return tmp_path / "store"


@pytest.fixture
def report() -> Iterator[Small]:
    with small() as one:
        yield one


@pytest.fixture
def bank() -> Institution:
    made = rows.institutions()[NANJING]
    rows.scheme_version()
    return made


def asked(period: str = "2026-03") -> Asked:
    return asking.read(code=CODE, period_code=period, institution_code=NANJING, scheme_code=None)


@pytest.fixture(autouse=True)
def no_terms(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scheme of the small book has no terms."""
    from settlement.services.schemes import Book

    monkeypatch.setattr(
        "reports.services.building.terms_in_force", lambda: Book((), {}, {}, "terms")
    )


def make(actor: str = "maker", days: int = 0, **more: Any) -> Generated:
    at = AT + timedelta(days=days)
    return generation.generate(code=CODE, asked=asked(), actor=actor, at=at, **more)


def tell(report_id: int) -> None:
    steps.check(report_id=report_id, actor="checker", at=AT)
    steps.submit(report_id=report_id, actor="maker", at=AT)


def states() -> list[tuple[int, str]]:
    return list(
        Report.objects.filter(period="2026-03").order_by("version").values_list("version", "state")
    )


def everything() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (Report, ReportFile)]


def read(file: ReportFile) -> bytes:
    with storing.opened(file=file) as source:
        return source.read()


def content(report_id: int) -> dict[str, bytes]:
    found = ReportFile.objects.filter(report_id=report_id).order_by("name")
    return {file.name: read(file) for file in found}


def test_a_report_is_made_with_its_files_totals_ties_and_cut(
    report: Small, bank: Institution, place: Path
) -> None:
    made = make()

    assert made.is_new
    row = Report.objects.get(pk=made.report_id)
    assert (row.institution, row.code, row.scheme_code, row.period, row.version, row.state) == (
        bank, CODE, "", "2026-03", 1, "generated",
    )  # fmt: skip
    assert (row.made_by, row.made_at, row.checked_by, row.corrects) == ("maker", AT, None, None)
    assert row.totals == [
        {
            "table": "明细",
            "column": "放款金额",
            "kind": "yuan",
            "file": f"{STEM}.csv",
            "key": "amount",
            "value": 350_050,
        }
    ]
    assert row.ties == [{"name": "放款合计 = 借据", "fen": 350_050}]
    assert (row.ledger_entry, row.ledger_entries, row.facts_position) == (0, 0, 0)
    assert content(row.pk) == {
        f"{STEM}.csv": b"number,note_number,amount\n1,JJ1,1000.00\n2,JJ2,2500.50\n",
        f"{STEM}.pdf": (
            "新发放贷款月报\n资金账截至第 0 号分录（共 0 笔，链值 "
            f"{row.ledger_chain[:16]}），数据截至第 0 号导入批次\n"
        ).encode(),
    }
    for file in row.files.all():
        stored = place / file.sha256[:2] / file.sha256
        assert (file.role, file.size) == ("report", stored.stat().st_size)
        assert stored.stat().st_mode & 0o777 == 0o440
    assert list(place.rglob("*.part")) == []


def test_the_cut_names_the_last_entry_and_batch(report: Small, bank: Institution) -> None:
    rows.whole_book(bank)
    entries = (
        connection.cursor()
        .execute("SELECT max(id), count(*) FROM settlement_ledgerentry")
        .fetchone()
    )

    row = Report.objects.get(pk=make().report_id)

    assert (row.ledger_entry, row.ledger_entries) == entries
    assert row.facts_position == _last_batch()
    assert len(row.ledger_chain) == 64


def _last_batch() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM loans_importbatch")
        return int(cursor.fetchone()[0])


def test_the_same_cut_gives_the_same_bytes_and_no_second_report(
    report: Small, bank: Institution
) -> None:
    first = make()
    before, said = everything(), content(first.report_id)

    again = make(actor="another", days=1)

    assert again == Generated(first.report_id, is_new=False)
    assert (everything(), content(first.report_id)) == (before, said)


def test_a_new_cut_that_says_the_same_makes_no_second_report(
    report: Small, bank: Institution
) -> None:
    first = make()
    rows.whole_book(bank)

    assert make(days=1) == Generated(first.report_id, is_new=False)
    assert states() == [(1, "generated")]


@pytest.mark.parametrize("checked", [False, True])
def test_what_nobody_was_told_is_superseded_by_what_is_right(
    report: Small, bank: Institution, checked: bool
) -> None:
    first = make()
    if checked:
        steps.check(report_id=first.report_id, actor="checker", at=AT)
    report.amounts["JJ3"] = 1

    second = make(days=1)

    assert second.is_new
    assert states() == [(1, "superseded"), (2, "generated")]
    row = Report.objects.get(pk=second.report_id)
    assert (row.corrects, [f.role for f in row.files.all()]) == (None, ["report", "report"])
    assert Report.objects.get(pk=first.report_id).superseded_at == AT + timedelta(days=1)
    assert content(first.report_id)[f"{STEM}.csv"].endswith(b"2,JJ2,2500.50\n")


def test_a_change_after_submission_is_a_correction_with_its_differences(
    report: Small, bank: Institution
) -> None:
    first = make()
    tell(first.report_id)
    said = content(first.report_id)
    report.amounts = {"JJ1": 100_001, "JJ3": 5}

    second = make(days=1)

    row = Report.objects.get(pk=second.report_id)
    assert (row.corrects_id, row.version) == (first.report_id, 2)
    assert states() == [(1, "submitted"), (2, "generated")]
    assert content(first.report_id) == said
    difference = content(second.report_id)
    assert sorted(difference) == [
        f"{STEM}.csv", f"{STEM}.pdf", f"{STEM}_difference.csv", f"{STEM}_difference.pdf",
        f"{STEM}_difference.rows.csv",
    ]  # fmt: skip
    assert difference[f"{STEM}_difference.csv"].decode() == (
        "table,column,before,after,difference\n明细,放款金额,3500.50,1000.06,-2500.44\n"
    )
    assert difference[f"{STEM}_difference.rows.csv"].decode() == (
        "table,row,change,column,before,after,difference\n"
        "明细,JJ1,变更,放款金额,1000.00,1000.01,0.01\n"
        "明细,JJ2,删除,放款金额,2500.50,,-2500.50\n"
        "明细,JJ3,新增,放款金额,,0.05,0.05\n"
    )
    assert [f.role for f in row.files.order_by("name")] == ["report"] * 2 + ["difference"] * 3


def test_columns_and_tables_that_are_no_more_are_told_as_taken_back(
    report: Small, bank: Institution
) -> None:
    """A tier nobody pays from any more has no column, and what it had was still submitted."""
    fees = Table(
        "fees", "担保费", (Column("note_number", "借据号", "text"), Column("fee_fen", "费用", "yuan", total=True)),
        whole(pl.DataFrame({"note_number": ["JJ1"], "fee_fen": [7]})),
    )  # fmt: skip
    report.more = (Column("municipal_fen", "市级", "yuan", total=True),)
    report.tables = (fees,)
    first = make()
    tell(first.report_id)
    report.more, report.tables = (), ()

    difference = content(make(days=1).report_id)

    assert difference[f"{STEM}_difference.csv"].decode() == (
        "table,column,before,after,difference\n明细,放款金额,3500.50,3500.50,0.00\n"
        "明细,市级,0.02,0.00,-0.02\n担保费,费用,0.07,0.00,-0.07\n"
    )
    assert difference[f"{STEM}_difference.rows.csv"].decode() == (
        "table,row,change,column,before,after,difference\n"
        "明细,JJ1,变更,市级,0.01,,-0.01\n明细,JJ2,变更,市级,0.01,,-0.01\n"
        "担保费,JJ1,删除,费用,0.07,,-0.07\n"
    )


@transaction.atomic
def superseded_alone(report_id: int) -> None:
    Report.objects.filter(pk=report_id).update(state="superseded", superseded_at=AT)
    bulk.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_correction_supersedes_what_it_corrects_once_it_is_submitted(
    report: Small, bank: Institution
) -> None:
    first = make()
    tell(first.report_id)
    steps.accept(report_id=first.report_id, actor="maker", at=AT, document_number=" 财审1号 ")
    assert Report.objects.get().document_number == "财审1号"
    report.amounts["JJ1"] = 1
    second = make(days=1)
    steps.check(report_id=second.report_id, actor="checker", at=AT)
    assert states() == [(1, "accepted"), (2, "checked")]
    with pytest.raises(DatabaseError, match="更正须一并报送"):
        superseded_alone(first.report_id)
    assert states() == [(1, "accepted"), (2, "checked")]

    steps.submit(report_id=second.report_id, actor="maker", at=AT)

    assert states() == [(1, "superseded"), (2, "submitted")]


def test_a_correction_that_became_needless_goes(report: Small, bank: Institution) -> None:
    first = make()
    tell(first.report_id)
    report.amounts["JJ1"] = 1
    make(days=1)
    report.amounts["JJ1"] = 100_000

    assert make(days=2) == Generated(first.report_id, is_new=False)
    assert states() == [(1, "submitted"), (2, "superseded")]


def test_what_finance_returned_is_made_anew_and_told_apart(
    report: Small, bank: Institution
) -> None:
    first = make()
    tell(first.report_id)
    steps.give_back(report_id=first.report_id, actor="maker", at=AT, why=" 缺少公章 ")
    assert Report.objects.get().returned_why == "缺少公章"

    second = make(days=1)

    assert second.is_new
    assert states() == [(1, "superseded"), (2, "generated")]
    row = Report.objects.get(pk=second.report_id)
    assert row.corrects_id == first.report_id
    assert [f.role for f in row.files.all()] == ["report", "report"]  # the same figures


def test_sums_that_do_not_tie_make_no_report(report: Small, bank: Institution, place: Path) -> None:
    report.ledger_fen = 350_049

    with pytest.raises(DomainError, match="勾稽不平，未生成报表：放款合计 = 借据：350050 ≠ 350049"):
        make()

    assert everything() == [[], []]
    assert not place.exists()


def refused(code: str, act: Any, **arguments: Any) -> None:
    before = everything()
    with pytest.raises(DomainError) as refusal:
        act(at=AT, **arguments)
    assert refusal.value.code == code
    assert everything() == before


def test_steps_out_of_order_and_own_work_are_refused(report: Small, bank: Institution) -> None:
    pk = make().report_id
    refused("own_work", steps.check, report_id=pk, actor="maker")
    refused("report_wrong_state", steps.submit, report_id=pk, actor="checker")
    refused("report_wrong_state", steps.accept, report_id=pk, actor="checker")
    refused("report_missing", steps.check, report_id=pk + 1, actor="checker")
    refused("reason_missing", steps.give_back, report_id=pk, actor="checker", why="  ")
    refused("text_unreadable", steps.give_back, report_id=pk, actor="checker", why="字" * 501)
    tell(pk)
    refused("report_wrong_state", steps.submit, report_id=pk, actor="maker")
    refused("report_wrong_state", steps.check, report_id=pk, actor="checker")
    refused("text_unreadable", steps.accept, report_id=pk, actor="a", document_number="\u202e")
    steps.accept(report_id=pk, actor="maker", at=AT)
    refused("report_wrong_state", steps.give_back, report_id=pk, actor="maker", why="晚了")
    assert states() == [(1, "accepted")]


def test_what_commands_made_is_checked_by_another_only(report: Small, bank: Institution) -> None:
    make(actor="system", checker="system-checker")
    assert Report.objects.get().checked_by == "system-checker"
    report.amounts["JJ1"] = 1
    make(actor="system", checker="system")
    assert states() == [(1, "superseded"), (2, "generated")]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ("content_sha256 = ''", ProgrammingError),
        ("totals = '[]'", ProgrammingError),
        ("ledger_entry = 9", ProgrammingError),
        ("state = 'submitted', checked_by = 'c', submitted_by = 's'", IntegrityError),
        ("state = 'accepted', answered_by = 'c'", IntegrityError),
        ("state = 'checked', checked_by = made_by", IntegrityError),
        ("state = 'checked'", IntegrityError),
        ("state = 'returned', answered_by = 'c'", IntegrityError),
        ("state = 'lost'", IntegrityError),
    ],
)
def test_the_database_itself_keeps_what_a_report_says_and_its_way(
    report: Small, bank: Institution, change: str, error: type[Exception]
) -> None:
    make()
    before = everything()
    with pytest.raises(error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE reports_report SET {change}")
    assert everything() == before


def test_a_step_once_taken_stays_and_what_was_told_is_not_hidden(
    report: Small, bank: Institution
) -> None:
    tell(make().report_id)
    before = everything()
    for change in ("checked_by = 'x', state = 'accepted', answered_by = 'y'", "state = 'superseded'",
                   "state = 'checked'"):  # fmt: skip
        with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic():
            connection.cursor().execute(f"UPDATE reports_report SET {change}")
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        connection.cursor().execute("DELETE FROM reports_report")
    assert everything() == before


def test_a_file_changed_or_lost_on_disk_is_told(
    report: Small, bank: Institution, tmp_path: Path
) -> None:
    pk = make().report_id
    file = ReportFile.objects.get(format="csv")
    stored = store.place(file.sha256)
    kept = stored.read_bytes()
    stored.chmod(0o640)
    stored.write_bytes(kept.replace(b"1000.00", b"1000.01"))

    for act in (
        lambda: storing.opened(file=file),
        lambda: storing.hand_out(report_id=pk, folder=tmp_path / "out"),
    ):
        with pytest.raises(DomainError) as refusal:
            act()
        assert refusal.value.code == "file_tampered"
        assert file.name in str(refusal.value)
    assert not (tmp_path / "out" / file.name).exists()

    stored.unlink()
    with pytest.raises(DomainError, match="文件库中缺少"):
        storing.opened(file=file)

    copy = tmp_path / "copy"
    copy.write_bytes(kept)
    assert store.keep(copy) == file.sha256  # from a backup
    assert read(file) == kept


def test_verify_reads_every_file_and_adds_every_total_up_again(
    report: Small, bank: Institution
) -> None:
    first = make()
    tell(first.report_id)
    report.amounts["JJ1"] = 1
    make(days=1)
    assert verify_reports() == Proved(reports=2, files=7, problems=())
    file = ReportFile.objects.get(report_id=first.report_id, format="csv")
    store.place(file.sha256).unlink()
    wrong = {"version": 3, "state": "generated", "period": "2026-02", "pk": None, "corrects": None}
    copied = Report(**{**Report.objects.filter(version=2).values().get(), "id": None})
    for name, value in wrong.items():
        setattr(copied, name, value)
    copied.totals[0]["value"] += 1
    copied.save(force_insert=True)
    kept = ReportFile.objects.filter(report__version=2, format="csv", role="report").get()
    copied.files.create(
        institution=bank, role="report", format="csv", name=kept.name, size=1, sha256=kept.sha256
    )

    found = verify_reports()

    assert (found.reports, found.files) == (3, 8)
    assert [text.partition(" / ")[0] for text in found.problems] == [
        f"报表 report #{first.report_id}: 文件库中缺少 {STEM}.csv（sha256 {file.sha256}），请从备份恢复",
        f"报表 report #{copied.pk}: {STEM}.csv 放款金额: 行合计 rows add up to 250051, "
        "登记 recorded 250052",
    ]
