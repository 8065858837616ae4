"""Papers: attached or named, once each, never changed; what is missing is told and changes no amount."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import ProgrammingError

from config.kernel.models import SCOPE_ALL, Institution
from config.kernel.services import bulk, store
from loans.models import Paper, PaperShelf, PaperWithdrawal
from loans.services import papers
from loans.services.papers import Stated
from loans.values.errors import DomainError
from loans.values.papers import PAPER_BYTES_MAX, PAPER_KINDS, kind_bit, kinds_of
from settlement.models import PaperRule
from tests.integration.book import AT, run
from tests.integration.paper_book import ASKS, UNDERTAKING, gaps, give, name, note, paper_book
from tests.integration.paper_files import PDF, PNG, handed_in, ofd, sha256
from tests.integration.samples import state
from tests.integration.small_book import NORTH, SmallBook

pytestmark = pytest.mark.django_db

AsRole = Callable[..., AbstractContextManager[None]]


@pytest.fixture(autouse=True)
def kept(settings: Any, tmp_path: Path) -> Path:
    settings.REPORTS_DIR = tmp_path / "store"
    return tmp_path / "store"


@pytest.fixture
def book(tmp_path: Path) -> SmallBook:
    return paper_book(tmp_path / "files")


def held() -> dict[str, list[str]]:
    shelves = PaperShelf.objects.select_related("note")
    return {one.note.note_number: kinds_of(one.held) for one in shelves}


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_file_is_kept_by_its_content_with_who_and_when(
    book: SmallBook, tmp_path: Path, kept: Path
) -> None:
    pk = give("A", replace(UNDERTAKING, archive_number="DA-1"), handed_in(tmp_path))
    paper = Paper.objects.get(pk=pk)
    assert (paper.note, paper.institution, paper.scheme_code) == (
        note("A"), Institution.objects.get(code=NORTH), "",
    )  # fmt: skip
    assert (paper.kind, paper.archive_number) == ("borrower_undertaking", "DA-1")
    assert (paper.file_name, paper.size_bytes, paper.sha256) == (
        "承诺书.pdf", len(PDF), sha256(PDF),
    )  # fmt: skip
    assert (paper.made_by, paper.made_at, paper.batch_id) == ("maker", AT, None)
    assert files(kept) == [sha256(PDF)]
    with store.opened(sha256(PDF)) as source:
        assert source.read() == PDF


def test_an_archive_number_alone_is_enough(book: SmallBook, kept: Path) -> None:
    paper = Paper.objects.get(pk=name("A", "use_of_funds", "DA-7"))
    assert (paper.size_bytes, paper.file_name, paper.sha256) == (None, "", "")
    assert files(kept) == []


def test_papers_come_off_the_list_of_what_is_missing(book: SmallBook) -> None:
    assert gaps() == {
        "A": ["borrower_undertaking", "use_of_funds"],
        "B": ["borrower_undertaking", "use_of_funds"],
    }
    name("A", "borrower_undertaking", "DA-1")
    name("A", "other", "DA-2")
    assert gaps()["A"] == ["use_of_funds"]
    name("A", "use_of_funds", "DA-3")
    assert gaps() == {"B": ["borrower_undertaking", "use_of_funds"]}
    assert held() == {"A": ["borrower_undertaking", "use_of_funds", "other"]}


def test_only_equipment_loans_are_asked_for_invoices(book: SmallBook) -> None:
    row = {
        "institution_code": NORTH, "note_number": "A", "contract_number": "A",
        "drawn_on": "2026-01-05", "matures_on": "2029-01-05", "principal": "3600000.00",
        "equipment_amount": "1.00", "annual_rate": "3.00", "scheme_codes": "test",
    }  # fmt: skip
    book.enter("notes", row)
    run()
    assert gaps()["A"] == ["borrower_undertaking", "invoice", "use_of_funds"]
    assert gaps()["B"] == ["borrower_undertaking", "use_of_funds"]


def test_labels_that_are_refused_are_asked_for_nothing(book: SmallBook) -> None:
    book.note("A", schemes="")
    run()
    assert sorted(gaps()) == ["B"]


def test_a_new_text_asks_once_it_is_checked(book: SmallBook) -> None:
    more = ASKS.format(missing="").replace("use_of_funds", "payment_proof")
    book.scheme(more=more, checker=None)
    assert gaps()["A"] == ["borrower_undertaking", "use_of_funds"]
    book.scheme(more=more + "\n# checked")
    assert gaps()["A"] == ["borrower_undertaking", "payment_proof"]
    assert [
        (rule.version.version, rule.position, rule.kind)
        for rule in PaperRule.objects.filter(per="note").select_related("version")
        if rule.position != 1
    ] == [
        (1, 0, "borrower_undertaking"), (1, 2, "use_of_funds"), (2, 0, "borrower_undertaking"),
        (2, 2, "payment_proof"), (3, 0, "borrower_undertaking"), (3, 2, "payment_proof"),
    ]  # fmt: skip


def test_a_withdrawn_paper_stays_and_counts_no_more(book: SmallBook, tmp_path: Path) -> None:
    first = give("A", UNDERTAKING, handed_in(tmp_path))
    second = name("A", "borrower_undertaking", "DA-2")
    before = Paper.objects.values().get(pk=first)
    papers.withdraw(paper_id=first, why=" 盖章不清 ", scope=SCOPE_ALL, actor="zhang", at=AT)
    assert held() == {"A": ["borrower_undertaking"]}
    papers.withdraw(paper_id=second, why="错", scope=SCOPE_ALL, actor="zhang", at=AT)
    assert held() == {"A": []}
    assert gaps()["A"] == ["borrower_undertaking", "use_of_funds"]
    assert Paper.objects.values().get(pk=first) == before
    done = PaperWithdrawal.objects.get(paper=first)
    assert (done.why, done.made_by, done.note, done.institution) == (
        "盖章不清", "zhang", note("A"), note("A").institution,
    )  # fmt: skip
    again = give("A", UNDERTAKING, handed_in(tmp_path))
    assert again > second
    assert held() == {"A": ["borrower_undertaking"]}


@pytest.mark.parametrize(
    ("content", "called", "code"),
    [
        (b"", "a.pdf", "paper_empty"),
        (b"%PDF-" + b"x" * (PAPER_BYTES_MAX - 4), "a.pdf", "paper_too_large"),
        (b"<html><script>alert(1)</script>", "a.pdf", "paper_type"),
        (PDF, "a.html", "paper_type"),
        (PDF, "a.pdf.exe", "paper_type"),
        (ofd("word/document.xml"), "a.ofd", "paper_type"),
        (b"PK\x03\x04 no zip at all", "a.ofd", "paper_type"),
        (PDF, "../..", "paper_type"),
        (PDF, "/etc/", "paper_file_name"),
        (PDF, "a\u202efdp.pdf", "paper_file_name"),
        (PDF, "a\0.pdf", "paper_file_name"),
        (PDF, "x" * 197 + ".pdf", "paper_file_name"),
    ],
)
def test_what_is_no_paper_is_refused(
    book: SmallBook, tmp_path: Path, kept: Path, content: bytes, called: str, code: str
) -> None:
    before = state()
    with pytest.raises(DomainError) as refusal:
        give("A", UNDERTAKING, handed_in(tmp_path, content, called))
    assert refusal.value.code == code
    assert state() == before
    assert files(kept) == []


def test_the_largest_file_and_every_kind_of_scan_is_taken(
    book: SmallBook, tmp_path: Path, kept: Path
) -> None:
    largest = b"%PDF-" + b"x" * (PAPER_BYTES_MAX - 5)
    whole = ofd("OFD.xml", "Doc_0/Document.xml")
    for content, called in ((largest, "a.pdf"), (PNG, "b.PNG"), (whole, "发票.ofd")):
        give("A", Stated("invoice"), handed_in(tmp_path, content, called))
    assert files(kept) == sorted(map(sha256, (largest, PNG, whole)))


def test_folders_in_a_name_are_left_out(book: SmallBook, tmp_path: Path, kept: Path) -> None:
    give("A", UNDERTAKING, handed_in(tmp_path, PDF, "../../../etc/cron.d/发票.pdf"))
    give("B", UNDERTAKING, handed_in(tmp_path, PNG, r"..\..\windows\a.png"))
    assert set(Paper.objects.values_list("file_name", flat=True)) == {"发票.pdf", "a.png"}
    assert [path.parent.parent for path in kept.rglob("*") if path.is_file()] == [kept, kept]


def test_the_same_paper_stands_once(book: SmallBook, tmp_path: Path) -> None:
    first = give("A", replace(UNDERTAKING, archive_number="DA-1"), handed_in(tmp_path))
    give("A", Stated("invoice"), handed_in(tmp_path))  # one scan may hold two papers
    before = state()
    for stated, attachment in (
        (UNDERTAKING, handed_in(tmp_path, PDF, "另一个名字.pdf")),
        (replace(UNDERTAKING, archive_number="DA-1"), None),
        (replace(UNDERTAKING, archive_number="DA-1"), handed_in(tmp_path, PNG, "b.png")),
    ):
        with pytest.raises(DomainError, match=f"第 {first} 号，maker 经办") as refusal:
            give("A", stated, attachment)
        assert refusal.value.code == "paper_known"
    assert state() == before
    give("B", replace(UNDERTAKING, archive_number="DA-1"), handed_in(tmp_path))


def test_a_paper_for_several_notes_skips_those_that_have_it(book: SmallBook) -> None:
    book.note("A2", contract="A")
    name("A", "use_of_funds", "DA-1")
    ids = [note("A").pk, note("A2").pk]
    said: dict[str, Any] = {"stated": Stated("use_of_funds", "DA-1"), "attachment": None}
    (new,) = papers.add_to_notes(note_ids=ids, actor="maker", at=AT, **said)
    assert Paper.objects.get(pk=new).note == note("A2")
    before = state()
    with pytest.raises(DomainError) as refusal:
        papers.add_to_notes(note_ids=ids, actor="maker", at=AT, **said)
    assert refusal.value.code == "paper_known"
    assert state() == before


def test_what_is_not_said_right_is_refused(book: SmallBook) -> None:
    before = state()
    for stated, code in (
        (Stated("borrower_undertaking"), "paper_nowhere"),
        (Stated("passport", "DA-1"), "paper_kind_unknown"),
    ):
        with pytest.raises(DomainError) as refusal:
            give("A", stated)
        assert refusal.value.code == code
    with pytest.raises(DomainError) as refusal:
        papers.add_to_notes(
            note_ids=[10**15], stated=UNDERTAKING, attachment=None, actor="maker", at=AT
        )
    assert refusal.value.code == "note_unknown"
    pk = name("A", "other", "DA-1")
    papers.withdraw(paper_id=pk, why="错", scope=SCOPE_ALL, actor="maker", at=AT)
    after = state()
    for why, paper_id, code in (
        (" ", pk, "reason_missing"), ("错", pk, "paper_withdrawn"), ("错", pk + 1, "paper_unknown"),
    ):  # fmt: skip
        with pytest.raises(DomainError) as refusal:
            papers.withdraw(paper_id=paper_id, why=why, scope=SCOPE_ALL, actor="maker", at=AT)
        assert refusal.value.code == code
    assert state() == after != before


def test_papers_of_other_institutions_are_neither_seen_nor_given(
    book: SmallBook, as_role: AsRole
) -> None:
    theirs = name("B", "use_of_funds", "DA-9")
    north = Institution.objects.get(code=NORTH)
    before = state()
    with as_role("app", north):
        assert (Paper.objects.count(), PaperShelf.objects.count()) == (0, 0)
        assert sorted(gaps()) == ["A"]
    others = note("B").pk
    said: dict[str, Any] = {"stated": Stated("invoice", "DA-1"), "attachment": None}
    with pytest.raises(DomainError) as refusal, as_role("app", north):
        papers.add_to_notes(note_ids=[others], actor="maker", at=AT, **said)
    assert refusal.value.code == "note_unknown"
    with pytest.raises(DomainError) as refusal, as_role("app", north):
        papers.withdraw(paper_id=theirs, why="错", scope=north.scope, actor="maker", at=AT)
    assert refusal.value.code == "paper_unknown"
    assert state() == before


def test_who_keeps_papers_can_do_nothing_else_with_them(book: SmallBook, as_role: AsRole) -> None:
    pk = name("A", "other", "DA-1")
    before = state()
    for role in ("app", "worker"):
        for change in (
            lambda: Paper.objects.update(archive_number="DA-2"),
            lambda: Paper.objects.get(pk=pk).delete(),
            lambda: PaperShelf.objects.update(held=4),
        ):
            with (
                pytest.raises(ProgrammingError, match="permission denied"),
                as_role(role, everything=True),
            ):
                change()
    assert state() == before


def test_the_database_knows_the_same_bits() -> None:
    found = bulk.rows(
        "SELECT k, loans_paper_bit(k), loans_paper_kinds(loans_paper_bit(k)) FROM unnest(%s::text[]) k",
        [list(PAPER_KINDS)],
    )
    assert found == [(kind, kind_bit(kind), kind) for kind in PAPER_KINDS]
    assert bulk.rows("SELECT loans_paper_kinds(0), loans_paper_kinds(5)") == [
        (None, "borrower_undertaking;invoice")
    ]
