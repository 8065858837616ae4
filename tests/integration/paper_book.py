"""A book whose scheme asks for papers: a note at each of two banks, each with one collection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loans.models import Note
from loans.services import papers
from loans.services.papers import Stated
from settlement.models import PaperGap
from tests.integration.book import AT, run
from tests.integration.small_book import FIRST, NORTH, SECOND, SOUTH, SmallBook

ASKS = """
[[papers]]
kind = "borrower_undertaking"
per = "note"
{missing}
say_zh = "请企业签承诺书"
say_en = "have the undertaking signed"
article = "(七)"

[[papers]]
kind = "invoice"
per = "note"
with_equipment = true
say_zh = "请登记发票"
say_en = "enter the invoices"
article = "(十二)"

[[papers]]
kind = "use_of_funds"
per = "note"
say_zh = "请登记跟踪记录"
say_en = "enter the record"
article = "(十二)"

[[papers]]
kind = "commitment_letter"
per = "institution"
say_zh = "请登记承诺书"
say_en = "enter the letter"
article = "(五)"
"""
UNDERTAKING = Stated("borrower_undertaking")


def paper_book(folder: Path) -> SmallBook:
    """A note at each of two banks, subsidised under a scheme that asks for papers."""
    folder.mkdir()
    small = SmallBook(folder)
    small.scheme(more=ASKS.format(missing=""))
    for number, uscc, bank in (("A", FIRST, NORTH), ("B", SECOND, SOUTH)):
        small.lend(number, uscc, at=bank)
        small.collect(number, 2, at=bank)
    run()
    return small


def note(number: str) -> Note:
    """The note of that number."""
    return Note.objects.get(note_number=number)


def give(number: str, stated: Stated = UNDERTAKING, attachment: Any = None) -> int:
    """A paper for the note; its id."""
    return papers.add_to_notes(
        note_ids=[note(number).pk], stated=stated, attachment=attachment, actor="maker", at=AT
    )[0]


def name(number: str, kind: str, archive_number: str) -> int:
    """A paper in the archive; its id."""
    return give(number, Stated(kind, archive_number))


def gaps() -> dict[str, list[str]]:
    """What each note lacks."""
    return {gap.note.note_number: gap.missing for gap in PaperGap.objects.select_related("note")}
