"""A bank with two first-tier branches, each with a fund and a branch of its own: see `small_book`."""

from __future__ import annotations

from pathlib import Path

from settlement.services.pre_allocations import book_pre_allocations
from tests.integration.book import AT
from tests.integration.small_book import FIRST, SECOND, TREE, SmallBook
from tests.integration.test_guarantee_money import GUARANTEE

BANK = TREE[0][0]
EAST, WEST = "C0001320000001", "C0001330000001"
EASTERN, WESTERN = "C0001320100009", "C0001330100009"
YEAR = 365 * 10_000  # what a note earns in a year, at 100 yuan a day


def two_branches(folder: Path) -> SmallBook:
    """Two enterprises with a note each, one at either branch."""
    book = SmallBook(folder)
    for code, name, level, parent, region in (
        (EAST, "甲银行东分行", "provincial", BANK, "320000"),
        (WEST, "甲银行西分行", "provincial", BANK, "330000"),
        (EASTERN, "甲银行东支行", "branch", EAST, "320100"),
        (WESTERN, "甲银行西支行", "branch", WEST, "330100"),
    ):
        row = {"institution_code": code, "name": name, "level": level, "parent_code": parent}
        book.enter("institutions", {**row, "region_code": region})
    book.scheme(more=GUARANTEE, fund="first_come_first_served")
    book.lend("A", FIRST, at=EASTERN)
    book.lend("B", SECOND, at=WESTERN)
    return book


def collect(book: SmallBook, *months: int) -> None:
    for month in months:
        book.collect("A", month, at=EASTERN)
        book.collect("B", month, at=WESTERN)


def move(book: SmallBook, to: str) -> None:
    row = {"institution_code": EASTERN, "note_number": "A", "moved_on": "2026-04-01"}
    book.enter("note-transfers", {**row, "new_institution_code": to})


def receive(book: SmallBook, place: str, yuan: int, on: str, purpose: str = "interest") -> None:
    row = {"scheme_code": "test", "institution_code": place, "tier": "municipal", "received_on": on}
    more = {"amount": f"{yuan}.00", "document_number": f"文{on}{purpose}", "purpose": purpose}
    book.enter("pre-allocations", {**row, **more})
    book_pre_allocations(actor="checker", at=AT)
