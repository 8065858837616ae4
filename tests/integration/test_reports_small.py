"""Reports on a book reckoned by heart: every ten days of a note earn 1,000 yuan of municipal money."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

import pytest

from config.kernel.models import Institution
from reports.definitions.cut import BrokenTie
from reports.selectors import places
from settlement.services.assessments import assess_notes
from tests.integration.book import AT, run
from tests.integration.reported import listed, report, rows
from tests.integration.small_book import FIRST, SECOND, TREE, SmallBook
from tests.integration.two_branches import (
    BANK,
    EAST,
    EASTERN,
    WEST,
    WESTERN,
    collect,
    move,
    two_branches,
)

AsRole = Callable[..., AbstractContextManager[None]]

pytestmark = pytest.mark.django_db


@pytest.fixture
def book(tmp_path: Path) -> SmallBook:
    """Two enterprises with a note each, one at either branch."""
    return two_branches(tmp_path)


PAID = (
    "fund_code",
    "notes",
    "municipal_fen",
    "netted_fen",
    "paid_out_fen",
    "arrived_fen",
    "offset_fen",
)


def test_a_note_that_moved_is_paid_from_both_funds_and_reported_where_it_is(
    book: SmallBook,
) -> None:
    collect(book, 2)
    run()
    move(book, WESTERN)
    collect(book, 5)
    run()
    assert rows(report("quarterly-payout", "2026", WEST), "by_branch", *PAID[:3]) == [
        (EAST, 1, 100_000), (WEST, 2, 300_000),
    ]  # fmt: skip
    west, east = (
        report("quarterly-payout", "2026-Q1", WEST),
        report("quarterly-payout", "2026-Q1", EAST),
    )
    assert rows(west, "by_branch", *PAID[:3]) == [(EAST, 1, 100_000), (WEST, 1, 100_000)]
    assert rows(east, "by_branch", *PAID[:3]) == []
    assert [(tie.one_fen, tie.other_fen) for tie in east.ties[:2]] == [(0, 0), (100_000, 100_000)]
    assert [(tie.one_fen, tie.other_fen) for tie in west.ties[:2]] == [
        (200_000, 200_000), (100_000, 100_000),
    ]  # fmt: skip
    assert any("的差额 1,000.00 元" in note for note in west.footnotes)
    bank = report("quarterly-payout", "2026-Q1", BANK)
    assert not any("的差额" in note for note in bank.footnotes)
    (moved, _) = rows(
        report("monthly-application", "2026-05", WEST),
        "detail",
        "institution_code",
        "institution_name",
    )
    assert moved == (EASTERN, "甲银行西支行")


def test_money_paid_out_stands_beside_what_is_netted(book: SmallBook) -> None:
    agreement = {
        "institution_code": EASTERN, "note_number": "A", "scheme_code": "", "valid_from": "2026-03-01",
        "valid_to": "", "account_name": "甲公司", "account_number": "0032", "bank_name": "丙银行",
        "reason": "不能直接抵减",
    }  # fmt: skip
    book.enter("payout-agreements", agreement)
    collect(book, 2, 3)
    run()
    found = report("quarterly-payout", "2026-Q1", BANK)
    assert rows(found, "by_branch", *PAID) == [
        (EAST, 1, 200_000, 100_000, 100_000, 0, 0), (WEST, 1, 200_000, 200_000, 0, 0, 0),
    ]  # fmt: skip
    assert rows(found, "detail", "uscc", "notes", "paid_out_fen", "city_code", "city_zh") == [
        (FIRST, 1, 100_000, "320100", "江苏省南京市"), (SECOND, 1, 0, "320100", "江苏省南京市"),
    ]  # fmt: skip


def test_a_correction_lowers_days_and_money_but_not_what_was_paid_out(book: SmallBook) -> None:
    """Overdue from the sixth day: half is owed back, while the pay-out of the whole is long gone."""
    agreement = {
        "institution_code": EASTERN, "note_number": "A", "scheme_code": "", "valid_from": "2026-02-01",
        "valid_to": "", "account_name": "甲公司", "account_number": "0032", "bank_name": "丙银行",
        "reason": "不能直接抵减",
    }  # fmt: skip
    book.enter("payout-agreements", agreement)
    collect(book, 2)
    run()
    status = {"institution_code": EASTERN, "note_number": "A", "status": "overdue"}
    book.enter("note-statuses", {**status, "starts_on": "2026-02-06", "ends_on": "2026-02-11"})
    run()
    found = report("quarterly-payout", "2026-Q1", EAST)
    assert rows(found, "by_branch", *PAID) == [(EAST, 1, 50_000, -50_000, 100_000, 0, 0)]
    columns = ("days", "product", "raw_fen", "municipal_fen")
    assert rows(report("monthly-application", "2026-02", EAST), "detail", *columns) == [
        (5, 1_800_000_000, 50_000, 50_000)
    ]


def test_a_period_paid_in_two_parts_counts_its_days_once(book: SmallBook) -> None:
    book.collect("A", 3, at=EASTERN, paid="1000.00", reference="A-3-1")
    book.collect("A", 3, at=EASTERN, paid="2000.00", reference="A-3-2")
    book.collect("A", 4, at=EASTERN)
    run()
    invoice = {
        "institution_code": EASTERN, "note_number": "A", "invoice_number": "F1", "amount": "500.00",
        "serial_number": "", "supplier": "",
    }  # fmt: skip
    book.enter("equipment-invoices", {**invoice, "issued_on": "2026-01-20"})
    book.enter("equipment-invoices", {**invoice, "invoice_number": "F2", "issued_on": "2026-04-01"})
    columns = ("collections", "first_on", "last_on", "interest_fen", "days", "product", "municipal_fen",
               "invoices", "invoiced_fen")  # fmt: skip
    march = report("monthly-application", "2026-03", EASTERN)
    assert rows(march, "detail", *columns) == [
        (2, date(2026, 3, 1), date(2026, 3, 11), 300_000, 10, 3_600_000_000, 100_000, 1, 50_000)
    ]
    half = report("monthly-application", "2026", EASTERN)
    assert rows(half, "detail", *columns) == [
        (3, date(2026, 3, 1), date(2026, 4, 11), 600_000, 20, 7_200_000_000, 200_000, 2, 100_000)
    ]


def test_the_last_answer_for_each_month_is_finances(book: SmallBook) -> None:
    collect(book, 3, 4)
    run()
    row = {"scheme_code": "test", "institution_code": EASTERN, "note_number": "A", "reason": ""}
    for month, result, amount, document in (
        ("2026-03", "approved", "", "财审1号"),
        ("2026-03", "disallowed", "12.30", "财审2号"),
        ("2026-04", "approved", "", "财审3号"),
    ):
        more = {"month": month, "result": result, "amount": amount, "document_number": document}
        book.enter("review-results", {**row, **more})
    columns = ("note_number", "results_zh", "reviewed_fen", "review_documents")
    assert rows(report("monthly-application", "2026-Q2", BANK), "detail", *columns) == [
        ("A", "2026-04 通过", 0, "财审3号"), ("B", "", 0, ""),
    ]  # fmt: skip
    assert rows(report("monthly-application", "2026", BANK), "detail", *columns)[0] == (
        "A", "2026-03 核减；2026-04 通过", 1_230, "财审2号；财审3号",
    )  # fmt: skip


def test_balances_states_and_exits_are_those_of_the_last_day(book: SmallBook) -> None:
    book.repay("A", "2026-03-31", 600_000, at=EASTERN)
    book.repay("A", "2026-04-01", 1_000_000, at=EASTERN)
    status = {"institution_code": WESTERN, "note_number": "B", "status": "overdue"}
    book.enter("note-statuses", {**status, "starts_on": "2026-03-31", "ends_on": "2026-04-30"})
    book.enter("note-statuses", {**status, "starts_on": "2026-06-01", "ends_on": ""})
    assess_notes(at=AT)

    def state(period: str) -> list[tuple]:
        found = report("monthly-execution", period, BANK)
        (balance,) = rows(found, "by_scheme", "open_notes", "balance_fen", "rate_ppm")
        return [balance, *rows(found, "exit_notes", "note_number", "state_zh", "balance_fen")]

    assert state("2026-02") == [(2, 720_000_000, 30_000)]
    assert state("2026-03") == [(2, 660_000_000, 30_000), ("B", "逾期", 360_000_000)]
    assert state("2026-04") == [(2, 560_000_000, 30_000)]  # overdue until 29 April
    assert state("2026-05") == [(2, 560_000_000, 30_000)]  # and again from 1 June
    assert state("2026-06") == [(2, 560_000_000, 30_000), ("B", "逾期", 360_000_000)]


def test_a_note_finance_refuses_and_one_paid_off_early_have_left(book: SmallBook) -> None:
    collect(book, 2)
    run()
    row = {"scheme_code": "test", "institution_code": EASTERN, "note_number": "A", "amount": ""}
    refused = {
        "month": "2026-04",
        "result": "rejected",
        "reason": "不符",
        "document_number": "财审1号",
    }
    book.enter("review-results", {**row, **refused})
    book.repay("B", "2026-05-06", 3_600_000, at=WESTERN)
    run()

    def left(period: str) -> list[tuple]:
        found = report("monthly-execution", period, BANK)
        return rows(found, "exit_notes", "note_number", "state_zh", "left_on")

    assert left("2026-03") == []
    assert left("2026-04") == [("A", "财政不予贴息", date(2026, 4, 1))]
    assert left("2026-05") == [
        ("A", "财政不予贴息", date(2026, 4, 1)), ("B", "提前结清", date(2026, 5, 6)),
    ]  # fmt: skip


def test_the_web_sees_its_own_institutions_alone(book: SmallBook, as_role: AsRole) -> None:
    collect(book, 2)
    run()
    with as_role("app", Institution.objects.get(code=EAST)):
        assert rows(report("quarterly-payout", "2026", EAST), "by_branch", *PAID[:3]) == [
            (EAST, 1, 100_000)
        ]
        for code in ("monthly-execution", "monthly-application", "new-loans", "liquidation"):
            assert all(tie.holds for tie in report(code, "2026-02", EAST).ties)
    with as_role("app", Institution.objects.get(code=WEST)):
        found = report("quarterly-payout", "2026", EAST)
        assert rows(found, "by_branch", *PAID[:3]) == []


def test_a_ledger_that_was_told_something_else_is_found_out(book: SmallBook, monkeypatch) -> None:
    collect(book, 2)
    run()
    monkeypatch.setattr(
        "reports.selectors.posted._TURNOVER", "SELECT 'test', 'municipal', 99999::bigint"
    )
    with pytest.raises(BrokenTie, match="200000 ≠ 99999"):
        report("quarterly-payout", "2026", BANK)


def test_the_same_book_gives_the_same_sheet(book: SmallBook) -> None:
    collect(book, 2, 3)
    run()
    for code in ("new-loans", "monthly-execution", "monthly-application", "quarterly-payout",
                 "annual-settlement", "liquidation"):  # fmt: skip
        one, two = report(code, "2026", BANK), report(code, "2026", BANK)
        assert (one.heading, one.footnotes, one.ties) == (two.heading, two.footnotes, two.ties)
        assert all(listed(one, table.key).equals(listed(two, table.key)) for table in one.tables)


def test_what_is_not_money_says_its_own_unit(book: SmallBook) -> None:
    units = {"rate": "(%)", "product": "(元·日)"}
    told = [
        (column.title_zh, units[column.kind])
        for code in ("new-loans", "monthly-execution", "monthly-application", "subsidy-register")
        for one in report(code, "2026", BANK).tables
        for column in one.columns
        if column.kind in units
    ]
    assert len(told) == 12
    assert [title for title, unit in told if not title.endswith(unit)] == []


def test_assumed_settings_are_footnotes_once_each(book: SmallBook) -> None:
    found = report("new-loans", "2026", BANK).footnotes
    assert "假定〔D2〕算头不算尾（试验）。" in found
    assert not any("D21" in note for note in found)
    assert not any(re.search(r"假定〔(?!D\d+〕)", note) for note in found)
    assert any(note.startswith("假定：") for note in found)
    assert len(found) == len(set(found))


def test_a_head_office_without_first_tier_branches_files_for_them(book: SmallBook) -> None:
    def levels(code: str) -> frozenset[str]:
        return places.filing_levels(institution_id=Institution.objects.get(code=code).pk)

    assert levels(BANK) == {"headquarters"}
    assert levels(TREE[2][0]) == {"headquarters", "provincial"}
    assert (levels(EAST), levels(EASTERN)) == ({"provincial"}, {"branch"})


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("320100", "江苏省南京市"),
        ("321300", "江苏省宿迁市"),
        ("110100", "北京市市辖区"),
        ("990000", ""),
    ],
)
def test_cities_have_the_names_they_have_now(code: str, name: str) -> None:
    assert places.city_name(code) == name
