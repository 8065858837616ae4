"""Funds, settlements and clawbacks in reports, on the book of two branches reckoned by heart."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

import pytest

from config.kernel.models import Institution
from settlement.models import Fund, Scheme
from settlement.selectors import settled
from settlement.services import clawbacks, settlements
from settlement.services.assessments import assess_notes
from settlement.services.clawbacks import Claim, Ground
from settlement.services.guarantee_postings import post_guarantee_subsidies
from settlement.services.settlements import Ask
from settlement.services.taken_over import book_taken_over
from tests.integration.book import AT, run
from tests.integration.reported import report, rows
from tests.integration.small_book import SmallBook
from tests.integration.two_branches import (
    BANK,
    EAST,
    EASTERN,
    WEST,
    WESTERN,
    YEAR,
    collect,
    move,
    receive,
    two_branches,
)

AsRole = Callable[..., AbstractContextManager[None]]

pytestmark = pytest.mark.django_db


@pytest.fixture
def book(tmp_path: Path) -> SmallBook:
    """Two enterprises with a note each, one at either branch."""
    return two_branches(tmp_path)


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
        # nothing yet, but the note drawn on 5 January is foreseen, to the year's last interest day
        (0, 0, 0, 0, 350 * 10_000)
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
