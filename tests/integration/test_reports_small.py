"""Reports on a book reckoned by heart: every ten days of a note earn 1,000 yuan of municipal money.

One bank with two first-tier branches, each with a fund and a branch of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

import pytest

from config.kernel.models import Institution
from reports.definitions.cut import BrokenTie
from reports.selectors import places
from settlement.models import Fund, Scheme
from settlement.selectors import settled
from settlement.services import clawbacks, settlements
from settlement.services.assessments import assess_notes
from settlement.services.clawbacks import Claim, Ground
from settlement.services.guarantee_postings import post_guarantee_subsidies
from settlement.services.pre_allocations import book_pre_allocations
from settlement.services.settlements import Ask
from settlement.services.taken_over import book_taken_over
from tests.integration.book import AT, run
from tests.integration.reported import listed, report, rows
from tests.integration.small_book import FIRST, SECOND, TREE, SmallBook
from tests.integration.test_guarantee_money import GUARANTEE

AsRole = Callable[..., AbstractContextManager[None]]

pytestmark = pytest.mark.django_db

BANK = TREE[0][0]
EAST, WEST = "C0001320000001", "C0001330000001"
EASTERN, WESTERN = "C0001320100009", "C0001330100009"
YEAR = 365 * 10_000  # what a note earns in a year, at 100 yuan a day


@pytest.fixture
def book(tmp_path: Path) -> SmallBook:
    """Two enterprises with a note each, one at either branch."""
    book = SmallBook(tmp_path)
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
    assess_notes(at=AT)

    def state(period: str) -> list[tuple]:
        found = report("monthly-execution", period, BANK)
        (balance,) = rows(found, "by_scheme", "open_notes", "balance_fen", "rate_ppm")
        return [balance, *rows(found, "exit_notes", "note_number", "state_zh", "balance_fen")]

    assert state("2026-02") == [(2, 720_000_000, 30_000)]
    assert state("2026-03") == [(2, 660_000_000, 30_000), ("B", "逾期", 360_000_000)]
    assert state("2026-04") == [(2, 560_000_000, 30_000)]  # overdue until 29 April


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


FUND = (
    "fund_code", "purpose", "opening_fen", "received_fen", "received_ytd_fen", "used_fen",
    "used_ytd_fen", "recovered_ytd_fen", "balance_fen",
)  # fmt: skip


def test_funds_count_money_on_the_day_it_came_and_use_in_its_month(book: SmallBook) -> None:
    receive(book, EAST, 2_500, "2026-01-15")
    receive(book, EAST, 100, "2026-03-02")
    collect(book, 2, 3)
    run()
    assert rows(report("monthly-execution", "2026-02", EAST), "funds", *FUND) == [
        (EAST, "贷款贴息", 0, 0, 250_000, 100_000, 100_000, 0, 150_000)
    ]
    assert rows(report("monthly-execution", "2026-03", BANK), "funds", *FUND) == [
        (EAST, "贷款贴息", 0, 10_000, 260_000, 100_000, 200_000, 0, 60_000),
        (WEST, "贷款贴息", 0, 0, 0, 100_000, 200_000, 0, -200_000),
    ]
    assert rows(report("monthly-execution", "2027-01", EAST), "funds", *FUND) == [
        (EAST, "贷款贴息", 60_000, 0, 0, 0, 0, 0, 60_000)
    ]
    branch = report("monthly-execution", "2026-03", EASTERN)
    assert rows(branch, "funds", *FUND) == []
    assert any("本范围无资金账" in note for note in branch.footnotes)


def test_a_correction_lowers_the_use_of_its_month_and_is_owed_until_offset(book: SmallBook) -> None:
    receive(book, EAST, 5_000, "2026-01-15")
    collect(book, 2)
    run()
    book.repay("A", "2026-02-01", 1_800_000, at=EASTERN)
    run()
    february = ("2026-02", EAST)
    assert rows(report("monthly-execution", *february), "funds", *FUND) == [
        (EAST, "贷款贴息", 0, 0, 500_000, 50_000, 50_000, -50_000, 400_000)
    ]
    collect(book, 3)
    run()
    assert rows(report("monthly-execution", "2026-03", EAST), "funds", *FUND) == [
        (EAST, "贷款贴息", 0, 0, 500_000, 50_000, 100_000, 0, 400_000)
    ]
    (owed,) = rows(
        report("liquidation", "2026-02", EAST),
        "detail",
        "used_fen",
        "adjusted_fen",
        "receivable_fen",
    )
    assert owed == (100_000, -50_000, 50_000)
    whole = report("liquidation", "2026-03", EAST)
    columns = ("used_fen", "adjusted_fen", "clawed_back_fen", "surplus_fen", "receivable_fen")
    assert rows(whole, "detail", *columns) == [(150_000, -50_000, 50_000, 400_000, 0)]
    assert rows(whole, "clawbacks", "open_fen") == []


def test_guarantee_fees_are_a_fund_of_their_own(book: SmallBook) -> None:
    receive(book, EAST, 5_000, "2026-01-15", "guarantee_fee")
    row = {
        "institution_code": EASTERN, "note_number": "A", "guarantee_number": "G1", "guarantor": "省再担保",
        "principal": "1000000.00", "starts_on": "2026-02-10", "ends_on": "2026-08-10", "fee_rate": "0.90",
    }  # fmt: skip
    book.enter("guarantees", row)
    collect(book, 2)
    run()
    post_guarantee_subsidies(actor="system", at=AT)
    assert rows(report("monthly-execution", "2026-02", EAST), "funds", *FUND) == [
        (EAST, "担保费补贴", 0, 0, 500_000, 250_000, 250_000, 0, 250_000),
        (EAST, "贷款贴息", 0, 0, 0, 100_000, 100_000, 0, -100_000),
    ]
    columns = ("purpose", "used_fen", "surplus_fen", "gap_fen")
    assert rows(report("annual-settlement", "2026", EAST), "by_fund", *columns) == [
        ("贷款贴息", 100_000, 0, 100_000), ("担保费补贴", 250_000, 250_000, 0),
    ]  # fmt: skip


def draft(place: str, ask: Ask, needs: dict | None = None) -> int:
    made = settlements.draft(
        institution_id=Institution.objects.get(code=place).pk,
        scheme_id=Scheme.objects.get(code="test").pk, ask=ask, needs=needs or {}, actor="maker", at=AT,
    )  # fmt: skip
    assert made is not None
    return made


def test_a_draft_and_what_was_posted_since_are_the_whole_year(book: SmallBook) -> None:
    receive(book, EAST, 1_500, "2026-01-15")
    collect(book, 2)
    run()
    east = Institution.objects.get(code=EAST)
    made = draft(EAST, Ask(2026), {(east.pk, "municipal"): 777})
    collect(book, 3)
    run()
    columns = (
        "fund_code",
        "basis_zh",
        "opening_fen",
        "received_fen",
        "used_fen",
        "surplus_fen",
        "gap_fen",
    )
    whole = report("annual-settlement", "2026", BANK)
    assert rows(whole, "detail", *columns) == [
        (EAST, "第1期·草稿", 0, 150_000, 100_000, 50_000, 0),
        (EAST, "资金账（未申报）", 50_000, 0, 100_000, 0, 50_000),
        (WEST, "资金账（未申报）", 0, 0, 200_000, 0, 200_000),
    ]
    assert rows(whole, "by_fund", "fund_code", "used_fen", "claimed_fen", "gap_fen") == [
        (EAST, 200_000, 200_000, 50_000), (WEST, 200_000, 200_000, 200_000),
    ]  # fmt: skip
    assert rows(whole, "by_fund", "next_year_need_fen") == [(777,), (YEAR,)]
    settlements.withdraw(settlement_id=made, why="重来", actor="maker", at=AT)
    again = report("annual-settlement", "2026", EAST)
    assert rows(again, "detail", *columns[1:]) == [
        ("资金账（未申报）", 0, 150_000, 200_000, 0, 50_000)
    ]


def test_the_next_year_opens_with_what_the_last_one_left(book: SmallBook) -> None:
    receive(book, EAST, 3_500, "2026-01-15")
    collect(book, 2)
    run()
    receive(book, EAST, 100, "2027-01-15")
    columns = ("opening_fen", "received_fen", "used_fen", "surplus_fen")
    assert rows(report("annual-settlement", "2026", EAST), "detail", *columns) == [
        (0, 350_000, 100_000, 250_000)
    ]
    assert rows(report("annual-settlement", "2027", EAST), "detail", *columns) == [
        (250_000, 10_000, 0, 260_000)
    ]
    assert rows(report("annual-settlement", "2027-Q1", EAST), "detail", *columns) == [
        (250_000, 10_000, 0, 260_000)
    ]
    assert rows(report("annual-settlement", "2026-01", EAST), "detail", *columns) == [
        (0, 350_000, 0, 350_000)
    ]
    assert rows(
        report("annual-settlement", "2025", EAST), "by_fund", *columns, "next_year_need_fen"
    ) == [
        (0, 0, 0, 0, (365 - 4) * 10_000)  # nothing yet, but the note drawn on 5 January is foreseen
    ]
    assert rows(report("annual-settlement", "2025-Q4", EAST), "detail", *columns) == []


def test_a_need_without_a_fund_is_still_applied_for(book: SmallBook) -> None:
    assess_notes(at=AT)
    assert Fund.objects.count() == 0
    found = report("annual-settlement", "2026", BANK)
    columns = ("fund_code", "tier", "received_fen", "used_fen", "next_year_need_fen")
    assert rows(found, "by_fund", *columns) == [
        (EAST, "市级", 0, 0, YEAR), (WEST, "市级", 0, 0, YEAR),
    ]  # fmt: skip
    assert rows(report("annual-settlement", "2026", EASTERN), "by_fund", *columns) == []


def test_subsidies_from_before_the_take_over_are_used_money_of_their_year(book: SmallBook) -> None:
    row = {
        "scheme_code": "test", "institution_code": EASTERN, "note_number": "A", "tier": "municipal",
        "year": "2026", "amount": "300.00", "interest_paid": "9000.00", "paid_through": "2026-02-01",
    }  # fmt: skip
    book.enter("opening-positions", row)
    collect(book, 3)
    run()
    book_taken_over(actor="system", at=AT)
    found = report("annual-settlement", "2026", EAST)
    assert rows(found, "detail", "used_fen", "gap_fen") == [(130_000, 130_000)]
    assert rows(found, "of_notes", "paid_fen") == [(100_000,)]
    ((other, balance),) = rows(
        report("monthly-execution", "2026", EAST), "funds", "other_ytd_fen", "balance_fen"
    )
    assert (other, balance) == (-30_000, -130_000)


def test_clawbacks_stay_with_their_fund_when_the_note_moves(book: SmallBook) -> None:
    collect(book, 2)
    run()
    fund = Fund.objects.get(institution__code=EAST)
    note = fund.scheme.deductions.get(fund_institution_id=fund.institution_id).note_id
    made = clawbacks.propose(
        claim=Claim(note, fund.pk, 2026, 40_000),
        ground=Ground(origin="staff", origin_id=0, why="挪用 / misuse (ST-28)"), actor="maker", at=AT,
    )  # fmt: skip
    clawbacks.decide(clawback_id=made, accept=True, actor="checker", at=AT)
    move(book, WESTERN)
    columns = ("fund_code", "institution_code", "note_number", "open_fen")
    for place, owed in ((EAST, [(40_000,)]), (WEST, [(0,)])):
        found = report("liquidation", "2027", place)
        assert rows(found, "clawbacks", *columns) == [(EAST, EASTERN, "A", 40_000)]
        assert rows(found, "detail", "receivable_fen") == owed
    assert (
        "明细含本机构借据在其他机构资金账的追回，不计入本机构应收追回。"
        in report("liquidation", "2027", WEST).footnotes
    )


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


def test_assumed_settings_are_footnotes_once_each(book: SmallBook) -> None:
    found = report("new-loans", "2026", BANK).footnotes
    assert "假定〔D2〕算头不算尾（试验）。" in found
    assert not any("D21" in note for note in found)
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


def test_lines_of_a_year_hold_each_entry_once(book: SmallBook) -> None:
    collect(book, 2)
    run()
    draft(EAST, Ask(2026))
    collect(book, 3)
    run()
    scope = tuple(Institution.objects.get(code=BANK).scope)
    lines = settled.year_lines(scheme_codes=["test"], scope=scope, year=2026)
    assert [(one.fund.institution_code, one.part, one.state, one.figures.used_fen) for one in lines] == [
        (EAST, 1, "draft", 100_000), (EAST, 0, "ledger", 100_000), (WEST, 0, "ledger", 200_000),
    ]  # fmt: skip
    assert settled.year_lines(scheme_codes=["other"], scope=scope, year=2026) == []
    assert settled.life_lines(scheme_codes=["test"], scope=scope, before=date(2026, 2, 1)) == []
