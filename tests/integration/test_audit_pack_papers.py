"""Papers in the audit pack: every one listed, those of the sample packed, and each proved again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.kernel.models import SCOPE_ALL, Institution
from config.kernel.services import store
from loans.services import papers
from loans.services.papers import Stated
from loans.values.errors import DomainError
from reports.services import build_audit_pack
from tests.integration.book import AT, read_csv, run
from tests.integration.paper_book import give, name, paper_book
from tests.integration.paper_files import PDF, PNG, handed_in, sha256
from tests.integration.small_book import NORTH, SOUTH, SmallBook
from tests.integration.test_audit_pack import asked, check, manifest, tamper, unpacked

pytestmark = pytest.mark.django_db

HEAD = NORTH.replace("320100", "110000")
LETTER = b"%PDF-1.7 a letter"


@pytest.fixture
def book(settings: Any, tmp_path: Path) -> SmallBook:
    """Note A is in the sample, because it was overdue; C of the same bank is not."""
    settings.REPORTS_DIR = tmp_path / "store"
    small = paper_book(tmp_path / "files")
    small.note("C", contract="A")
    row = {"institution_code": NORTH, "note_number": "A", "status": "overdue"}
    small.enter("note-statuses", {**row, "starts_on": "2026-02-03", "ends_on": "2026-02-05"})
    run()
    give("A", Stated("use_of_funds"), handed_in(tmp_path, PNG, "跟踪.png"))
    wrong = give("A", Stated("invoice", "DA-1"), handed_in(tmp_path, PDF, "发票.pdf"))
    papers.withdraw(paper_id=wrong, why="不是本笔", scope=SCOPE_ALL, actor="zhang", at=AT)
    give("C", Stated("invoice"), handed_in(tmp_path, b"%PDF-1.7 of C", "c.pdf"))
    give("B", Stated("invoice"), handed_in(tmp_path, b"%PDF-1.7 of B", "b.pdf"))
    name("C", "other", "DA-9")
    papers.add_to_institution(
        institution_id=Institution.objects.get(code=HEAD).pk, scheme_code="test", actor="maker",
        stated=Stated("commitment_letter"), scope=SCOPE_ALL, at=AT,
        attachment=handed_in(tmp_path, LETTER, "承诺书.pdf"),
    )  # fmt: skip
    return small


def test_every_paper_is_listed_and_those_of_the_sample_are_packed(
    book: SmallBook, tmp_path: Path
) -> None:
    pack = unpacked(asked("2026", HEAD), tmp_path)
    names = ("note_number", "kind", "archive_number", "file_name", "bytes", "sha256",
             "made_by", "withdrawn_by", "withdrawn_why")  # fmt: skip
    listed = [
        tuple(row[name] for name in names)
        for row in read_csv(pack / "registers/paper-register.csv")
    ]
    of_c = b"%PDF-1.7 of C"
    assert listed == [
        ("A", "use_of_funds", "", "跟踪.png", "48", sha256(PNG), "maker", "", ""),
        ("A", "invoice", "DA-1", "发票.pdf", "189", sha256(PDF), "maker", "zhang", "不是本笔"),
        ("C", "invoice", "", "c.pdf", "13", sha256(of_c), "maker", "", ""),
        ("C", "other", "DA-9", "", "", "", "maker", "", ""),
        ("", "commitment_letter", "", "承诺书.pdf", "17", sha256(LETTER), "maker", "", ""),
    ]
    packed = {path.name: path.read_bytes() for path in (pack / "papers").iterdir()}
    assert packed == {
        f"{sha256(PNG)}.png": PNG, f"{sha256(PDF)}.pdf": PDF, f"{sha256(LETTER)}.pdf": LETTER,
    }  # fmt: skip
    for file, content in packed.items():
        line = manifest(pack)[f"papers/{file}"]
        assert (line["sha256"], line["title"]) == (sha256(content), "资料")
    missing = [
        (row["note_number"], row["missing"], row["held"])
        for row in read_csv(pack / "registers/missing-papers.csv")
    ]
    assert missing == [
        ("A", "borrower_undertaking", "use_of_funds"),
        ("C", "borrower_undertaking;use_of_funds", "invoice;other"),
    ]
    for path in pack.rglob("*.csv"):
        assert SOUTH not in path.read_text(encoding="utf-8"), path
    assert check(pack)[0] == 0


def test_a_paper_that_is_not_the_register_s_is_told(book: SmallBook, tmp_path: Path) -> None:
    pack = unpacked(asked("2026", HEAD), tmp_path)
    digest = sha256(PDF)
    paper = pack / "papers" / f"{digest}.pdf"
    paper.write_bytes(PDF + b"!")
    code, said = check(pack)
    assert code == 1
    assert f"papers/{digest}.pdf: 内容已被改动 sha256 differs" in said
    assert f"papers/{digest}.pdf: 与资料台账不符 not the paper of the register" in said
    paper.write_bytes(PDF)
    assert check(pack)[0] == 0
    tamper(pack, "registers/paper-register.csv", digest, "0" * 64)
    code, said = check(pack)
    assert code == 1
    assert f"papers/{digest}.pdf: 与资料台账不符 not the paper of the register" in said


def test_a_lost_paper_leaves_no_pack(book: SmallBook, tmp_path: Path) -> None:
    path = tmp_path / "pack.zip"
    store.place(sha256(PNG)).unlink()
    with pytest.raises(DomainError, match=r"文件库中缺少 跟踪\.png") as refusal:
        build_audit_pack.write(asked("2026", HEAD), path)
    assert refusal.value.code == "file_missing"
    assert not path.exists()
