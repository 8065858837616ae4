"""The audit pack: everything in it can be added up again, and what was changed is told."""

from __future__ import annotations

import csv
import hashlib
import io
import subprocess
import sys
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.db.models import Sum

from config.kernel.models import Institution
from loans.values.errors import DomainError
from reports.definitions.audit_pack import SUMS
from reports.definitions.period import parse
from reports.definitions.sheet import Sheet
from reports.render import csv as render
from reports.services import build_audit_pack, formats, generation, steps
from reports.services.audit_pack import Filed, write_pack
from reports.services.catalogue import Asked
from settlement.models import Deduction, LedgerLine, SchemeVersion
from settlement.services.schemes import SHIPPED
from tests.integration.book import (
    AT,
    PORTFOLIO,
    exported,
    import_folder,
    load_shipped,
    read_csv,
    run,
)  # fmt: skip
from tests.integration.small_book import FIRST, NORTH, SECOND, SOUTH, SmallBook

pytestmark = pytest.mark.django_db


def asked(period: str, code: str = "", scheme: str | None = None) -> Asked:
    found = Institution.objects.filter(code=code).first() if code else None
    one = found or Institution.objects.order_by("id").first()
    return Asked(
        period=parse(period),
        institution_id=one.id,
        institution_code=code or "ALL",
        institution_name=one.name,
        scope=(one.id, one.last_id) if found else (0, 2**63 - 1),
        scheme_code=scheme,
    )


def unpacked(question: Asked, folder: Path) -> Path:
    path = folder / "pack.zip"
    build_audit_pack.write(question, path)
    with zipfile.ZipFile(path) as zipped:
        zipped.extractall(folder / "pack")
    path.unlink()
    return folder / "pack"


def check(pack: Path) -> tuple[int, str]:
    """What the program in the pack says, run as an auditor would, with nothing of ours."""
    done = subprocess.run(
        [sys.executable, "-I", str(pack / "check.py")],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def manifest(pack: Path) -> dict[str, dict[str, str]]:
    return {row["file"]: row for row in read_csv(pack / "manifest.csv")}


@pytest.fixture
def portfolio() -> None:
    load_shipped()
    import_folder(PORTFOLIO)
    run()


@pytest.fixture
def small(tmp_path: Path) -> SmallBook:
    """A note at each of two banks, 1,000 yuan each in February and in March."""
    (tmp_path / "files").mkdir()
    book = SmallBook(tmp_path / "files")
    book.scheme()
    for number, uscc, bank in (("A", FIRST, NORTH), ("B", SECOND, SOUTH)):
        book.lend(number, uscc, at=bank)
        for month in (2, 3):
            book.collect(number, month, at=bank)
    run()
    return book


def test_every_file_adds_up_to_the_manifest_and_the_database(
    portfolio: None, tmp_path: Path
) -> None:
    pack = unpacked(asked("2026"), tmp_path)
    listed = manifest(pack)
    files = {path.relative_to(pack).as_posix() for path in pack.rglob("*") if path.is_file()}
    assert files == {*listed, "manifest.csv"}
    for name, line in listed.items():
        content = (pack / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (
            int(line["bytes"]),
            line["sha256"],
        )
        rows = list(csv.DictReader(io.StringIO(content.decode()))) if line["rows"] else []
        assert len(rows) == int(line["rows"] or 0), name
        for column in SUMS:
            if line[column]:
                assert sum((Decimal(r[column] or 0) for r in rows), Decimal(0)) == Decimal(
                    line[column]
                )
    posted = Deduction.objects.filter(collected_on__year=2026)
    tiers = ("central", "provincial", "municipal")
    sums = posted.aggregate(**{tier: Sum(f"{tier}_fen") for tier in tiers})
    for tier in tiers:
        for name in ("deductions", "deduction-postings"):
            assert Decimal(listed[f"registers/{name}.csv"][tier]) * 100 == sums[tier] > 0
    turnover = LedgerLine.objects.aggregate(Sum("debit_fen"), Sum("credit_fen"))
    ledger = listed["registers/ledger.csv"]
    assert Decimal(ledger["debit"]) * 100 == turnover["debit_fen__sum"] > 0
    assert Decimal(ledger["credit"]) * 100 == turnover["credit_fen__sum"]
    assert int(listed["registers/interest-collections.csv"]["rows"]) == len(
        exported("interest-collections", tmp_path)
    )
    assert int(listed["subsidy-register.csv"]["rows"]) == int(
        listed["registers/deductions.csv"]["rows"]
    )
    assert {"registers/findings.csv", "registers/enrolments.csv", "registers/vouchers.csv",
            "registers/settlements.csv", "registers/clawbacks.csv",
            "registers/guarantee-subsidies.csv"} < files  # fmt: skip
    code, said = check(pack)
    assert code == 0, said
    assert said.splitlines()[0] == f"{len(listed)} 个文件全部相符 all files agree"


def test_the_ledger_of_the_period_is_what_the_deductions_add_up_to(
    portfolio: None, tmp_path: Path
) -> None:
    pack = unpacked(asked("2026-Q3"), tmp_path)
    lines = [
        row
        for row in read_csv(pack / "registers/ledger.csv")
        if row["account"] == "subsidy_applied"
        and row["event"] in ("deduction", "negative_difference")
        and row["month"] in ("2026-07", "2026-08", "2026-09")
    ]
    net = sum(Decimal(row["debit"]) - Decimal(row["credit"]) for row in lines)
    assert net == Decimal(manifest(pack)["registers/deductions.csv"]["total"]) > 0


def test_scheme_texts_are_what_was_loaded(portfolio: None, tmp_path: Path) -> None:
    pack = unpacked(asked("2026"), tmp_path)
    for path in SHIPPED.glob("*.toml"):
        assert (pack / "schemes" / f"{path.stem}-v1.toml").read_bytes() == path.read_bytes()
    digests = {line["sha256"] for name, line in manifest(pack).items() if name.endswith(".toml")}
    assert digests == set(SchemeVersion.objects.values_list("sha256", flat=True))


def tamper(pack: Path, name: str, old: str, new: str) -> None:
    path = pack / name
    text = path.read_text(encoding="utf-8")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_what_was_changed_is_told(small: SmallBook, tmp_path: Path) -> None:
    pack = unpacked(asked("2026"), tmp_path)
    assert check(pack)[0] == 0
    name = "registers/deductions.csv"
    tamper(pack, name, "1000.00,1000.00,0.00", "1000.00,1000.01,0.00")
    tamper(pack, "registers/enrolments.csv", "eligible", "waiting")
    (pack / "schemes" / "test-v1.toml").unlink()
    (pack / "registers" / "more.csv").write_text("", encoding="utf-8")
    code, said = check(pack)
    assert code == 1
    assert [line.split(":")[0] for line in said.splitlines()[:-1]] == [
        name, name, "registers/enrolments.csv", "schemes/test-v1.toml", "registers/more.csv",
    ]  # fmt: skip
    assert "municipal" not in said
    assert f"{name}: total 4000.01 ≠ 4000.00" in said
    assert "schemes/test-v1.toml: 缺失 missing" in said
    assert "registers/more.csv: 不在清单 not in the manifest" in said


def test_a_changed_manifest_has_another_digest_than_the_signed_paper(
    small: SmallBook, tmp_path: Path
) -> None:
    paper = build_audit_pack.build(asked("2026"))
    pack = unpacked(asked("2026"), tmp_path)
    digest = hashlib.sha256((pack / "manifest.csv").read_bytes()).hexdigest()
    assert digest in paper.footnotes[0]
    assert check(pack)[1].splitlines()[-1] == f"manifest.csv sha256 {digest}"
    tamper(pack, "manifest.csv", "说明", "说 明")
    assert digest not in check(pack)[1]


def test_one_cut_gives_the_same_bytes(small: SmallBook, tmp_path: Path) -> None:
    one, other = tmp_path / "first.zip", tmp_path / "second.zip"
    build_audit_pack.write(asked("2026"), one)
    build_audit_pack.write(asked("2026"), other)
    assert one.read_bytes() == other.read_bytes()
    with zipfile.ZipFile(one) as zipped:
        assert {info.date_time for info in zipped.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert zipped.namelist()[:2] == ["README.txt", "check.py"]
        assert zipped.namelist()[-1] == "manifest.csv"


def test_a_bank_finds_its_own_book_in_it_and_no_other(small: SmallBook, tmp_path: Path) -> None:
    head = Institution.objects.get(code=NORTH).parent.code
    pack = unpacked(asked("2026", head), tmp_path)
    listed = manifest(pack)
    assert Decimal(listed["registers/deductions.csv"]["municipal"]) == 2000
    for path in pack.rglob("*.csv"):
        assert SOUTH not in path.read_text(encoding="utf-8"), path
    assert [row["note_number"] for row in read_csv(pack / "registers/notes.csv")] == ["A"]
    paper = build_audit_pack.build(asked("2026", head))
    assert all(tie.holds for tie in paper.ties)


def test_a_month_has_its_deductions_and_the_whole_ledger(small: SmallBook, tmp_path: Path) -> None:
    listed = manifest(unpacked(asked("2026-03"), tmp_path))
    assert Decimal(listed["registers/deductions.csv"]["municipal"]) == 2000
    assert Decimal(listed["registers/deduction-postings.csv"]["total"]) == 2000
    assert listed["registers/ledger.csv"]["debit"] == "4000.00"


def test_filed_reports_are_in_it_and_the_pack_is_whole_or_not_there(
    small: SmallBook, tmp_path: Path
) -> None:
    path = tmp_path / "pack.zip"
    paper = Filed("reports/1-new-loans.pdf", "新发放贷款月报", lambda: io.BytesIO(b"%PDF"))
    pack = write_pack(asked=asked("2026"), path=path, lists={}, filed=[paper])
    entry = next(one for one in pack.entries if one.file == paper.name)
    assert (entry.bytes, entry.rows, entry.sha256) == (4, None, hashlib.sha256(b"%PDF").hexdigest())
    before = path.read_bytes()

    def lost() -> io.BytesIO:
        raise FileNotFoundError("reports/1-new-loans.pdf")

    broken = Filed(paper.name, paper.title, lost)
    with pytest.raises(FileNotFoundError):
        write_pack(asked=asked("2026"), path=path, lists={}, filed=[broken])
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir() if "part" in p.name] == []


def test_what_finance_has_is_packed_as_it_was_filed(
    small: SmallBook, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REPORTS_DIR = tmp_path / "store"
    monkeypatch.setitem(formats.WRITERS, "csv", lambda sheet, path, _: render.write(sheet, path))
    head = Institution.objects.get(code=NORTH).parent.code
    made = {
        period: generation.generate(
            code="duplicate-check", asked=asked(period, head), actor="maker", at=AT, checker="checker"
        ).report_id
        for period in ("2026-02", "2026-03", "2026-07")
    }  # fmt: skip
    steps.submit(report_id=made["2026-02"], actor="maker", at=AT)
    steps.submit(report_id=made["2026-07"], actor="maker", at=AT)
    pack = unpacked(asked("2026-Q1", head), tmp_path)
    name = f"duplicate-check_{head}_2026-02"
    found = {p.relative_to(pack / "reports").as_posix() for p in (pack / "reports").rglob("*.csv")}
    assert found == {
        f"{made['2026-02']}/{name}.{end}" for end in ("csv", "sides.csv", "by_rule.csv")
    }
    assert check(pack)[0] == 0
    other = Institution.objects.get(code=SOUTH).parent.code
    assert not [
        file
        for file in manifest(unpacked(asked("2026", other), tmp_path / "other"))
        if file.startswith("reports/")
    ]
    for path in settings.REPORTS_DIR.rglob("*"):
        if path.is_file():
            path.unlink()
    with pytest.raises(DomainError, match="duplicate-check") as lost:
        build_audit_pack.write(asked("2026-Q1", head), tmp_path / "lost.zip")
    assert lost.value.code == "file_missing"
    assert not (tmp_path / "lost.zip").exists()


def table(sheet: Sheet, key: str) -> pl.DataFrame:
    return pl.concat(next(t for t in sheet.tables if t.key == key).parts())


def test_the_sample_says_why_a_note_should_be_looked_at(small: SmallBook, tmp_path: Path) -> None:
    row = {"institution_code": NORTH, "note_number": "A", "status": "overdue"}
    small.enter("note-statuses", {**row, "starts_on": "2026-03-01", "ends_on": "2026-03-05"})
    run()
    paper = build_audit_pack.build(asked("2026"))
    assert table(paper, "sample").select("note_number", "score", "reasons", "granted_fen").rows() == [
        ("A", 4 + 3 + 2, "逾期、展期或不良；有追回；入账后更正", 160_000),
    ]  # fmt: skip
    found = dict(
        table(paper, "by_risk").filter(pl.col("notes") > 0).select("reason", "notes").rows()
    )
    assert found == {"逾期、展期或不良": 1, "有追回": 1, "入账后更正": 1}
