"""What a clerk meets at the command line: every reason at once, roles, scopes, and plain refusals."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from config.kernel.models import Institution, User
from loans.models import Contract, ImportBatch, InterestCollection, Note, Repayment
from settlement.models import Deduction, SchemeVersion
from settlement.services.schemes import SHIPPED
from tests.integration.book import PORTFOLIO, import_folder, load_shipped, run

pytestmark = pytest.mark.django_db

NOTE = "C0001320100000,JJ72300000020"


@pytest.fixture
def book() -> None:
    load_shipped()
    import_folder(PORTFOLIO)


def command(*arguments: Any, **options: Any) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command(*map(str, arguments), stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def problems_of(kind: str, path: Path, text: str, **options: Any) -> list[str]:
    """What a file is refused for, line by line; nothing of it may have been kept."""
    path.write_text(text, encoding="utf-8")
    before = (ImportBatch.objects.count(), Repayment.objects.count(), Note.objects.count())
    err = io.StringIO()
    with pytest.raises(CommandError):
        call_command("import_data", kind, str(path), stderr=err, **options)
    after = (ImportBatch.objects.count(), Repayment.objects.count(), Note.objects.count())
    assert after == before
    return err.getvalue().splitlines()


def test_bad_cells_unknown_notes_and_broken_rules_are_told_at_once(
    book: None, tmp_path: Path
) -> None:
    known = Repayment.objects.select_related("note", "origin").order_by("pk")[0]
    key = f"{known.origin.code},{known.note.note_number}"
    lines = problems_of(
        "repayments",
        tmp_path / "r.csv",
        "institution_code,note_number,repaid_on,amount,reference\n"
        f"{NOTE},2026-13-01,1.00,N1\n"
        "C0001320100000,NO-SUCH-NOTE,2026-07-01,1.00,N2\n"
        f"{NOTE},2026-07-01,99999999999.00,N3\n"
        f"{key},2026-07-01,0.01,{known.reference}\n",
    )
    assert [line.split(":")[0] for line in lines] == [
        "row 2, column repaid_on (还本日期)",
        "row 3, column note_number (借据号)",
        "row 4, column amount (还本金额)",
        "row 5, column reference (流水号)",
    ]


def test_a_period_of_decades_is_refused_before_it_can_stop_runs(book: None, tmp_path: Path) -> None:
    head = "institution_code,note_number,period_start,period_end,interest_due,interest_paid,"
    (line,) = problems_of(
        "interest-collections",
        tmp_path / "c.csv",
        f"{head}collected_on,reference\n{NOTE},2026-03-21,2096-06-21,10.00,10.00,2026-06-21,X\n",
    )
    assert line.startswith("row 2, column period_end (计息止日)")
    assert not InterestCollection.objects.filter(reference="X").exists()


@pytest.mark.parametrize("rate", ["71234.5", "900000"])
def test_a_rate_with_a_lost_decimal_point_is_refused(book: None, tmp_path: Path, rate: str) -> None:
    lines = problems_of(
        "notes",
        tmp_path / "n.csv",
        "institution_code,note_number,contract_number,drawn_on,matures_on,principal,annual_rate,"
        "exchange_rate,scheme_codes\nC0001320100000,NEW,HT-723-000020,2026-06-01,2028-06-01,"
        f"20000000.00,3.00,{rate},central-equipment-2026\n",
    )
    assert [line.split(":")[0] for line in lines] == ["row 2, column exchange_rate (折算汇率)"]


def test_contract_numbers_are_opaque_text(book: None, tmp_path: Path) -> None:
    before = Contract.objects.get(contract_number="HT-723-000000")
    path = tmp_path / "contracts.csv"
    path.write_text(
        "institution_code,contract_number,uscc,signed_on,loan_type,amount,purpose_field\n"
        "C0001320100000,ＨＴ-723-000000,91320200MA1XC1LR11,2026-03-02,fixed_asset,1.00,工业母机\n",
        encoding="utf-8",
    )
    command("import_data", "contracts", path)
    assert Contract.objects.get(contract_number="ＨＴ-723-000000").amount_fen == 100
    after = Contract.objects.get(contract_number="HT-723-000000")
    assert (after.amount_fen, after.project_id) == (before.amount_fen, before.project_id)


@pytest.mark.parametrize("role", ["auditor", "finance_viewer", "checker"])
def test_who_only_reads_or_checks_brings_nothing_in(book: None, tmp_path: Path, role: str) -> None:
    bank = Institution.objects.get(code="C0001110000000")
    User.objects.create(username="reader", role=role, institution=bank)
    lines = problems_of("repayments", tmp_path / "r.csv", "whatever\n1\n", actor="reader")
    assert lines == []
    with pytest.raises(CommandError, match=role):
        command("run_deductions", "--actor", "reader")
    assert Deduction.objects.count() == 0


@pytest.mark.parametrize("name", ["load_schemes", "assess", "verify"])
def test_what_concerns_everybody_is_not_done_for_one_bank(book: None, name: str) -> None:
    before = SchemeVersion.objects.count()
    for options in (["--institution", "C0001110000000"], ["--actor", "nobody"]):
        with pytest.raises(CommandError):
            command(name, *options)
    assert SchemeVersion.objects.count() == before


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("a.toml", 'code = "a;b c"', "code"),
        ("a.toml", f'code = "{"x" * 300}"', "code"),
        ("b.toml", None, "UTF-8"),
    ],
)
def test_a_scheme_file_that_no_note_could_name_is_refused(
    tmp_path: Path, name: str, content: str | None, rule: str
) -> None:
    text = (SHIPPED / "central-sme-2026.toml").read_text(encoding="utf-8")
    path = tmp_path / name
    if content is None:
        path.write_bytes(text.encode("gb18030"))
    else:
        path.write_text(text.replace('code = "central-sme-2026"', content), encoding="utf-8")
    with pytest.raises(CommandError, match=rule):
        command("load_schemes", path)
    assert SchemeVersion.objects.count() == 0


def test_one_code_in_two_files_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="toml"):
        command("load_schemes", tmp_path)
    for name in ("a.toml", "b.toml"):
        text = (SHIPPED / "central-sme-2026.toml").read_text(encoding="utf-8")
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(CommandError, match="central-sme-2026"):
        command("load_schemes", tmp_path)
    assert SchemeVersion.objects.count() == 0


def test_a_folder_tells_what_it_leaves_out_and_refuses_two_of_a_kind(
    book: None, tmp_path: Path
) -> None:
    for name in ("LPR.csv", "repayment.csv"):
        (tmp_path / name).write_bytes((PORTFOLIO / "lpr.csv").read_bytes())
    out, err = command("import_portfolio", tmp_path)
    assert out.startswith("lpr: 9 行 rows")
    assert err.startswith("repayment.csv: ")
    (tmp_path / "lpr.xlsx").write_bytes(b"PK")
    with pytest.raises(CommandError, match=r"lpr.xlsx"):
        command("import_portfolio", tmp_path)


@pytest.mark.parametrize(
    "filters", [["--scheme", "typo"], ["--since", "2027-01-01", "--until", "2026-01-01"]]
)
def test_a_filter_that_can_match_nothing_writes_no_file(
    book: None, tmp_path: Path, filters: list[str]
) -> None:
    out = tmp_path / "deductions.csv"
    with pytest.raises(CommandError):
        command("export", "deductions", "--out", out, *filters)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(book: None, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(CommandError, match="cannot write"):
        command("export", "lpr", "--out", tmp_path / "file" / "x.csv")


def test_verify_names_a_posting_moved_to_another_scheme(
    book: None, transactional_db: None, owner_connection: Any
) -> None:
    run()
    with owner_connection.transaction():
        owner_connection.execute("ALTER TABLE settlement_deduction DISABLE TRIGGER USER")
        owner_connection.execute(
            "UPDATE settlement_deduction SET scheme_id = 999 "
            "WHERE id = (SELECT min(id) FROM settlement_deduction)"
        )
    err = io.StringIO()
    with pytest.raises(CommandError, match="disagreements"):
        call_command("verify", stderr=err)
    assert "unknown scheme, version or run" in err.getvalue()
    assert "scheme 999" in err.getvalue()
